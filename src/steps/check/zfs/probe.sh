#!/bin/sh
# Prints the ZFS pools, when they were made, and the status of each. $1: yes when some are expected. Exit 78: no ZFS
# here, and none expected; 77: no permission; 69: ZFS does not answer.
set -eu

if [ ! -e /sys/module/zfs ] && [ ! -e /dev/zfs ]; then
  if [ "$1" = no ]; then
    echo 'ZFS is not loaded' >&2
    exit 78
  fi
  echo 'ZFS is not loaded, so no pool can be in use' >&2
  exit 69
fi
command -v zpool >/dev/null 2>&1 || {
  echo 'zpool is not installed (package zfsutils-linux)' >&2
  exit 127
}
refuse() {
  printf '%s\n' "$1" >&2
  case $1 in
    *[Pp]ermission* | *'must be run as root'*) exit 77 ;;
  esac
  exit 69
}
tab='	'
pools=$(zpool list -Hp -o name,size,allocated,free,fragmentation,capacity,health 2>&1) || refuse "$pools"
case $pools in
  *"$tab"*) ;;
  '' | *'no pools available'*)
    [ "$1" = yes ] || {
      echo 'no ZFS pools' >&2
      exit 78
    }
    pools=
    ;;
  *) refuse "$pools" ;;
esac
printf 'now %s\n== pools\n%s\n== made\n' "$(date +%s)" "$pools"
# The status of a suspended pool may never come.
set -f
set --
IFS='
'
for line in $pools; do
  [ "${line##*"$tab"}" = SUSPENDED ] || set -- "$@" "${line%%"$tab"*}"
done
unset IFS
if [ $# -gt 0 ]; then
  zfs get -Hp -d 0 -o name,value creation "$@" 2>/dev/null || true
  echo '== status'
  # Times are printed in the zone of the caller.
  said=$(TZ=UTC zpool status -p "$@" 2>&1) || refuse "$said"
  printf '%s\n' "$said"
else
  echo '== status'
fi
echo '== end'
