#!/bin/sh
# Prints the updates that the package manager knows of, and how old its lists are. $1: apt, dnf, yum, zypper, apk, or
# nothing to find out. Works on the lists that are there: fetches nothing, takes no lock of apt or zypper.
# Exit 69: the package manager does not answer; 77: it answers root alone; 78: none is here.
set -eu

manager=$1
if [ -z "$manager" ]; then
  # A host may have tools of another family; its own database tells which one is at home.
  if [ -s /var/lib/dpkg/status ] && command -v apt-get >/dev/null; then
    manager=apt
  else
    for name in zypper dnf yum apk; do
      if command -v "$name" >/dev/null; then
        manager=$name
        break
      fi
    done
  fi
fi
case $manager in
  '')
    echo 'no package manager that is known (apt, dnf, yum, zypper, apk)' >&2
    exit 69
    ;;
  apt) command -v apt-get >/dev/null || exit 127 ;;
  *) command -v "$manager" >/dev/null || exit 127 ;;
esac
printf 'manager\t%s\nnow\t%s\n' "$manager" "$(date +%s)"

# Newest time of change among files; nothing when there is none.
newest() {
  newest_time=
  for newest_file in "$@"; do
    [ -e "$newest_file" ] || continue
    newest_at=$(stat -c %Y -- "$newest_file")
    if [ -z "$newest_time" ] || [ "$newest_at" -gt "$newest_time" ]; then newest_time=$newest_at; fi
  done
  printf '%s' "$newest_time"
}

