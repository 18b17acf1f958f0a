#!/bin/sh
# Shared by what looks at files by their paths.

# Sets `folder` to the nearest folder above path $1 that can be seen.
nearest_folder() {
  folder=$1
  while [ -n "$folder" ] && [ ! -d "$folder" ]; do
    folder=${folder%/*}
  done
  folder=${folder:-/}
}

# What cannot be seen is not there, or only out of sight: that depends on the nearest folder that can be. Exit 77.
refuse_hidden() {
  nearest_folder "$1"
  [ -x "$folder" ] || {
    printf 'no permission to look into %s\n' "$folder" >&2
    exit 77
  }
}
