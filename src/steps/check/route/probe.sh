#!/bin/sh
# Prints the routes of the main table for IPv4 or IPv6 ($1: 4 or 6), as the kernel writes them. Exit 69: no /proc/net.
set -eu

command -v grep >/dev/null || exit 127
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
# The default route alone: a router has a million others, and bash goes back in the file after each line.
case $1 in
  4) default='^[^[:blank:]]+[[:blank:]]+00000000[[:blank:]]' ;;
  *) default='^0{32} 00 ' ;;
esac
routes=$(grep -E "$default" "$table") || [ "$?" -eq 1 ]
case $1:$routes in
  *:) ;;
  4:*)
    printf '%s\n' "$routes" | while read -r name _ gateway flags _ _ metric mask _; do
      [ "$mask" != 00000000 ] || found
    done
    ;;
  *) printf '%s\n' "$routes" | while read -r _ _ _ _ gateway metric _ _ flags name; do found; done ;;
esac
case $1 in
  6)
    # That list has the routes of all tables. Only the ip of iproute2 tells which are in the main one.
    if said=$(ip -j -6 route show table main default 2>/dev/null); then
      printf 'main\t%s\n' "${said:-[]}"
    fi
    ;;
esac
echo 'end	'
