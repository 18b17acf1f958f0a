#!/bin/sh
# Prints what mountinfo says about the mounts on the way to mount point $1, written as the kernel does (\040 for a
# space): id of the mount, of the mount below it, the rest. Exit 69: no mountinfo.
set -eu

[ -r /proc/self/mountinfo ] || {
  echo '/proc/self/mountinfo is not readable' >&2
  exit 69
}
while read -r id parent _ _ point options rest; do
  # In a variable: bash 5.2 misreads "${point%/}"/ as a pattern.
  prefix=${point%/}/
  case ${1%/}/ in
    # Optional fields stand before " - ".
    "$prefix"*) printf 'mount\t%s %s %s %s %s\n' "$id" "$parent" "$point" "$options" "${rest#*- }" ;;
  esac
done </proc/self/mountinfo
echo 'end	'
