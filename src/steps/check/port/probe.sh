#!/bin/sh
# Prints the sockets that listen on port $2 (four hex digits) for protocol $1 (tcp or udp), as the kernel writes
# them. Exit 69: no /proc/net.
set -eu
. ../listening.sh

port=$2
listens() {
  case $1 in
    *":$port") printf 'socket\t%s\n' "${1%:*}" ;;
  esac
}
print_byte_order
find_listening "$1"
