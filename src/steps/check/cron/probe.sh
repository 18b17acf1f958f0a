#!/bin/sh
# Prints whether a cron daemon runs, and as asked: when it last started a command that contains $1 and how far its log
# goes back, when anacron last finished job $2, and when file $3 last changed. Exit 69: cannot tell; 77: not for this user.
set -eu
. ../processes.sh
. ../nearest-folder.sh

command=$1
stamp=$2
file=$3
now=$(date +%s)
printf 'now\t%s\n' "$now"

# Where processes of others are hidden, a daemon that is not seen may still run.
[ -r /proc/1/comm ] || {
  echo 'processes of other users are hidden here' >&2
  exit 77
}
daemon=
for folder in /proc/[0-9]*; do
  name=
  { read -r name <"$folder/comm"; } 2>/dev/null || continue
  case $name in
    cron | crond | fcron | busybox) ;;
    *) continue ;;
  esac
  if is_contained "$folder"; then continue; fi
  if [ "$name" = busybox ]; then
    # It may have ended in the meantime.
    words=$({ tr '\0' ' ' <"$folder/cmdline"; } 2>/dev/null) || continue
    case ${words#* } in
      crond | 'crond '*) name=crond ;;
      *) continue ;;
    esac
  fi
  daemon=$name
  break
done
if [ -z "$daemon" ] && ! command -v cron >/dev/null && ! command -v crond >/dev/null && ! command -v fcron >/dev/null; then
  daemon=absent
fi
printf 'daemon\t%s\n' "$daemon"

# The time of a line of syslog: as it is when it has a zone, otherwise in seconds.
time_of() {
  case $1 in
    [0-9][0-9][0-9][0-9]-*)
      printf '%s' "${1%% *}"
      return 0
      ;;
  esac
  # "Nov  3 14:00:01": blanks, no year, no zone.
  # shellcheck disable=SC2086 # split into words
  set -- $1
  month=1
  for known in Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec; do
    [ "$known" != "${1-}" ] || break
    month=$((month + 1))
  done
  [ "$month" -le 12 ] || return 1
  year=$(date +%Y)
  at=$(date -d "$year-$month-${2-} ${3-}" +%s 2>/dev/null) || return 1
  if [ "$at" -gt $((now + 86400)) ]; then at=$(date -d "$((year - 1))-$month-$2 $3" +%s); fi
  printf '%s' "$at"
}

if [ -n "$command" ]; then
  seen=
  if [ -d /run/systemd/system ] && command -v journalctl >/dev/null; then
    # Other users get their own messages alone, and no word about it.
    for journal in /var/log/journal/*/system.journal /run/log/journal/*/system.journal; do
      if [ -r "$journal" ]; then seen=journal; fi
    done
    if [ -n "$seen" ]; then
      printf 'log\tthe journal\n'
      line=$(journalctl -q --no-pager -o short-unix -t CRON -t CROND -t crond -r | grep -F -e 'CMD (' -e ' cmd ' |
        grep -F -m 1 -e "$command") || :
      [ -z "$line" ] || printf 'ran\t%s\n' "${line%% *}"
      line=$(journalctl -q --no-pager -o short-unix | head -n 1)
      [ -z "$line" ] || printf 'since\t%s\n' "${line%% *}"
    fi
  fi
  if [ -z "$seen" ]; then
    closed=
    for log in /var/log/cron /var/log/cron.log /var/log/syslog /var/log/messages; do
      [ -f "$log" ] || continue
      [ -r "$log" ] || {
        closed=$log
        continue
      }
      seen=$log
      printf 'log\t%s\n' "$log"
      oldest=$log
      for part in "$log" "$log.1"; do
        [ -r "$part" ] || continue
        oldest=$part
        # Other programs log commands, too. After a crash a log may hold zeros, which grep takes for the end of all text.
        line=$(tr '\000' ' ' <"$part" | grep -E '[ /](CRON|CROND|crond|cron)(\[[0-9]+\])?: .*(CMD \(| cmd )' |
          grep -F -e "$command" | tail -n 1)
        [ -n "$line" ] || continue
        at=$(time_of "$line") || {
          printf 'a time in %s is not known: %s\n' "$part" "$line" >&2
          exit 69
        }
        printf 'ran\t%s\n' "$at"
        break
      done
      line=$(head -n 1 <"$oldest" | tr '\000' ' ')
      if [ -n "$line" ] && at=$(time_of "$line"); then printf 'since\t%s\n' "$at"; fi
      break
    done
    [ -n "$seen" ] || {
      if [ -n "$closed" ]; then
        printf 'no permission to read %s\n' "$closed" >&2
        exit 77
      fi
      if [ -d /run/systemd/system ] && command -v journalctl >/dev/null; then
        echo 'no permission to read the journal' >&2
        exit 77
      fi
      echo 'neither a journal nor a syslog file tells what cron ran' >&2
      exit 69
    }
  fi
fi

# Prints when file $2 changed, as $1.
changed() {
  if [ -e "$2" ]; then
    printf '%s\t%s\n' "$1" "$(stat -L -c %Y -- "$2")"
    return 0
  fi
  refuse_hidden "$2"
  printf '%s\t\n' "$1"
}
[ -z "$stamp" ] || changed stamp "/var/spool/anacron/$stamp"
[ -z "$file" ] || changed file "$file"
printf 'end\t\n'
