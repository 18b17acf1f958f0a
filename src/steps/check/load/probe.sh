#!/bin/sh
# Prints the load averages, the processors that are online and, on a busy host, the blocked tasks. Exit 69: no /proc.
set -eu

[ -r /proc/loadavg ] || {
  echo '/proc/loadavg is not readable' >&2
  exit 69
}
read -r one five fifteen _ </proc/loadavg
printf 'load\t%s %s %s\n' "$one" "$five" "$fifteen"

cores=0
if [ -r /sys/devices/system/cpu/online ]; then
  read -r online </sys/devices/system/cpu/online
  # A list such as 0-3,5.
  rest=$online,
  while [ -n "$rest" ]; do
    part=${rest%%,*}
    rest=${rest#*,}
    cores=$((cores + ${part#*-} - ${part%-*} + 1))
  done
else
  while read -r key _; do
    case $key in
      cpu[0-9]*) cores=$((cores + 1)) ;;
      cpu) ;;
      *) break ;;
    esac
  done </proc/stat
fi
printf 'cores\t%s\n' "$cores"

# Tasks that wait for a disk or a dead mount raise the load while the processors idle. Looking at every task
# costs a process, so only where the load asks for an explanation. The state follows the name in parentheses.
if [ "${five%%.*}" -ge "$cores" ] && [ "$cores" -gt 0 ]; then
  # shellcheck disable=SC2046 # words: one file each; tasks that end meanwhile are no trouble
  set -- $(grep -l '^[0-9]* (.*) D [0-9]' /proc/[0-9]*/stat 2>/dev/null || :)
  printf 'blocked\t%s\n' "$#"
fi
