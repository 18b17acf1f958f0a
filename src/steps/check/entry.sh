#!/bin/sh
# Shared by what looks up users and groups.

# Prints the entry of $2 in database $1 (passwd or group); nothing when there is none. Exit 69: cannot tell.
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
  # A number finds the entry with that id, which is another name. A directory may write a name otherwise than it was
  # asked: in small letters, with or without its domain.
  case $2 in
    *[!0-9]*) ;;
    *)
      case $found in
        "$2":*) ;;
        *) found= ;;
      esac
      ;;
  esac
  [ -z "$found" ] || printf '%s\n' "$found"
}
