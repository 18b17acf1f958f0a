#!/bin/sh
# Prints what stat says about file $1, its SHA-256 and its first MB, as asked. $2: follow or nofollow; the rest:
# any of clock, sha256, contents (last). Exit 69: cannot tell; 77: a folder or the file is closed to this user.
set -eu
. ../nearest-folder.sh

path=$1
follow=$2
shift 2

if [ ! -e "$path" ] && { [ "$follow" = follow ] || [ ! -L "$path" ]; }; then
  refuse_hidden "$path"
  target=
  [ ! -L "$path" ] || target=dangling
  printf 'absent\t%s\n' "$target"
  exit 0
fi
case $follow in
  follow) options=-L ;;
  *) options= ;;
esac
# shellcheck disable=SC2086 # an option or nothing
stat $options -c 'stat	%f %u %g %s %Y %U %G' -- "$path" || exit 69
for want in "$@"; do
  case $want in
    clock) printf 'now\t%s\n' "$(date +%s)" ;;
    *)
      if [ ! -f "$path" ]; then
        printf 'nofile\t%s\n' "$want"
        continue
      fi
      [ -r "$path" ] || {
        printf 'no permission to read %s\n' "$path" >&2
        exit 77
      }
      case $want in
        sha256)
          sum=$(sha256sum <"$path")
          printf 'sha256\t%s\n' "${sum%% *}"
          ;;
        contents)
          printf 'contents\t\n'
          head -c 1000001 <"$path"
          ;;
      esac
      ;;
  esac
done
