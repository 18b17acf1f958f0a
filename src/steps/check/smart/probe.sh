#!/bin/sh
# Prints what smartctl says, as JSON, of each disk that it finds, or of each named one: "DEVICE" or "DEVICE TYPE".
# Exit 78: no disk that could have SMART; 77: not root.
set -eu

if [ $# -eq 0 ]; then
  found=
  for disk in /sys/block/sd* /sys/block/hd* /sys/block/nvme*; do
    # A container sees the disks of its host, and has no devices for them.
    [ ! -e "/dev/${disk##*/}" ] || found=1
  done
  # Disks behind some RAID controllers are no block devices: those have to be named.
  [ -n "$found" ] || {
    echo 'no SATA, SAS or NVMe disk here' >&2
    exit 78
  }
fi
command -v smartctl >/dev/null 2>&1 || {
  echo 'smartctl is not installed (package smartmontools)' >&2
  exit 127
}
[ "$(id -u)" -eq 0 ] || {
  echo 'smartctl needs root to ask a disk' >&2
  exit 77
}
look() {
  printf '== disk %s %s\n' "$1" "${2:--}"
  status=0
  if [ -n "${2-}" ]; then
    smartctl -j -i -H -A -l error -l selftest -d "$2" -- "$1" || status=$?
  else
    smartctl -j -i -H -A -l error -l selftest -- "$1" || status=$?
  fi
  # A bit mask that smartctl(8) explains; it stands in the JSON, too.
  printf '\n== status %s\n' "$status"
}
if [ $# -gt 0 ]; then
  for named in "$@"; do
    type=
    case $named in
      *' '*) type=${named#* } ;;
    esac
    look "${named%% *}" "$type"
  done
else
  # DEVICE -d TYPE # words; a line that starts with # is a device that cannot be opened.
  said=$(smartctl --scan-open) || {
    echo 'smartctl cannot look for disks' >&2
    exit 69
  }
  printf '%s\n' "$said" | while read -r device _ type rest; do
    case $device in
      '') ;;
      '#') printf '== closed %s %s\n' "$type" "$rest" ;;
      *) look "$device" "$type" ;;
    esac
  done
fi
echo '== end'
