#!/bin/sh
# Prints the sockets that listen, as the kernel writes them. The arguments are the protocols: tcp, udp.
# Exit 69: no /proc/net.
set -eu

order=little
[ ! -r /sys/kernel/cpu_byteorder ] || read -r order </sys/kernel/cpu_byteorder
printf 'order\t%s\n' "$order"
for protocol in "$@"; do
  found=
  for table in "/proc/net/$protocol" "/proc/net/${protocol}6"; do
    [ -r "$table" ] || continue
    found=1
    while read -r _ local _ state _; do
      case $local in
        local_address) continue ;;
      esac
      # Listening TCP sockets come first: a busy server's thousands of connections need not be read.
      [ "$protocol" = udp ] || [ "$state" = 0A ] || break
      # 07 is a UDP socket without a peer.
      [ "$protocol" = tcp ] || [ "$state" = 07 ] || continue
      printf '%s\t%s\n' "$protocol" "$local"
    done <"$table"
  done
  [ -n "$found" ] || {
    echo "/proc/net/$protocol is not readable" >&2
    exit 69
  }
done
echo 'end	'
