#!/bin/sh
# Prints what mountinfo says about the mounts on the way to mount point $1, written as the kernel does (\040 for a
# space): id of the mount, of the mount below it, point, options, type, source, options of the file system.
# Exit 69: no mountinfo.
set -eu
. ../mounts.sh
set -f

consider() {
  # In a variable: bash 5.2 misreads "${point%/}"/ as a pattern.
  prefix=${point%/}/
  case ${1%/}/ in
    "$prefix"*) printf 'mount\t%s %s %s %s %s %s %s\n' "$id" "$parent" "$point" "$options" "$type" "$source" "$super" ;;
  esac
}
each_mount "$1"
echo 'end	'
