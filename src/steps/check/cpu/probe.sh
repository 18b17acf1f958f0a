#!/bin/sh
# Prints the processor times of all processors twice, $1 seconds apart. Exit 69: no /proc/stat.
set -eu

[ -r /proc/stat ] || {
  echo '/proc/stat is not readable' >&2
  exit 69
}
read -r line </proc/stat
printf 'first\t%s\n' "$line"
sleep "$1"
read -r line </proc/stat
printf 'second\t%s\n' "$line"
