#!/bin/sh
# Prints how many files there are below folder $1, their size, the times of the oldest and the newest, and how many
# complaints there were on the way. $2: f or d; $3: depth, or empty for all; $4: pattern of names, or empty for all.
# Exit 69: no folder; 77: it is closed to this user.
set -eu
. ../nearest-folder.sh

path=$1
type=$2
depth=$3
name=$4
if [ ! -e "$path" ]; then
  refuse_hidden "$path"
  printf 'absent\t\n'
  exit 0
fi
[ -d "$path" ] || {
  printf '%s is not a folder\n' "$path" >&2
  exit 69
}
if [ ! -r "$path" ] || [ ! -x "$path" ]; then
  printf 'no permission to read %s\n' "$path" >&2
  exit 77
fi
for tool in find stat awk date; do
  command -v "$tool" >/dev/null || {
    printf '%s is not installed\n' "$tool" >&2
    exit 127
  }
done

# The slash goes through a link, and no path can be taken for an option. -xdev stays on this file system.
set -- "${path%/}/" -xdev -mindepth 1
[ -z "$depth" ] || set -- "$@" -maxdepth "$depth"
set -- "$@" -type "$type"
[ -z "$name" ] || set -- "$@" -name "$name"
printf 'now\t%s\n' "$(date +%s)"
# Numbers alone come through the pipe, so that no name can pass for one. What find and stat complain about goes past
# it; a file that was there a moment ago is no trouble.
{
  complaints=$(
    {
      {
        find "$@" -exec stat -c '%s %Y' {} + 2>&3 || [ $? -eq 1 ] || echo 'find ended early' >&3
      } | awk '
        {
          count += 1
          size += $1
          if (count == 1 || $2 < oldest) oldest = $2
          if (count == 1 || $2 > newest) newest = $2
        }
        END {
          printf "count\t%.0f\nsize\t%.0f\n", count, size
          if (count) printf "oldest\t%.0f\nnewest\t%.0f\n", oldest, newest
        }' >&4
    } 3>&1 | awk '
      !/No such file or directory$/ {
        count += 1
        if (count == 1) first = $0
      }
      END { printf "%.0f %s", count, first }'
  )
} 4>&1
printf 'complaints\t%s\n' "$complaints"
