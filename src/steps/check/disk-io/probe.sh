#!/bin/sh
# Prints the names of whole disks, and the counters of all block devices twice, $1 seconds apart.
# Exit 69: no /proc/diskstats.
set -eu

for file in /proc/diskstats /proc/uptime; do
  [ -r "$file" ] || {
    printf '%s is not readable\n' "$file" >&2
    exit 69
  }
done

# Prints the counters, after $1 and the seconds since the start, which no clock moves.
look() {
  read -r uptime _ </proc/uptime
  printf '%s\t%s\n' "$1" "$uptime"
  while read -r _ _ name counters; do
    printf 'counters\t%s %s\n' "$name" "$counters"
  done </proc/diskstats
}

for folder in /sys/block/*; do
  [ ! -e "$folder" ] || printf 'whole\t%s\n' "${folder##*/}"
done
look first
sleep "$1"
look second
printf 'end\t\n'
