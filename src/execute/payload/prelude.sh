#!/bin/sh
# Runs the probes of one round, one after the other, each in its own subshell, with its own deadline.
# The engine sets N (nonce), defines one function per probe, and calls `probe INDEX SECONDS FUNCTION ARGS…`.
# Frames, on stdout and stderr alike, each on a line of its own:
#   N b INDEX         the probe begins
#   N x INDEX STATUS  the probe's own last word, from its EXIT trap (stdout only)
#   N e INDEX HOW     the probe is over: done, or timeout (its process tree was killed)
#   N z               end of the round: everything before it is complete
LC_ALL=C
PATH=/usr/sbin:/sbin:/usr/local/sbin:${PATH:-/usr/local/bin:/usr/bin:/bin}
export LC_ALL PATH
unset LANGUAGE CDPATH ENV BASH_ENV

ticks=0
trap 'ticks=$((ticks + 1))' USR1
# One watcher for the whole round. It holds none of our descriptors, so it never keeps a channel open.
(
  trap - USR1
  while sleep 1; do kill -USR1 $$ || exit 0; done
) </dev/null >/dev/null 2>&1 &
watcher=$!

frame() {
  printf '\n%s %s\n' "$N" "$1"
  printf '\n%s %s\n' "$N" "$1" >&2
}

probe() {
  index=$1 seconds=$2
  shift 2
  frame "b $index"
  ticks=0 how='done'
  (
    trap - USR1
    trap 'printf "\n%s x %s %s\n" "$N" "$index" "$?"' EXIT
    "$@"
  ) </dev/null &
  pid=$!
  while :; do
    wait "$pid" 2>/dev/null
    kill -0 "$pid" 2>/dev/null || break
    if [ "$ticks" -gt "$seconds" ]; then
      how=timeout
      kill_tree "$pid"
      break
    fi
  done
  frame "e $index $how"
}

# Kills a process and its descendants, parents first, so that none can start another. Not waited for:
# a process in uninterruptible sleep (dead mount) dies when its mount does.
kill_tree() {
  kill -KILL "$1" 2>/dev/null
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
}

finish() {
  kill "$watcher" 2>/dev/null
  frame z
}
