#!/bin/sh
# Starts a changing step as a job that outlives the connection, at most once, and waits for its end. Asked for the
# same job again, it watches the one at work, or tells how it ended. The engine sets N (nonce), JOB (id),
# SECONDS_MAX and RUNNER (the script of the job). Prints the frames of prelude.sh for probe 0. Statuses above 255 are
# ours: 901 interrupted, 902 another job is at work (named on stderr), 903 still running, 904 no room for its marks,
# 905 never started.
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

# Waits a moment, longer ones as time goes by. `waited` is in hundredths of a second.
waited=0
fractions=yes
nap() {
  if [ "$waited" -lt 40 ]; then
    moment=0.02 hundredths=2
  elif [ "$waited" -lt 1000 ]; then
    moment=0.1 hundredths=10
  else
    moment=0.5 hundredths=50
  fi
  # Fractions of a second are not POSIX: where sleep refuses them, wait whole seconds.
  if [ "$fractions" = yes ] && sleep "$moment" 2>/dev/null; then
    waited=$((waited + hundredths))
  else
    fractions=no
    sleep 1
    waited=$((waited + 100))
  fi
}

is_new() {
  [ ! -e "$folder/started" ] && [ ! -e "$folder/rc" ]
}

# The script goes through a pipe: neither it nor a secret in it is ever in a file or in a process list.
launch() {
  printf '%s\n' "$RUNNER" | "$@" /bin/sh -s "$base" "$JOB" "$try" >/dev/null 2>&1 &
}

start() {
  try=$$.$(date +%s)
  # Room for a folder is not room for a file.
  { echo room >"$folder/room.$try" && rm "$folder/room.$try"; } || report 904
  if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
    # A scope of its own: a restarted sshd or logind cannot end it.
    launch systemd-run --quiet --scope --collect --unit="opsctl-$JOB"
    while is_new && [ "$waited" -lt 300 ] && kill -0 $! 2>/dev/null; do nap; done
  fi
  # Also after a systemd-run that is only slow: just one runner of a try gets to work.
  if is_new; then
    detach=
    command -v setsid >/dev/null && detach=setsid
    # shellcheck disable=SC2086 # empty or one word
    launch $detach
  fi
}

# True when no runner of this try has begun, and from now on none can.
give_up() {
  mkdir "$folder/go.$try" 2>/dev/null
}

finished() {
  read -r status <"$folder/rc"
  head -c 2097152 "$folder/stdout"
  head -c 2097152 "$folder/stderr" >&2
  report "$status"
}

watch_job() {
  frame 'b 0'
  if [ "$(id -u)" = 0 ]; then
    base=/var/lib/opsctl/jobs
  else
    base=${XDG_STATE_HOME:-${HOME:-}/.local/state}/opsctl/jobs
  fi
  folder=$base/$JOB
  mkdir -p "$folder" || report 904
  find "$base" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} + 2>/dev/null

  try=
  is_new && start
  while [ ! -e "$folder/rc" ]; do
    if [ -e "$folder/started" ]; then
      # Looked at twice: rc may have come between the two looks.
      is_alive "$folder/started" || [ -e "$folder/rc" ] || report 901
    elif [ -e "$folder/locked.$try" ] && [ "$waited" -ge 60 ]; then
      # The holder may be about to start this very job, for another watcher.
      holder=
      { read -r holder <"$base/holder"; } 2>/dev/null
      if [ "${holder%%,*}" != "$JOB" ] && give_up; then
        echo "$holder" >&2
        report 902
      fi
    elif [ "$waited" -ge 3000 ] && give_up; then
      report 905
    fi
    nap
    if [ "$waited" -gt $((SECONDS_MAX * 100)) ]; then
      is_new && give_up && report 905
      report 903
    fi
  done
  finished
}
