#!/bin/sh
# Prints the open files of the whole system and, when $1 is not empty, of each process of that name, with its limit.
# Exit 69: cannot tell; 77: the files of such a process are closed to this user.
set -eu

[ -r /proc/sys/fs/file-nr ] || {
  echo '/proc/sys/fs/file-nr is not readable' >&2
  exit 69
}
printf 'system\t%s\n' "$(cat /proc/sys/fs/file-nr)"
[ -n "$1" ] || exit 0
{ read -r _ </proc/1/status; } 2>/dev/null || {
  echo 'the processes of other users are hidden (hidepid)' >&2
  exit 77
}
command -v grep >/dev/null || exit 127
for status in $(grep -Fxl -- "Name:	$1" /proc/[0-9]*/status 2>/dev/null || true); do
  folder=${status%/status}
  if [ ! -r "$folder/fd" ]; then
    # It may have ended meanwhile.
    [ -d "$folder" ] || continue
    printf 'no permission to see the files of process %s\n' "${folder##*/}" >&2
    exit 77
  fi
  limit=
  while read -r line; do
    case $line in
      'Max open files'*)
        limit=${line#Max open files}
        break
        ;;
    esac
  done 2>/dev/null <"$folder/limits" || continue
  set -- "$1" "$folder"/fd/*
  printf 'process\t%s %s %s\n' "${folder##*/}" "$(($# - 1))" "$limit"
done
echo 'end	'
