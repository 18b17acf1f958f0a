#!/bin/sh
# Runs the script text $2 with the shell $1; what follows $3 are its "$1"…. Ends with the status of the script text.
# $3 is `secret` when one of them is. Everybody on a machine can read the arguments of a process, so a shell gets
# its own through a pipe; other programs have to take them as they come, and get no secret.
set -u
shell=$1
text=$2
kind=$3
shift 3
name=${shell##*/}
case $name in
  sh | ash | dash | bash | ksh* | mksh | yash | zsh) ;;
  *)
    [ "$kind" = secret ] && {
      echo "only a POSIX shell can be handed a secret out of sight, not $name" >&2
      exit 126
    }
    # Through a pipe: one argument may not be longer than 128 KiB, and a script must not read itself.
    printf '%s\n' "$text" | "$shell" /dev/fd/3 "$@" 3<&0 </dev/null
    exit $?
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
printf '%s\n' "set --$words; $text" | "$shell" /dev/fd/3 3<&0 </dev/null
exit $?
