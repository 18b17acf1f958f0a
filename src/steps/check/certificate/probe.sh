#!/bin/sh
# Prints the certificates in the PEM files that match the patterns in the arguments; never a key. Exit 69: cannot tell;
# 77: a file or its folder is closed to this user.
set -eu

command -v sed >/dev/null || exit 127
for pattern in "$@"; do
  matched=
  # A name with spaces is one name.
  IFS=
  for file in $pattern; do
    [ -e "$file" ] || continue
    matched=1
    [ ! -d "$file" ] || continue
    [ -r "$file" ] || {
      printf 'no permission to read %s\n' "$file" >&2
      exit 77
    }
    printf 'file %s\n' "$file"
    # Only these lines: the same file may hold the key.
    sed -n '/^-----BEGIN \(X509 \|TRUSTED \)\{0,1\}CERTIFICATE-----/,/^-----END \(X509 \|TRUSTED \)\{0,1\}CERTIFICATE-----/p' <"$file"
  done
  unset IFS
  [ -z "$matched" ] || continue
  # Nothing there, or only out of sight? That depends on the nearest folder whose name is no pattern.
  folder=${pattern%%[*?[]*}
  folder=${folder%/*}
  while [ -n "$folder" ] && [ ! -d "$folder" ]; do
    folder=${folder%/*}
  done
  if [ ! -x "${folder:-/}" ] || [ ! -r "${folder:-/}" ]; then
    printf 'no permission to look into %s\n' "${folder:-/}" >&2
    exit 77
  fi
  printf 'missing %s\n' "$pattern"
done
echo end
