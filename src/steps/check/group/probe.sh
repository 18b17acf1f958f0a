#!/bin/sh
# Prints the entry of group $1. Exit 69: cannot tell.
set -eu

if command -v getent >/dev/null 2>&1; then
  status=0
  found=$(getent group "$1") || status=$?
  case $status in
    0 | 2) ;;
    *)
      printf 'getent group ended with status %s\n' "$status" >&2
      exit 69
      ;;
  esac
else
  found=
  while IFS= read -r line; do
    case $line in
      "$1":*)
        found=$line
        break
        ;;
    esac
  done </etc/group || exit 69
  if [ -z "$found" ] && grep -Eq '^group:.*(sss|ldap|winbind|nis)' /etc/nsswitch.conf 2>/dev/null; then
    echo 'getent is not installed, and not all is in /etc/group' >&2
    exit 127
  fi
fi
# A number finds the entry with that id, which is another name.
case $found in
  "$1":*) printf 'group\t%s\n' "$found" ;;
  *) printf 'absent\t\n' ;;
esac
