#!/bin/sh
# Runs the command text $2 with the shell $1; what follows $3 are its "$1"…. Ends with the status of the command text.
# $3 is `secret` when one of them is. Everybody on a machine can read the arguments of a process, so a shell then
# gets its own through a pipe; other programs get no secret.
set -u
shell=$1
text=$2
kind=$3
shift 3
if [ "$kind" != secret ]; then
  "$shell" -c "$text" "$shell" "$@"
  exit $?
fi
case ${shell##*/} in
  sh | ash | dash | bash | ksh* | mksh | yash | zsh) ;;
  *)
    echo "only a POSIX shell can be handed a secret out of sight, not ${shell##*/}" >&2
    exit 126
    ;;
esac

# Every argument in single quotes. The backslash stands in a variable: shells differ in how they read it below.
words='' escaped="'\\''"
for word in "$@"; do
  quoted=''
  while :; do
    case $word in
      *\'*)
        quoted=$quoted${word%%\'*}$escaped
        word=${word#*\'}
        ;;
      *) break ;;
    esac
  done
  words="$words '$quoted$word'"
done
# shellcheck disable=SC2016 # it is the other shell that reads its text
printf '%s\n' "exec 3<&-; set --$words; $text" | "$shell" -c 'eval "$(cat <&3)"' "$shell" 3<&0 </dev/null
exit $?
