#!/bin/sh
# Prints the value of the kernel parameter in file $1 below /proc/sys. Exit 69: no such parameter; 77: not readable.
set -eu

file=/proc/sys/$1
[ -e "$file" ] || {
  [ -d /proc/sys/kernel ] || {
    echo '/proc/sys is not there' >&2
    exit 69
  }
  printf 'absent\t\n'
  exit 0
}
if [ -d "$file" ]; then
  printf '%s is a group of parameters\n' "$1" >&2
  exit 69
fi
# Some take writes only; some are for root.
value=$(cat "$file") || exit 77
printf 'value\t%s\n' "$(printf '%s\n' "$value" | tr '\t\n' '  ')"
