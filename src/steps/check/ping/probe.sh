#!/bin/sh
# Prints what ping says of $2 requests to $1, a second apart. Exit 69: it could not ask, 77: it may not.
set -eu

command -v ping >/dev/null 2>&1 || {
  echo 'ping is not installed' >&2
  exit 127
}
said=$(ping -n -q -c "$2" -W 2 "$1" 2>&1) || :
case $said in
*'packets transmitted'* | *'etwork is unreachable'* | *'etwork unreachable'*)
  printf '%s\n' "$said"
  ;;
*[Pp]'ermission denied'* | *'not permitted'*)
  printf '%s\n' "$said" >&2
  exit 77
  ;;
*)
  printf '%s\n' "$said" >&2
  exit 69
  ;;
esac
