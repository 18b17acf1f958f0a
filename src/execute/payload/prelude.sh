#!/bin/sh
# Runs the probes of one round, one after the other, each in its own subshell, with its own deadline.
# The engine sets N (nonce), defines one function per probe, and calls `probe INDEX SECONDS FUNCTION ARGS…`.
# Frames, on stdout and stderr alike, each on a line of its own:
#   N b 0                 the round begins, and with it the first probe
#   N e INDEX HOW STATUS  the probe is over (done, or timeout: its process tree was killed); the next one begins
#   N z                   end of the round: everything before it is complete
LC_ALL=C
PATH=/usr/sbin:/sbin:/usr/local/sbin:${PATH:-/usr/local/bin:/usr/bin:/bin}
export LC_ALL PATH
unset LANGUAGE CDPATH ENV BASH_ENV

ticks=0
trap 'ticks=$((ticks + 1))' USR1
# One watcher for the whole round. It holds none of our descriptors, so it never keeps a channel open. In a function
# like all else: a payload that is cut half-way must not run the half of it.
watch() {
  (
    trap - USR1
    while sleep 1; do kill -USR1 $$ || exit 0; done
  ) </dev/null >/dev/null 2>&1 &
  watcher=$!
}

frame() {
  printf '\n%s %s\n' "$N" "$1"
  printf '\n%s %s\n' "$N" "$1" >&2
}

probe() {
  index=$1 seconds=$2
  shift 2
  ticks=0 how='done'
  (
    trap - USR1
    "$@"
  ) </dev/null &
  pid=$!
  while :; do
    wait "$pid" 2>/dev/null
    status=$?
    if kill -0 "$pid" 2>/dev/null; then
      if [ "$ticks" -gt "$seconds" ]; then
        how='timeout'
        kill_tree "$pid"
        break
      fi
      continue
    fi
    # A tick that came as the probe ended may hide its status; the shell still has it then, and 127 if not.
    if [ "$status" -gt 128 ] && [ "$ticks" -gt 0 ]; then
      wait "$pid" 2>/dev/null
      again=$?
      [ "$again" = 127 ] || status=$again
    fi
    break
  done
  frame "e $index $how $status"
}

# Kills a process and its descendants. Each is stopped before its children are looked for: it can start no
# more, and they stay its children until they are dead. Not waited for: a process in uninterruptible sleep
# (dead mount) dies when its mount does.
kill_tree() {
  kill -STOP "$1" 2>/dev/null
  for stat in /proc/[0-9]*/stat; do
    line=
    { read -r line <"$stat"; } 2>/dev/null
    # The name may hold spaces and parentheses: cut after the last one. What follows is "S PPID …".
    rest=${line##*) }
    case $rest in
      ?" $1 "*)
        child=${stat#/proc/}
        kill_tree "${child%/stat}"
        ;;
    esac
  done
  kill -KILL "$1" 2>/dev/null
}

finish() {
  kill "$watcher" 2>/dev/null
  frame z
}
