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

# The arguments are the fields of a line, the numbers of the device first.
counters() {
  shift 2
  printf 'counters\t%s\n' "$*"
}

# Prints the counters, after $1 and the seconds since the start, which no clock moves.
look() {
  read -r uptime _ </proc/uptime
  printf '%s\t%s\n' "$1" "$uptime"
  # At once: there may be thousands, and bash goes back in the file after each line.
  devices=$(cat /proc/diskstats)
  IFS='
'
  for device in $devices; do
    unset IFS
    # shellcheck disable=SC2086 # fields
    counters $device
  done
  unset IFS
}

for folder in /sys/block/*; do
  [ ! -e "$folder" ] || printf 'whole\t%s\n' "${folder##*/}"
done
look first
sleep "$1"
look second
printf 'end\t\n'
