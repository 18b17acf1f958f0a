#!/bin/sh
# Prints memory and swap in kB, and the memory limit of the container, if any, in bytes. Exit 69: cannot tell.
set -eu

[ -r /proc/meminfo ] || {
  echo '/proc/meminfo is not readable' >&2
  exit 69
}
available=
while read -r key value _; do
  case $key in
    MemTotal: | SwapTotal:) printf '%s\t%s\n' "${key%:}" "$value" ;;
    MemAvailable:)
      available=$value
      printf 'MemAvailable\t%s\n' "$value"
      ;;
    SwapFree:)
      printf 'SwapFree\t%s\n' "$value"
      break
      ;;
  esac
done </proc/meminfo
[ -n "$available" ] || {
  echo 'the kernel reports no MemAvailable (older than 3.14)' >&2
  exit 69
}

# The limit of a container stands at the top of what it sees as the cgroup tree. On a host there is none.
group=/sys/fs/cgroup
if [ -r $group/memory.max ] && [ -r $group/memory.current ]; then
  read -r limit <$group/memory.max
  read -r usage <$group/memory.current
  cache=inactive_file
elif [ -r $group/memory/memory.limit_in_bytes ] && [ -r $group/memory/memory.usage_in_bytes ]; then
  group=$group/memory
  read -r limit <$group/memory.limit_in_bytes
  read -r usage <$group/memory.usage_in_bytes
  cache=total_inactive_file
else
  exit 0
fi
# v2 says max; v1 says a number near 2^63.
case $limit in
  max | ???????????????????*) exit 0 ;;
esac
printf 'limit\t%s\nusage\t%s\n' "$limit" "$usage"
while read -r key value; do
  if [ "$key" = "$cache" ]; then
    printf 'cache\t%s\n' "$value"
    break
  fi
done <$group/memory.stat
