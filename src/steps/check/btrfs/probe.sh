#!/bin/sh
# Prints, for every Btrfs file system that is mounted, what the btrfs tool says of its errors, its space and its last
# scrub. "$@": mount points to look at, as mountinfo writes them; none means all. Exit 78: none is mounted, and none is
# expected; 77: not root; 69: the tool does not answer.
set -eu
# Mount points are data, never file name patterns.
set -f

[ -r /proc/self/mountinfo ] || {
  echo '/proc/self/mountinfo is not readable' >&2
  exit 69
}
seen=' '
points=
while read -r _ _ _ _ point _ rest; do
  rest=${rest#*- }
  [ "${rest%% *}" = btrfs ] || continue
  if [ $# -gt 0 ]; then
    for path in "$@"; do
      [ "$path" != "$point" ] || break
    done
    [ "$path" = "$point" ] || continue
  else
    # Subvolumes are mounts of one source: the first mount stands for all.
    rest=${rest#* }
    case $seen in
      *" ${rest%% *} "*) continue ;;
    esac
    seen="$seen${rest%% *} "
  fi
  points="$points $point"
done </proc/self/mountinfo
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
  name=$point
  # The kernel writes white space and backslash as octal.
  case $point in
    *\\*) name=$(printf '%b.' "$point") name=${name%.} ;;
  esac
  printf '== mount %s\n' "$point"
  btrfs device stats -- "$name" || exit 69
  echo '== usage'
  btrfs filesystem usage -b -- "$name" || exit 69
  echo '== scrub'
  # Times are printed in the zone of the caller. It fails where there never was a scrub.
  TZ=UTC btrfs scrub status -R -- "$name" || true
done
echo '== end'
