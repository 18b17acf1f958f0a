#!/bin/sh
# Prints what the kernel says about bond $1, or about each bond when $1 is empty, behind a line `bond<TAB>name`.
# Exit 78: no bond here; 69: the kernel does not tell.
set -eu

[ -d /proc/net ] || {
  echo '/proc/net is not there' >&2
  exit 69
}
if [ -n "$1" ]; then
  set -- "/proc/net/bonding/$1"
  [ -e "$1" ] || {
    printf 'absent\t\n'
    exit 0
  }
else
  set -- /proc/net/bonding/*
  [ -e "$1" ] || {
    echo 'no bonded interface' >&2
    exit 78
  }
fi
for file in "$@"; do
  printf 'bond\t%s\n' "${file##*/}"
  cat -- "$file" || exit 69
done
printf 'end\t\n'
