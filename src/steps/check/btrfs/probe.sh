#!/bin/sh
# Prints, for every Btrfs file system that is mounted, what the btrfs tool says of its errors, its space and its last
# scrub. "$@": mount points to look at, as mountinfo writes them; none means all. Exit 78: none is mounted, and none is
# expected; 77: not root; 69: the tool does not answer.
set -eu
. ../mounts.sh
# Mount points are data, never file name patterns.
set -f

consider() {
  [ "$type" = btrfs ] || return 0
  if [ $# -gt 0 ]; then
    for path in "$@"; do
      [ "$path" != "$point" ] || break
    done
    [ "$path" = "$point" ] || return 0
  else
    # Subvolumes are mounts of one source: the first mount stands for all.
    case $seen in
      *" $source "*) return 0 ;;
    esac
    seen="$seen$source "
  fi
  points="$points $point"
}
seen=' '
points=
each_mount "$@"
if [ -z "$points" ] && [ $# -gt 0 ]; then
  echo '== end'
  exit 0
fi
[ -n "$points" ] || {
  echo 'no Btrfs is mounted' >&2
  exit 78
}
command -v btrfs >/dev/null 2>&1 || {
  echo 'btrfs is not installed (package btrfs-progs)' >&2
  exit 127
}
[ "$(id -u)" -eq 0 ] || {
  echo 'the btrfs tool tells only root about devices and space' >&2
  exit 77
}
printf 'now %s\n' "$(date +%s)"
for point in $points; do
  unescape_name "$point"
  printf '== mount %s\n' "$point"
  btrfs device stats -- "$name" || exit 69
  echo '== usage'
  btrfs filesystem usage -b -- "$name" || exit 69
  echo '== scrub'
  # Times are printed in the zone of the caller. It fails where there never was a scrub.
  TZ=UTC btrfs scrub status -R -- "$name" || true
done
echo '== end'
