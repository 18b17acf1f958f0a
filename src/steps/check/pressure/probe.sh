#!/bin/sh
# Prints what the kernel says about pressure on processors, memory and disks. Exit 69: the kernel does not measure it.
set -eu

said=
for resource in cpu memory io; do
  # With psi=0 the files exist and cannot be read.
  while read -r kind averages; do
    said=1
    printf '%s-%s\t%s\n' "$resource" "$kind" "$averages"
  done 2>/dev/null <"/proc/pressure/$resource" || true
done 2>/dev/null
[ -n "$said" ] || {
  echo 'the kernel does not measure pressure (before 4.20, or psi=0)' >&2
  exit 69
}
