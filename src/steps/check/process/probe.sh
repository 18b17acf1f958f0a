#!/bin/sh
# Prints the processes whose name is $1 (as /proc/PID/status writes it), or all when it is empty. $2: a user, or empty.
# Exit 69: cannot tell; 77: the processes of others are hidden.
set -eu
. ../processes.sh

# With hidepid a process of another user is out of sight, so the absence of one would mean nothing.
{ read -r _ </proc/1/status; } 2>/dev/null || {
  echo 'the processes of other users are hidden (hidepid), or there is no /proc' >&2
  exit 77
}
for tool in grep head cat; do
  command -v "$tool" >/dev/null || exit 127
done
if [ -n "$2" ]; then
  uid=$(id -u -- "$2" 2>/dev/null) || {
    printf 'there is no user %s\n' "$2" >&2
    exit 69
  }
  printf 'user\t%s\n' "$uid"
fi
read -r uptime _ </proc/uptime
printf 'self\t%s\nuptime\t%s\n' "$$" "$uptime"

name=$1
set -- /proc/[0-9]*
# More would be too many arguments for one program, which would then find none.
[ "$#" -le 60000 ] || {
  printf 'there are %s processes, too many to look at\n' "$#" >&2
  exit 69
}
set --
if [ -n "$name" ]; then
  # One process finds them all. Some may end meanwhile: grep complains then.
  for file in $(grep -Fxl -- "Name:	$name" /proc/[0-9]*/status 2>/dev/null || true); do
    set -- "$@" "${file%/status}"
  done
  for folder in "$@"; do
    if is_own "${folder##*/}"; then printf 'own\t%s\n' "${folder##*/}"; fi
  done
else
  for file in /proc/[0-9]*; do
    set -- "$@" "$file"
  done
fi
echo '== status'
[ "$#" -gt 0 ] || exit 0
for folder in "$@"; do
  set -- "$@" "$folder/status"
  shift
done
grep -HE '^(Name|PPid|Uid|VmRSS):' "$@" 2>/dev/null || true
echo '== stat'
for file in "$@"; do
  set -- "$@" "${file%us}"
  shift
done
cat "$@" 2>/dev/null || true
echo '== command'
for file in "$@"; do
  set -- "$@" "${file%stat}cmdline"
  shift
done
# With more than one file, head writes the name of each.
head -c 4096 /dev/null "$@" 2>/dev/null || true
