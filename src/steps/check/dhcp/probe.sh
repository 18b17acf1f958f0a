#!/bin/sh
# Prints the leases of a DHCP server and the ranges of its configuration, both without names of clients.
# $1: dnsmasq, isc, kea, or nothing to find out; $2: lease file, $3: configuration, each empty for the usual places.
# Exit 78: no DHCP server; 69: no leases; 77: closed to this user.
set -eu

server=$1
file=$2
config=$3

# Where leases may be. A folder that is closed to this user may hold some.
look() {
  looked=$1
  shift
  for place in "$@"; do
    folder=${place%/*}
    if [ -d "$folder" ] && [ ! -x "$folder" ]; then closed=$folder; fi
    [ -e "$place" ] || continue
    server=$looked
    file=$place
    return 0
  done
  return 1
}

closed=
if [ -z "$file" ]; then
  case $server in
    '' | kea) look kea /var/lib/kea/kea-leases4.csv || : ;;
  esac
  case $server$file in
    '' | isc) look isc /var/lib/dhcp/dhcpd.leases /var/lib/dhcpd/dhcpd.leases || : ;;
  esac
  case $server$file in
    '' | dnsmasq) look dnsmasq /var/lib/misc/dnsmasq.leases /var/lib/dnsmasq/dnsmasq.leases /tmp/dhcp.leases || : ;;
  esac
fi
[ -n "$file" ] || {
  if [ -n "$closed" ]; then
    printf 'no permission to look into %s\n' "$closed" >&2
    exit 77
  fi
  if [ -n "$server" ]; then
    printf 'no lease file of %s in the usual places\n' "$server" >&2
    exit 69
  fi
  echo 'no lease file of dnsmasq, ISC dhcpd or Kea in the usual places' >&2
  exit 78
}
folder=${file%/*}
if [ -d "$folder" ] && [ ! -x "$folder" ]; then
  printf 'no permission to look into %s\n' "$folder" >&2
  exit 77
fi
[ -e "$file" ] || {
  printf '%s does not exist\n' "$file" >&2
  exit 69
}
[ -r "$file" ] || {
  printf 'no permission to read %s\n' "$file" >&2
  exit 77
}
printf 'server\t%s\nnow\t%s\nfile\t%s\n' "$server" "$(date +%s)" "$file"

echo '== ranges'
if [ -n "$config" ]; then
  set -- "$config"
else
  case $server in
    dnsmasq) set -- /etc/dnsmasq.conf /etc/dnsmasq.d/*.conf /etc/dnsmasq.d/* ;;
    isc) set -- /etc/dhcp/dhcpd.conf /etc/dhcpd.conf ;;
    kea) set -- /etc/kea/kea-dhcp4.conf ;;
  esac
fi
# Only what matches: a line may hold a password, too.
for place in "$@"; do
  if [ -f "$place" ] && [ -r "$place" ]; then
    case $server in
      dnsmasq) grep -E '^[[:space:]]*dhcp-range[[:space:]]*=' <"$place" ;;
      isc) sed 's/#.*//' <"$place" | grep -oE '(^|[[:space:]{;])range[[:space:]][^;]*;' ;;
      kea)
        sed -e 's/^[[:space:]]*#.*//' -e 's/[[:space:]]#.*//' -e 's/^[[:space:]]*\/\/.*//' -e 's/[[:space:]]\/\/.*//' <"$place" |
          grep -oE '"pool"[[:space:]]*:[[:space:]]*"[^"]*"'
        ;;
    esac || :
  fi
done | sort -u

echo '== leases'
status=0
case $server in
  dnsmasq) sed -n 's/^\([0-9]*\) [^ ]* \([0-9.]*\) .*/\1 \2/p' <"$file" || status=$? ;;
  isc) grep -E '^lease |^  (ends|binding state) ' <"$file" || status=$? ;;
  kea)
    # While Kea cleans up, earlier lines are in files beside it.
    for place in "$file.completed" "$file.2" "$file.1" "$file"; do
      [ -e "$place" ] || continue
      cut -d, -f 1,4,5,10 <"$place" || status=$?
    done
    ;;
esac
# grep says 1 when there is no lease.
[ "$status" -lt 2 ] || exit 69
echo '== end'
