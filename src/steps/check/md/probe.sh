#!/bin/sh
# Prints the software RAID arrays of the kernel: what /proc/mdstat lists, and what sysfs says of each and its members.
# $1: yes when some are expected. Exit 78: none here, and none expected.
set -eu

if [ ! -e /proc/mdstat ]; then
  if [ "$1" != yes ]; then
    echo 'the kernel has no software RAID' >&2
    exit 78
  fi
  echo 'end	'
  exit 0
fi
[ -r /proc/mdstat ] || {
  echo 'no permission to read /proc/mdstat' >&2
  exit 77
}
# A file that is not there in this kernel, or not for this level, has no value.
value() {
  said=
  { read -r said <"$1"; } 2>/dev/null || true
}
found=
while read -r name colon _; do
  case $name in
    md*) [ "$colon" = : ] || continue ;;
    *) continue ;;
  esac
  found=1
  folder=/sys/block/$name/md
  printf 'array\t%s\n' "$name"
  for key in level metadata_version array_state raid_disks degraded sync_action sync_completed sync_speed mismatch_cnt \
    consistency_policy; do
    value "$folder/$key"
    printf '%s\t%s\n' "$key" "$said"
  done
  for member in "$folder"/dev-*; do
    [ -e "$member/state" ] || continue
    value "$member/state"
    state=$said
    value "$member/errors"
    printf 'member\t%s %s %s\n' "${member##*/dev-}" "${said:--}" "$state"
  done
done </proc/mdstat
[ -n "$found" ] || [ "$1" = yes ] || {
  echo 'no software RAID arrays' >&2
  exit 78
}
for link in /dev/md/*; do
  [ -L "$link" ] || continue
  target=$(readlink "$link")
  printf 'name\t%s %s\n' "${target##*/}" "${link##*/}"
done
echo 'end	'
