#!/bin/sh
# Prints who is logged in: "session", the user, the terminal, where from, and when the terminal was last used.
# Asks logind, or who where there is none. The session that this probe runs in is left out.
# Exit 69: nothing here writes down who is logged in.
set -eu

# Prints user $1 at terminal $2 from $3. A terminal knows when it was last read from.
tell() {
  used=
  case $2 in
    '' | *[!A-Za-z0-9/_.-]*) ;;
    *) used=$(stat -c %X "/dev/$2" 2>/dev/null) || used= ;;
  esac
  printf 'session\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$used"
}

# The sessions of logind, whose properties come as blocks of lines with an empty line between them.
tell_logind() {
  # systemd puts each session into a group of its own.
  own=
  while read -r line; do
    case $line in
      *session-*.scope*)
        own=${line##*session-}
        own=${own%%.scope*}
        ;;
    esac
  done 2>/dev/null </proc/self/cgroup || :
  ids=
  while read -r id _; do
    [ -z "$id" ] || [ "$id" = "$own" ] || ids="$ids $id"
  done <<EOF
$1
EOF
  [ -n "$ids" ] || return 0
  # A session may end before it is asked about.
  # shellcheck disable=SC2086 # numbers, and each is a word
  said=$(loginctl --no-pager show-session $ids -p Name -p TTY -p RemoteHost -p Class -p State 2>/dev/null) || :
  printf '%s\n\n' "$said" | {
    user=''
    while read -r line; do
      value=${line#*=}
      case $line in
        Name=*) user=$value ;;
        TTY=*) terminal=$value ;;
        RemoteHost=*) remote=$value ;;
        Class=*) class=$value ;;
        State=*) state=$value ;;
        '')
          # Greeters and managers are no people; `user-early` is root, since systemd 256. A session that closes has been left.
          case ${class-}/${state-} in
            */closing) ;;
            user*) [ -z "$user" ] || tell "$user" "${terminal-}" "${remote-}" ;;
          esac
          user='' terminal='' remote='' class='' state=''
          ;;
      esac
    done
  }
}

now=$(date +%s)
if [ -d /run/systemd/system ] && list=$(loginctl --no-pager --no-legend list-sessions 2>/dev/null); then
  printf 'now\t%s\nsource\tlogind\n' "$now"
  tell_logind "$list"
elif [ -s /run/utmp ] || [ -s /var/run/utmp ]; then
  list=$(who) || exit 127
  printf 'now\t%s\nsource\tutmp\n' "$now"
  while read -r user terminal rest; do
    # The who of busybox has a line of headings.
    [ -z "$user" ] || [ "$user $terminal" = 'USER TTY' ] && continue
    remote=
    case $rest in
      *'('*')')
        remote=${rest##*'('}
        remote=${remote%')'}
        ;;
    esac
    tell "$user" "$terminal" "$remote"
  done <<EOF
$list
EOF
else
  echo 'neither logind nor utmp tells here who is logged in' >&2
  exit 69
fi
printf 'end\t\n'
