#!/bin/sh
# Asks every NFS mount for its size and prints which ones answered, and how fast. $1: seconds that they have, all at
# once; $2: types of file systems, with blanks around each. The rest are mount points to look at, as mountinfo writes
# them; none means all. Exit 78: there is none, and none is expected.
set -eu
. ../mounts.sh
. ../patience.sh
# Mount points are data, never file name patterns.
set -f

limit=$1
types=$2
shift 2

# Hundredths of a second since the start: busybox date has no fractions.
tick() {
  read -r uptime _ </proc/uptime
  uptime=${uptime%.*}${uptime#*.}
}
ask() {
  tick
  from=$uptime
  status=0
  # One write a line: the mounts answer at the same time.
  # exec, so that a shell more does not stand between this one and what has to be killed.
  said=$(exec stat -f -c '%b' -- "$2" 2>&1) || status=$?
  tick
  printf 'answer\t%s %s %s %s\n' "$1" "$status" "$((uptime - from))" "$said"
}
consider() {
  case $types in
    *" $type "*) ;;
    *) return 0 ;;
  esac
  if [ $# -gt 0 ]; then
    for path in "$@"; do
      [ "$path" != "$point" ] || break
    done
    [ "$path" = "$point" ] || return 0
  fi
  printf 'mount\t%s %s %s %s %s\n' "$point" "$options" "$type" "$source" "$super"
  case " $points " in
    # A mount over a mount: only the one on top can be asked.
    *" $point "*) ;;
    *) points="$points $point" ;;
  esac
}
points=
each_mount "$@"
if [ -z "$points" ] && [ $# -eq 0 ]; then
  echo 'nothing is mounted from the network' >&2
  exit 78
fi

# A mount may hang for ever, so each gets its own process.
waiting=
for point in $points; do
  unescape_name "$point"
  ask "$point" "$name" &
  waiting="$waiting $!:$point"
done
wait_for "$limit"
for entry in $waiting; do
  # The shell that asks, and its stat.
  children=
  { read -r children <"/proc/${entry%%:*}/task/${entry%%:*}/children"; } 2>/dev/null || true
  # shellcheck disable=SC2086 # a list of numbers
  kill -KILL "${entry%%:*}" $children 2>/dev/null || true
  printf 'hung\t%s\n' "${entry#*:}"
done
echo 'end	'
exit 0
