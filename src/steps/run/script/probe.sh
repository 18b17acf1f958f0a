#!/bin/sh
# Runs the script text $2 with the interpreter $1; the rest are its arguments. Ends with the status of the script.
set -u
shell=$1
script=$2
shift 2
# The text goes through a pipe: one argument of a program may not be longer than 128 KiB, and a script that
# reads its standard input must not read itself.
printf '%s\n' "$script" | "$shell" /dev/fd/3 "$@" 3<&0 </dev/null
exit $?
