#!/bin/sh
# Shared by what reads the tables of sockets in /proc/net.

# Addresses in them are words of the processor.
print_byte_order() {
  order=little
  [ ! -r /sys/kernel/cpu_byteorder ] || read -r order </sys/kernel/cpu_byteorder
  printf 'order\t%s\n' "$order"
}

# Calls `listens` with every local address, as the kernel writes it, that listens for protocol $1 (tcp or udp).
# Exit 69: no /proc/net.
find_listening() {
  found=
  for table in "/proc/net/$1" "/proc/net/${1}6"; do
    [ -r "$table" ] || continue
    found=1
    while read -r _ local _ state _; do
      case $local in
        local_address) continue ;;
      esac
      # Listening TCP sockets come first: a busy server's thousands of connections need not be read.
      [ "$1" = udp ] || [ "$state" = 0A ] || break
      # 07 is a UDP socket without a peer.
      [ "$1" = tcp ] || [ "$state" = 07 ] || continue
      listens "$local"
    done <"$table"
  done
  [ -n "$found" ] || {
    echo "/proc/net/$1 is not readable" >&2
    exit 69
  }
}
