#!/bin/sh
# Prints the entry of group $1. Exit 69: cannot tell.
set -eu
. ../entry.sh

found=$(entry group "$1")
if [ -n "$found" ]; then printf 'group\t%s\n' "$found"; else printf 'absent\t\n'; fi
