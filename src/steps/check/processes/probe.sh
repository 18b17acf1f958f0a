#!/bin/sh
# Prints the number of processes, of threads, of zombies and of tasks that wait for a disk, and how many there can be.
# Exit 69: no /proc.
set -eu

[ -r /proc/loadavg ] || {
  echo '/proc is not readable' >&2
  exit 69
}
read -r _ _ _ tasks _ </proc/loadavg
limits=$(cat /proc/sys/kernel/pid_max /proc/sys/kernel/threads-max) || exit 69
printf 'threads\t%s\npid-max\t%s\nthreads-max\t%s\n' "${tasks#*/}" "${limits%%
*}" "${limits#*
}"
# The limit of a container stands at the top of what it sees as the cgroup tree. On a host there is none.
for folder in /sys/fs/cgroup /sys/fs/cgroup/pids; do
  { read -r limit <$folder/pids.max && read -r used <$folder/pids.current; } 2>/dev/null || continue
  [ "$limit" = max ] || printf 'container-threads\t%s\ncontainer-max\t%s\n' "$used" "$limit"
  break
done
total=0
zombies=0
blocked=0
for file in /proc/[0-9]*/stat; do
  line=
  { read -r line <"$file"; } 2>/dev/null || continue
  total=$((total + 1))
  # The name may hold spaces and parentheses: the state follows the last one.
  case ${line##*) } in
    Z*) zombies=$((zombies + 1)) ;;
    D*) blocked=$((blocked + 1)) ;;
  esac
done
printf 'total\t%s\nzombies\t%s\nblocked\t%s\n' "$total" "$zombies" "$blocked"
# With hidepid the processes of others are out of sight.
{ read -r line </proc/1/stat; } 2>/dev/null || printf 'hidden\t\n'
