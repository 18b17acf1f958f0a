#!/bin/sh
# Does the work of one changing step, at most once, in a session of its own: the function `work`, which the engine
# adds. "$1" is the folder of all jobs, "$2" the job, "$3" the try to start it. Marks in the folder of the job:
#   go.TRY      the runner of that try may begin, or its watcher has given it up: whoever makes it decides
#   locked.TRY  another job is at work on this host
#   started     identity of the runner; from now on no other ever begins
#   rc          exit status; stdout and stderr are complete
base=$1 job=$2 try=$3 folder=$1/$2

run_job() {
  identify $$
  # shellcheck disable=SC2154 # set by identify
  me=$identity
  lock || {
    mkdir "$folder/locked.$try"
    exit 75
  }
  if [ -e "$folder/rc" ] || [ -e "$folder/started" ] || ! mkdir "$folder/go.$try"; then
    unlock
    exit 76
  fi
  echo "$job, pid $$" >"$base/holder.$$" && mv "$base/holder.$$" "$base/holder"
  # A link never replaces: even without any lock only one runner gets past this line.
  if ! { echo "$me" >"$folder/started.$$" && flush "$folder/started.$$" && ln "$folder/started.$$" "$folder/started"; }; then
    rm -f "$folder/started.$$" "$base/holder"
    rmdir "$folder/go.$try"
    unlock
    exit 74
  fi
  ( work ) </dev/null >"$folder/stdout" 2>"$folder/stderr"
  echo $? >"$folder/rc.new" && flush "$folder/rc.new"
  mv "$folder/rc.new" "$folder/rc"
  rm -f "$base/holder"
  unlock
}

# Not every sync takes a file, and not every file system can be asked.
flush() {
  sync "$1" 2>/dev/null || :
}

# What the work starts inherits the lock: after a kill -9 of this runner the host stays locked as long as it lives.
lock() {
  if command -v flock >/dev/null; then
    exec 9>>"$base/lock"
    flock -n 9
    return
  fi
  echo "$me" >"$base/lock.$$" || return 1
  if ln "$base/lock.$$" "$base/held" || take_over; then
    rm -f "$base/lock.$$"
    return 0
  fi
  rm -f "$base/lock.$$"
  return 1
}

# Takes the place of a dead holder. One at a time: the holder that the second one looks at is the first one.
take_over() {
  # Left by a kill at the wrong moment.
  find "$base/heir" -prune -mmin +1 -exec rmdir {} \;
  mkdir "$base/heir" || return 1
  taken=1
  if [ ! -e "$base/held" ]; then
    ln "$base/lock.$$" "$base/held" && taken=0
  elif ! is_alive "$base/held"; then
    mv "$base/lock.$$" "$base/held" && taken=0
  fi
  rmdir "$base/heir"
  return "$taken"
}

# Given back by hand, since a daemon that the work started may have inherited it.
unlock() {
  if command -v flock >/dev/null; then
    flock -u 9
  else
    rm -f "$base/held"
  fi
}
