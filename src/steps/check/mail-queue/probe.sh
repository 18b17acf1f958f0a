#!/bin/sh
# Prints the queue of the mail server: Postfix in messages by queue and the oldest, Exim and others as a number.
# Exit 78: no mail server; 69: it does not answer, or is another one; 77: not for this user.
set -eu

if command -v postqueue >/dev/null 2>&1; then
  command -v awk >/dev/null || exit 127
  # One JSON object a message. A message may be long and there may be many: only numbers leave the host.
  said=$({ postqueue -j 2>&1 || printf 'failed %s\n' "$?"; } | awk '
    /^failed / { print last; failed = 1; exit }
    { last = $0 }
    match($0, /"queue_name": *"[a-z]+"/) {
      split(substr($0, RSTART, RLENGTH), part, "\"")
      count[part[4]]++
      if (match($0, /"arrival_time": *[0-9]+/)) {
        split(substr($0, RSTART, RLENGTH), time, ": *")
        if (oldest == "" || time[2] + 0 < oldest + 0) oldest = time[2]
      }
    }
    END {
      if (failed) exit 1
      for (name in count) printf "queue\t%s %d\n", name, count[name]
      if (oldest != "") printf "oldest\t%s\n", oldest
    }') || {
    printf '%s\n' "$said" >&2
    exit 69
  }
  printf 'server\tpostfix\nnow\t%s\n' "$(date +%s)"
  [ -z "$said" ] || printf '%s\n' "$said"
elif command -v exim4 >/dev/null 2>&1 || command -v exim >/dev/null 2>&1; then
  exim=$(command -v exim4 || command -v exim)
  count=$("$exim" -bpc 2>/dev/null) || {
    said=$("$exim" -bpc 2>&1 >/dev/null) || :
    printf '%s\n' "$said" >&2
    case $said in
      *'permission denied'*) exit 77 ;;
    esac
    exit 69
  }
  printf 'server\texim\nqueue\tall %s\n' "$count"
else
  server=$(command -v sendmail) || server=
  server=$(readlink -f "${server:-/usr/sbin/sendmail}") || server=
  case ${server##*/} in
    # Those hand a message on at once, or not at all.
    '' | *msmtp* | *ssmtp* | busybox) ;;
    *)
      if [ -x "$server" ]; then
        printf 'the queues of Postfix and Exim can be read, not that of %s\n' "$server" >&2
        exit 69
      fi
      ;;
  esac
  echo 'no mail server (Postfix or Exim)' >&2
  exit 78
fi
echo 'end	'
