#!/bin/sh
# Prints the entry of user $1 and, when groups follow, the ids of its groups and of these. Exit 69: cannot tell.
set -eu
. ../entry.sh

name=$1
shift
found=$(entry passwd "$name")
if [ -z "$found" ]; then
  printf 'absent\t\n'
  exit 0
fi
printf 'user\t%s\n' "$found"
[ "$#" -gt 0 ] || exit 0
gids=$(id -G "$name") || exit 69
printf 'gids\t%s\n' "$gids"
for group in "$@"; do
  found=$(entry group "$group")
  printf 'group\t%s\n' "$found"
done
