#!/bin/sh
# Runs the script text $2 with the shell $1; what follows $3 are its "$1"…. Ends with the status of the script text.
# $3 is `secret` when one of them is.
set -u
. ../../shell-words.sh
shell=$1
text=$2
kind=$3
shift 3
if is_posix_shell "$shell"; then
  printf '%s\n' "set --$(quoted_words "$@"); $text" | "$shell" /dev/fd/3 3<&0 </dev/null
else
  [ "$kind" != secret ] || refuse_secret "$shell"
  # Through a pipe: one argument may not be longer than 128 KiB, and a script must not read itself.
  printf '%s\n' "$text" | "$shell" /dev/fd/3 "$@" 3<&0 </dev/null
fi
exit $?
