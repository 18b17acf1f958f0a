#!/bin/sh
# Prints the randomness that the kernel has. Exit 78: it never runs out here; 69: cannot tell.
set -eu

folder=/proc/sys/kernel/random
[ -r $folder/entropy_avail ] || {
  echo "$folder/entropy_avail is not readable" >&2
  exit 69
}
said=$(cat $folder/entropy_avail $folder/poolsize)
available=${said%%
*}
size=${said#*
}
# Since 5.18 (and in kernels that took it over) the pool has 256 bits and is full for ever once it is full.
if [ "$size" -eq 256 ] && [ "$available" -eq 256 ]; then
  echo 'the kernel does not run out of randomness (5.18 or newer)' >&2
  exit 78
fi
printf 'available\t%s\nsize\t%s\n' "$available" "$size"
