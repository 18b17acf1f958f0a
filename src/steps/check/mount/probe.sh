#!/bin/sh
# Prints what mountinfo says about mount point $1, written as the kernel does (\040 for a space). The last line is
# the mount on top. Exit 69: no mountinfo.
set -eu

[ -r /proc/self/mountinfo ] || {
  echo '/proc/self/mountinfo is not readable' >&2
  exit 69
}
while read -r _ _ _ _ point options rest; do
  [ "$point" = "$1" ] || continue
  # Optional fields stand before " - ".
  printf 'mount\t%s %s\n' "$options" "${rest#*- }"
done </proc/self/mountinfo
echo 'end	'
