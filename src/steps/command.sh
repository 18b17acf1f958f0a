#!/bin/sh
# Runs the command text $2 with the shell $1; what follows $3 are its "$1"…. Ends with the status of the command text.
# $3 is `secret` when one of them is.
set -u
. ./shell-words.sh
shell=$1
text=$2
kind=$3
shift 3
if [ "$kind" != secret ]; then
  "$shell" -c "$text" "$shell" "$@"
  exit $?
fi
is_posix_shell "$shell" || refuse_secret "$shell"
# shellcheck disable=SC2016 # it is the other shell that reads its text
printf '%s\n' "exec 3<&-; set --$(quoted_words "$@"); $text" | "$shell" -c 'eval "$(cat <&3)"' "$shell" 3<&0 </dev/null
exit $?
