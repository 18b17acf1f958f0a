#!/bin/sh
# Prints the size of file $1 and then the file, up to 1 MB. Exit 69: no file of data; 77: it is closed to this user.
set -eu
. ../nearest-folder.sh

path=$1
if [ ! -e "$path" ]; then
  refuse_hidden "$path"
  echo 'absent	'
  exit 0
fi
# A pipe or a device would never end.
[ -f "$path" ] || {
  printf '%s is not a regular file\n' "$path" >&2
  exit 69
}
[ -r "$path" ] || {
  printf 'no permission to read %s\n' "$path" >&2
  exit 77
}
size=$(wc -c <"$path")
printf 'size\t%s\n' "$((size))"
[ "$size" -gt 1000000 ] || cat <"$path"
