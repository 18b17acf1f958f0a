#!/bin/sh
# Prints what tells of a restart that is due: a flag file, the packages that asked, the kernels that are installed, and
# the answer of needs-restarting. Exit 69: nothing here tells; 78: a container.
set -eu

found=
for flag in /run/reboot-required /var/run/reboot-required /run/reboot-needed; do
  if [ -e "$flag" ]; then
    found=1
    printf 'flag\t%s\n' "$flag"
    if [ -r "$flag.pkgs" ]; then
      while read -r package; do
        printf 'package\t%s\n' "$package"
      done <"$flag.pkgs"
    fi
    break
  fi
done
# The hook that writes the flag: unattended-upgrades on Debian, update-notifier on Ubuntu.
for hook in /etc/kernel/postinst.d/unattended-upgrades /usr/share/update-notifier/notify-reboot-required; do
  [ ! -e "$hook" ] || found=1
done
running=$(uname -r)
printf 'running\t%s\n' "$running"
for folder in /lib/modules/*/; do
  # A folder without this file is what a removed kernel left behind.
  [ -e "${folder}modules.dep" ] || [ -e "${folder}modules.order" ] || continue
  found=1
  folder=${folder%/}
  printf 'kernel\t%s\n' "${folder##*/}"
done
# A Debian host may have the zypper or dnf of its own package, which know of none of its updates.
if [ ! -s /var/lib/dpkg/status ] && command -v needs-restarting >/dev/null 2>&1; then
  status=0
  said=$(needs-restarting -r 2>/dev/null) || status=$?
  # A dnf that fails ends with 1, too.
  case $status/$said in
    0/* | 1/*'eboot is '*)
      found=1
      printf 'needs-restarting\t%s\n' "$status"
      ;;
  esac
fi
if [ -z "$found" ] && { [ -e /run/systemd/container ] || [ -e /.dockerenv ] || [ -e /run/.containerenv ]; }; then
  echo 'a container has the kernel of its machine' >&2
  exit 78
fi
[ -n "$found" ] || {
  echo 'nothing on this host tells: no installed kernels, no reboot flag, no needs-restarting' >&2
  exit 69
}
