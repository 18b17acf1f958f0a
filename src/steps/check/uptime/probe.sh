#!/bin/sh
# Prints the seconds since the start and the id of the boot. Exit 69: no /proc/uptime.
set -eu

[ -r /proc/uptime ] || {
  echo '/proc/uptime is not readable' >&2
  exit 69
}
read -r uptime _ </proc/uptime
printf 'uptime\t%s\n' "$uptime"
if [ -r /proc/sys/kernel/random/boot_id ]; then
  printf 'boot\t%s\n' "$(cat /proc/sys/kernel/random/boot_id)"
fi
