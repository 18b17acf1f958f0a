#!/bin/sh
# Prints the entry of user $1 and, when groups follow, the ids of its groups and of these. Exit 69: cannot tell.
set -eu

name=$1
shift

# Prints the entry of $2 in database $1 (passwd or group); nothing when there is none.
entry() {
  if command -v getent >/dev/null 2>&1; then
    status=0
    found=$(getent "$1" "$2") || status=$?
    case $status in
      0 | 2) ;;
      *)
        printf 'getent %s ended with status %s\n' "$1" "$status" >&2
        exit 69
        ;;
    esac
  else
    found=
    while IFS= read -r line; do
      case $line in
        "$2":*)
          found=$line
          break
          ;;
      esac
    done <"/etc/$1" || exit 69
    if [ -z "$found" ] && grep -Eq "^$1:.*(sss|ldap|winbind|nis)" /etc/nsswitch.conf 2>/dev/null; then
      printf 'getent is not installed, and not all is in /etc/%s\n' "$1" >&2
      exit 127
    fi
  fi
  # A number finds the entry with that id, which is another name.
  case $found in
    "$2":*) printf '%s\n' "$found" ;;
  esac
}

found=$(entry passwd "$name")
if [ -z "$found" ]; then
  printf 'absent\t\n'
  exit 0
fi
printf 'user\t%s\n' "$found"
[ "$#" -gt 0 ] || exit 0
gids=$(id -G "$name") || exit 69
printf 'gids\t%s\n' "$gids"
for group in "$@"; do
  printf 'group\t%s\n' "$(entry group "$group")"
done
