#!/bin/sh
# Prints the sockets that listen, as the kernel writes them. The arguments are the protocols: tcp, udp.
# Exit 69: no /proc/net.
set -eu
. ../listening.sh

listens() { printf '%s\t%s\n' "$protocol" "$1"; }
print_byte_order
for protocol in "$@"; do find_listening "$protocol"; done
echo 'end	'
