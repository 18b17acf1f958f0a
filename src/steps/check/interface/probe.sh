#!/bin/sh
# Prints what the kernel says about network interface $1, and its addresses when $2 is addresses.
# Exit 69: no /sys/class/net.
set -eu

[ -d /sys/class/net ] || {
  echo '/sys/class/net is not there' >&2
  exit 69
}
folder=/sys/class/net/$1
[ -d "$folder" ] || {
  printf 'absent\t\n'
  exit 0
}
# An interface that is down refuses some of them.
for name in operstate flags mtu speed statistics/rx_packets statistics/tx_packets statistics/rx_errors \
  statistics/tx_errors statistics/rx_dropped statistics/tx_dropped; do
  value=
  { read -r value <"$folder/$name"; } 2>/dev/null || continue
  printf '%s\t%s\n' "${name#*/}" "$value"
done
[ "$2" = addresses ] || exit 0
command -v ip >/dev/null || exit 127
said=$(ip -o addr show dev "$1") || exit 69
printf '%s\n' "$said" | while read -r _ _ family address rest; do
  case $family:$rest in
    inet6:*' dadfailed '*) printf 'duplicate\t%s\n' "$address" ;;
    inet:* | inet6:*) printf 'address\t%s\n' "$address" ;;
  esac
done
