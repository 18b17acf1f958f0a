#!/bin/sh
# Shared by what looks for processes in /proc.

# Whether the process of folder $1 is one of a container: what runs in one has a second process id.
is_contained() {
  grep -q '^NSpid:.*[0-9][[:blank:]][[:blank:]]*[0-9]' "$1/status" 2>/dev/null
}

# Whether this check started process $1: that is known by its parents.
is_own() {
  parent=$1
  while [ "$parent" -gt 1 ] && [ "$parent" -ne "$$" ]; do
    child=$parent
    parent=0
    while read -r key value; do
      if [ "$key" = PPid: ]; then
        parent=$value
        break
      fi
    done 2>/dev/null <"/proc/$child/status" || true
  done
  [ "$parent" -eq "$$" ]
}
