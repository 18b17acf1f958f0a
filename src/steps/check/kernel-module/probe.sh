#!/bin/sh
# Prints whether module $1 (with _, not -) is loaded or part of the kernel. Exit 69: cannot tell.
set -eu

name=$1
if [ -r /proc/modules ]; then
  if line=$(grep "^$name " /proc/modules); then
    # Name, size, users, who uses it, state.
    printf 'loaded\t%s\n' "$line"
    exit 0
  fi
fi
if [ -d "/sys/module/$name" ]; then
  printf 'builtin\t\n'
  exit 0
fi
list=/lib/modules/$(uname -r)/modules.builtin
if [ -r "$list" ]; then
  while read -r path; do
    path=${path##*/}
    path=${path%.ko}
    # The list has names as files do.
    case $path in
      *-*) path=$(printf '%s' "$path" | tr - _) ;;
    esac
    if [ "$path" = "$name" ]; then
      printf 'builtin\t\n'
      exit 0
    fi
  done <"$list"
else
  printf 'it is not loaded, and nothing here lists what is part of the kernel (%s)\n' "$list" >&2
  exit 69
fi
printf 'absent\t\n'
