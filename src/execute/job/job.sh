#!/bin/sh
# Runs one changing step at most once, as a job that outlives the connection, and waits for its end.
# The engine sets N (nonce), MODE (start or attach), JOB (id), SECONDS_MAX and TEXT (script of the runner's work).
# Prints the frames of prelude.sh for probe 0. Statuses above 255 are ours: 901 interrupted, 902 locked by
# another job (its holder on stderr), 903 still running, 904 no place for state, 905 never started.
LC_ALL=C
PATH=/usr/sbin:/sbin:/usr/local/sbin:${PATH:-/usr/local/bin:/usr/bin:/bin}
export LC_ALL PATH
unset LANGUAGE CDPATH ENV BASH_ENV
umask 077

frame() {
  printf '\n%s %s\n' "$N" "$1"
  printf '\n%s %s\n' "$N" "$1" >&2
}

report() {
  frame "e 0 done $1"
  frame z
  exit 0
}

# Fractions of a second are not POSIX: where sleep refuses them, wait whole seconds.
naps_per_second=10
nap() {
  [ "$naps_per_second" = 10 ] && sleep 0.1 2>/dev/null && return 0
  naps_per_second=1
  sleep 1
}

boot_id() {
  boot=unknown
  { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
}

# Prints when process $1 began, in ticks since boot: with the boot id it names a process for good.
begun_at() {
  begun=
  { read -r stat_line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086 # fields of /proc/PID/stat after the name
  set -- ${stat_line##*) }
  begun=${20}
}

# True while the runner that wrote $DIR/started lives.
is_running() {
  { read -r started_boot started_pid started_at <"$DIR/started"; } 2>/dev/null || return 1
  boot_id
  [ "$started_boot" = "$boot" ] && begun_at "$started_pid" && [ "$begun" = "$started_at" ]
}

# The runner: takes the lock, looks again, marks, works, marks. Its text reaches a new shell by a pipe, so
# neither the script nor a secret is ever in a file or in a process list.
runner_text() {
  cat <<RUNNER
BASE='$BASE' DIR='$DIR' JOB='$JOB'
RUNNER
  cat <<'RUNNER'
lock() {
  if command -v flock >/dev/null 2>&1; then
    exec 9>>"$BASE/lock"
    flock -n 9
  else
    mkdir "$BASE/lock.d" 2>/dev/null && return 0
    read -r lock_pid lock_boot <"$BASE/lock.d/holder" 2>/dev/null || return 1
    read -r boot </proc/sys/kernel/random/boot_id
    [ "$lock_boot" = "$boot" ] && kill -0 "$lock_pid" 2>/dev/null && return 1
    # Only one of several can rename a stale lock away.
    mv "$BASE/lock.d" "$BASE/stale.$$" 2>/dev/null && rm -rf "$BASE/stale.$$" && mkdir "$BASE/lock.d" 2>/dev/null
  fi
}
main() {
  lock || exit 75
  [ -e "$DIR/rc" ] && exit 0
  [ -e "$DIR/started" ] && exit 76
  read -r boot </proc/sys/kernel/random/boot_id
  [ -d "$BASE/lock.d" ] && echo "$$ $boot" >"$BASE/lock.d/holder"
  echo "$JOB pid $$" >"$BASE/holder.$$" && mv "$BASE/holder.$$" "$BASE/holder"
  read -r line <"/proc/$$/stat"
  set -- ${line##*) }
  echo "$boot $$ ${20}" >"$DIR/started.new" && sync "$DIR/started.new" 2>/dev/null
  mv "$DIR/started.new" "$DIR/started" || exit 74
  ( work ) </dev/null >"$DIR/stdout" 2>"$DIR/stderr"
  echo $? >"$DIR/rc.new" && sync "$DIR/rc.new" 2>/dev/null
  mv "$DIR/rc.new" "$DIR/rc"
  rm -f "$BASE/holder"
  rm -rf "$BASE/lock.d"
}
RUNNER
  printf '%s\n' "$TEXT"
  echo 'main; exit'
}

is_new() {
  [ ! -e "$DIR/started" ] && [ ! -e "$DIR/rc" ]
}

launch() {
  runner=$(runner_text)
  printf '%s\n' "$runner" | "$@" /bin/sh -s >/dev/null 2>&1 &
}

finished() {
  read -r status <"$DIR/rc"
  head -c 2097152 "$DIR/stdout"
  head -c 2097152 "$DIR/stderr" >&2
  report "$status"
}

main() {
  frame 'b 0'
  if [ "$(id -u)" = 0 ]; then
    BASE=/var/lib/opsctl/jobs
  else
    BASE=${XDG_STATE_HOME:-${HOME:?}/.local/state}/opsctl/jobs
  fi
  DIR=$BASE/$JOB
  if [ "$MODE" = start ]; then
    mkdir -p "$DIR" || report 904
    find "$BASE" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} + 2>/dev/null
  elif [ ! -d "$DIR" ]; then
    report 905
  fi

  [ -e "$DIR/rc" ] && finished
  if [ ! -e "$DIR/started" ]; then
    [ "$MODE" = start ] || report 905
    detach=
    command -v setsid >/dev/null 2>&1 && detach=setsid
    if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
      # A scope of its own: a restarted sshd or logind cannot end it.
      launch systemd-run --quiet --scope --collect --unit="opsctl-$JOB"
      naps=0
      while is_new && [ "$naps" -lt 30 ]; do
        nap
        naps=$((naps + 1))
      done
    fi
    # Safe after a systemd-run that failed or is slow: the runner itself looks under the lock whether it may begin.
    if is_new; then
      # shellcheck disable=SC2086 # empty or one word
      launch $detach
    fi
  fi

  waited=0
  misses=0
  while [ ! -e "$DIR/rc" ]; do
    if [ -e "$DIR/started" ]; then
      # Looked at twice: rc may have come between the two looks.
      is_running || { [ -e "$DIR/rc" ] || report 901; }
    else
      misses=$((misses + 1))
      if [ "$misses" -gt 30 ]; then
        { read -r holder <"$BASE/holder"; } 2>/dev/null && { echo "$holder" >&2; report 902; }
        report 905
      fi
    fi
    nap
    waited=$((waited + 1))
    [ "$waited" -gt $((SECONDS_MAX * naps_per_second)) ] && report 903
  done
  finished
}
