#!/bin/sh
# Runs the command text $2 with the shell $1; the rest are its "$1"…. Ends with the status of the command.
set -u
shell=$1
command=$2
shift 2
"$shell" -c "$command" "$shell" "$@"
exit $?
