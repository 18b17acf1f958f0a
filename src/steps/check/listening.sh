#!/bin/sh
# Shared by what reads the tables of sockets in /proc/net.

# Addresses in them are words of the processor.
print_byte_order() {
  order=little
  [ ! -r /sys/kernel/cpu_byteorder ] || read -r order </sys/kernel/cpu_byteorder
  printf 'order\t%s\n' "$order"
}

# Calls `listens` for a UDP socket without a peer (07). The arguments are the fields of /proc/net/udp.
unconnected() { [ "$4" != 07 ] || listens "$2"; }

# Calls `listens` with every local address, as the kernel writes it, that listens for protocol $1 (tcp or udp).
# Exit 69: no /proc/net.
find_listening() {
  found=
  for table in "/proc/net/$1" "/proc/net/${1}6"; do
    [ -r "$table" ] || continue
    found=1
    if [ "$1" = udp ]; then
      # At once: bash goes back in the file after each line, and there may be thousands.
      sockets=$(cat "$table")
      IFS='
'
      for socket in $sockets; do
        unset IFS
        # shellcheck disable=SC2086 # fields
        unconnected $socket
      done
      unset IFS
      continue
    fi
    while read -r _ local _ state _; do
      case $local in
        local_address) continue ;;
      esac
      # Listening TCP sockets come first: a busy server's thousands of connections need not be read.
      [ "$state" = 0A ] || break
      listens "$local"
    done <"$table"
  done
  [ -n "$found" ] || {
    echo "/proc/net/$1 is not readable" >&2
    exit 69
  }
}
