#!/bin/sh
# Prints the swap in kB and, when some is in use, the pages that came back from it, twice, a second apart.
# Exit 78: there is no swap; 69: cannot tell.
set -eu

[ -r /proc/meminfo ] || {
  echo '/proc/meminfo is not readable' >&2
  exit 69
}
total=
free=
while read -r key value _; do
  case $key in
    SwapTotal:) total=$value ;;
    SwapFree:)
      free=$value
      break
      ;;
  esac
done </proc/meminfo
if [ -z "$total" ] || [ -z "$free" ]; then
  echo '/proc/meminfo does not tell the swap' >&2
  exit 69
fi
[ "$total" -ne 0 ] || {
  echo 'there is no swap' >&2
  exit 78
}
printf 'total\t%s\nfree\t%s\n' "$total" "$free"
[ "$total" -ne "$free" ] || exit 0
before=$(grep '^pswpin ' /proc/vmstat) || exit 0
sleep 1
after=$(grep '^pswpin ' /proc/vmstat) || exit 0
printf 'before\t%s\nafter\t%s\n' "${before#* }" "${after#* }"
