#!/bin/sh
# Prints facts of the host: a line `fact NAME`, then its lines after a tab each, then `status NAME STATUS`.
# $1…: the facts. Each is sorted where order means nothing, so that equal hosts print the same bytes.
set -eu

first_of() {
  for file in "$@"; do
    if [ -r "$file" ]; then
      cat "$file"
      return 0
    fi
  done
  return 1
}

# Sorted lines. There are always some: none come from a program that failed, such as the rpm of busybox.
some() {
  sort | grep . || return 69
}

# Exit status: 0 known, 77 closed to this user, 69 not known here.
fact() {
  case $1 in
    os)
      # shellcheck disable=SC1091 # of the host
      (. /etc/os-release && printf '%s\n' "${PRETTY_NAME:-$NAME}") 2>/dev/null || return 69
      ;;
    kernel) uname -r ;;
    architecture) uname -m ;;
    processors) grep -c '^processor' /proc/cpuinfo || return 69 ;;
    # In steps of 256 MiB: what firmware and kernel keep for themselves differs between equal machines.
    memory) awk '$1 == "MemTotal:" { printf "%d MiB\n", int($2 / 1024 / 256 + 0.5) * 256 }' /proc/meminfo ;;
    virtualization)
      if command -v systemd-detect-virt >/dev/null; then
        systemd-detect-virt || :
      elif [ -f /.dockerenv ] || [ -f /run/.containerenv ]; then
        echo container
      else
        return 69
      fi
      ;;
    init) cat /proc/1/comm ;;
    shell) readlink -f /bin/sh ;;
    boot) tr ' ' '\n' </proc/cmdline | grep -v '^BOOT_IMAGE=' | sed '/^$/d' ;;
    timezone)
      zone=$(readlink -f /etc/localtime) && [ "$zone" != /etc/localtime ] || zone=$(date +%Z)
      printf '%s\n' "${zone##*/zoneinfo/}"
      ;;
    dns) sed -n 's/^[[:blank:]]*\(nameserver\|search\|domain\|options\)[[:blank:]]/\1 /p' /etc/resolv.conf ;;
    users) first_of /etc/passwd | cut -d: -f1,3,4,6,7 | some ;;
    groups) first_of /etc/group | cut -d: -f1,3,4 | some ;;
    modules)
      [ -r /proc/modules ] || return 69
      cut -d' ' -f1 /proc/modules | sort
      ;;
    mounts)
      awk '$3 ~ /^(ext[234]|xfs|btrfs|zfs|vfat|nfs4?|cifs|tmpfs)$/ && $2 !~ /^\/run\/|^\/(dev|sys|proc)(\/|$)/ { print $2, $3, $4 }' \
        /proc/mounts | sed 's/,size=[0-9]*k//; s/,inode64//' | sort
      ;;
    packages)
      if command -v dpkg-query >/dev/null; then
        dpkg-query -W -f '${db:Status-Abbrev}${binary:Package} ${Version}\n' | sed -n 's/^ii *//p' | some
      elif command -v rpm >/dev/null; then
        rpm -qa --qf '%{NAME}.%{ARCH} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n' 2>/dev/null | some
      elif command -v apk >/dev/null; then
        apk info -v 2>/dev/null | some
      else
        return 69
      fi
      ;;
    services)
      command -v systemctl >/dev/null || return 69
      systemctl list-unit-files --no-pager --no-legend --type=service,timer,socket 2>/dev/null |
        awk '{ print $1, $2 }' | some
      ;;
    sysctl)
      # Settings that administrators make; counters and random ids are none.
      for key in kernel.randomize_va_space kernel.kptr_restrict kernel.dmesg_restrict kernel.pid_max \
        fs.file-max fs.protected_hardlinks fs.protected_symlinks fs.suid_dumpable \
        net.ipv4.ip_forward net.ipv4.tcp_syncookies net.ipv4.conf.all.rp_filter net.ipv4.conf.all.accept_redirects \
        net.ipv6.conf.all.forwarding net.core.somaxconn vm.swappiness vm.overcommit_memory vm.max_map_count; do
        path=/proc/sys/$(printf '%s' "$key" | tr . /)
        if [ -r "$path" ]; then printf '%s = %s\n' "$key" "$(tr '\t' ' ' <"$path")"; fi
      done
      ;;
    authorities)
      bundle=
      for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
        if [ -r "$file" ]; then bundle=$file; fi
      done
      [ -n "$bundle" ] || return 69
      sum=$(sha256sum <"$bundle")
      printf '%s\n' "${sum%% *}"
      ;;
    sshd)
      program=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null) || return 69
      [ "$(id -u)" = 0 ] || return 77
      "$program" -T 2>/dev/null | some
      ;;
    *) return 69 ;;
  esac
}

for name in "$@"; do
  printf 'fact %s\n' "$name"
  status=0
  said=$(set -e; fact "$name") || status=$?
  if [ $status -eq 0 ] && [ -n "$said" ]; then printf '%s\n' "$said" | sed 's/^/	/'; fi
  printf 'status %s %s\n' "$name" "$status"
done
