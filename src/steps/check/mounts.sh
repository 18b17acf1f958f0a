#!/bin/sh
# Shared by what reads the list of mounts.

# Calls `consider` with its own arguments for each mount of mountinfo, in order, with its id, parent, device, point,
# options, type, source and super as the kernel writes them (\040 for a space). Needs `set -f`. Exit 69: no mountinfo.
# shellcheck disable=SC2034 # they are for consider
each_mount() {
  # At once: the list may change while it is read, and bash goes back in the file after each line.
  mounts=$(cat /proc/self/mountinfo 2>/dev/null) || {
    echo '/proc/self/mountinfo is not readable' >&2
    exit 69
  }
  IFS='
'
  for mount in $mounts; do
    unset IFS
    id=${mount%% *} mount=${mount#* }
    parent=${mount%% *} mount=${mount#* }
    device=${mount%% *} mount=${mount#* * }
    point=${mount%% *} mount=${mount#* }
    options=${mount%% *}
    # Optional fields stand before " - ".
    mount=${mount#* - }
    type=${mount%% *} mount=${mount#* }
    source=${mount%% *} super=${mount##* }
    consider "$@"
  done
  unset IFS
}

# Sets `name` to path $1 without the octal digits that the kernel writes for white space and backslash.
unescape_name() {
  name=$1
  case $1 in
    *\\*) name=$(printf '%b.' "$1") name=${name%.} ;;
  esac
}
