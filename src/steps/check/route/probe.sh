#!/bin/sh
# Prints the routes of the main table for IPv4 or IPv6 ($1: 4 or 6), as the kernel writes them. Exit 69: no /proc/net.
set -eu

order=little
[ ! -r /sys/kernel/cpu_byteorder ] || read -r order </sys/kernel/cpu_byteorder
printf 'order\t%s\n' "$order"
case $1 in
  4) table=/proc/net/route ;;
  *) table=/proc/net/ipv6_route ;;
esac
[ -r "$table" ] || {
  printf '%s is not readable\n' "$table" >&2
  exit 69
}
# What the kernel says of the link below a route: it keeps a route whose cable is gone.
found() {
  printf 'route\t%s %s %s %s\n' "$name" "$gateway" "$flags" "$metric"
  { read -r link <"/sys/class/net/$name/operstate"; } 2>/dev/null || return 0
  printf 'link\t%s %s\n' "$name" "$link"
}
# The default route alone: a router has a million others.
case $1 in
  4)
    while read -r name destination gateway flags _ _ metric mask _; do
      case $destination$mask in
        0000000000000000) found ;;
      esac
    done <"$table"
    ;;
  *)
    while read -r destination length _ _ gateway metric _ _ flags name; do
      case $destination$length in
        0000000000000000000000000000000000) found ;;
      esac
    done <"$table"
    # That list has the routes of all tables. Only the ip of iproute2 tells which are in the main one.
    if said=$(ip -j -6 route show table main default 2>/dev/null); then
      printf 'main\t%s\n' "${said:-[]}"
    fi
    ;;
esac
echo 'end	'