# A repository of rpm packages: its name, and the folders that may hold what was fetched of it.
rpm_source() {
  rpm_name=$1
  shift
  rpm_folder=
  for folder in "$@"; do
    if [ -e "$folder/repomd.xml" ]; then rpm_folder=$folder; fi
  done
  advisories=no
  if [ -n "$rpm_folder" ] && grep -q 'type="updateinfo"' -- "$rpm_folder/repomd.xml"; then advisories=yes; fi
  # A repository without news is only touched, and by dnf and yum another file than the index.
  at=$(newest "$rpm_folder"/repomd.xml "$rpm_folder"/*primary.xml* "$rpm_folder"/cachecookie)
  printf 'source\t%s\t%s\t%s\n' "$rpm_name" "$at" "$advisories"
}

ask() {
  ask_status=0
  said=$("$@") || ask_status=$?
}

case $manager in
  apt)
    # Without these, root would write caches.
    quiet='-o Debug::NoLocking=1 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache='
    lists=$(apt-config shell LISTS Dir::State::lists/d) || exit 69
    lists=${lists#*\'}
    lists=${lists%\'*}
    # apt changes this folder when it fetched something, and the stamp (Ubuntu) when it tried without a failure.
    printf 'fetched\t%s\n' "$(newest "${lists%/}" "${lists%lists/}periodic/update-success-stamp")"
    # shellcheck disable=SC2086 # a list of options
    ask apt-get $quiet --print-uris update
    [ "$ask_status" = 0 ] || exit 69
    printf '%s\n' "$said" | while read -r uri file _; do
      case $file in
        *InRelease) ;;
        *) continue ;;
      esac
      at=$(newest "$lists$file" "$lists${file%InRelease}Release")
      uri=${uri#\'}
      until=$(sed -n 's/^Valid-Until: *//p' "$lists$file" "$lists${file%InRelease}Release" 2>/dev/null) || :
      printf 'source\t%s\t%s\tyes\t%s\n' "${uri%/InRelease\'}" "$at" "$until"
    done
    echo '== simulation'
    # shellcheck disable=SC2086 # a list of options
    ask apt-get -s -q --ignore-hold $quiet dist-upgrade
    [ "$ask_status" = 0 ] || exit 69
    printf '%s\n' "$said" | grep -v '^Conf '
    kept=$(printf '%s\n' "$said" | sed -n '/^The following packages have been kept back:/,/^[^ ]/s/^  //p')
    if [ -n "$kept" ]; then
      echo '== kept'
      # shellcheck disable=SC2086 # lists of options and names
      apt-cache $quiet policy $kept || exit 69
    fi
    # Each source with the priority that its versions have.
    echo '== policy'
    # shellcheck disable=SC2086 # a list of options
    apt-cache $quiet policy || exit 69
    ;;
  dnf)
    [ "$(id -u)" = 0 ] || {
      echo 'dnf shows its lists to root alone' >&2
      exit 77
    }
    dnf_ask() { ask dnf -C -q --setopt=exit_on_lock=1 --setopt='*.skip_if_unavailable=0' "$@"; }
    dnf_ask repolist --enabled
    [ "$ask_status" = 0 ] || exit 69
    printf '%s\n' "$said" | sed -n '/^repo id /,$p' | sed 1d | while read -r name _; do
      case $name in
        repolist: | '') continue ;;
      esac
      rpm_source "$name" /var/cache/dnf/"$name"-*/repodata /var/cache/libdnf5/"$name"-*/repodata
    done
    dnf_ask repoquery --upgrades --qf 'update %{name} %{evr} %{arch} %{repoid}\n'
    [ "$ask_status" = 0 ] || exit 69
    echo '== updates'
    printf '%s\n' "$said"
    dnf_ask --disableplugin=versionlock --setopt=disable_excludes=all,main repoquery --upgrades \
      --qf 'update %{name} %{evr} %{arch} %{repoid}\n'
    [ "$ask_status" = 0 ] || exit 69
    echo '== all'
    printf '%s\n' "$said"
    if [ -n "$said" ]; then
      dnf_ask --disableplugin=versionlock --setopt=disable_excludes=all,main updateinfo list --security
      [ "$ask_status" = 0 ] || exit 69
      echo '== security'
      printf '%s\n' "$said"
    fi
    ;;
  yum)
    [ "$(id -u)" = 0 ] || {
      echo 'yum shows its lists to root alone' >&2
      exit 77
    }
    ask yum -C -q repolist enabled
    [ "$ask_status" = 0 ] || exit 69
    printf '%s\n' "$said" | sed -n '/^repo id /,$p' | sed 1d | while read -r name _; do
      case $name in
        repolist: | '') continue ;;
      esac
      # A mark of age before the name, the release and the architecture behind it.
      name=${name#[!*]}
      name=${name%%/*}
      rpm_source "$name" /var/cache/yum/*/*/"$name" /var/cache/yum/"$name"
    done
    for excludes in '' '--disableexcludes=all --disableplugin=versionlock'; do
      # shellcheck disable=SC2086 # a list of options
      ask yum -C -q $excludes check-update
      case $ask_status in
        0 | 100) ;;
        *) exit 69 ;;
      esac
      if [ -z "$excludes" ]; then echo '== updates'; else echo '== all'; fi
      printf '%s\n' "$said"
    done
    if [ -n "$said" ]; then
      ask yum -C -q --disableexcludes=all --disableplugin=versionlock updateinfo list security
      [ "$ask_status" = 0 ] || exit 69
      echo '== security'
      printf '%s\n' "$said"
    fi
    ;;
  zypper)
    zypper_ask() {
      ask env ZYPP_READONLY_HACK=1 zypper --no-refresh -n -x "$@"
      [ "$ask_status" = 0 ] || {
        # Errors are XML, too, on standard output.
        printf '%s\n' "$said" | sed -n 's/.*<message type="error">//p' >&2
        [ "$ask_status" != 6 ] || echo 'zypper has no repository' >&2
        exit 69
      }
    }
    zypper_ask repos
    printf '%s\n' "$said" | sed -n 's/.*<repo alias="\([^"]*\)".* enabled="1".*/\1/p' | while read -r name; do
      rpm_source "$name" /var/cache/zypp/raw/"$name"/repodata
    done
    zypper_ask list-updates
    echo '== updates'
    printf '%s\n' "$said"
    zypper_ask list-updates -a
    echo '== all'
    printf '%s\n' "$said"
    zypper_ask locks
    echo '== locks'
    printf '%s\n' "$said"
    zypper_ask list-patches --category security
    echo '== security'
    printf '%s\n' "$said"
    ;;
  apk)
    at=$(newest /etc/apk/cache/APKINDEX.*.tar.gz /var/cache/apk/APKINDEX.*.tar.gz)
    printf 'source\tindex\t%s\tno\n' "$at"
    ask apk --no-network version -v -l '<'
    [ "$ask_status" = 0 ] || exit 69
    echo '== updates'
    printf '%s\n' "$said"
    ;;
esac
echo '== end'
