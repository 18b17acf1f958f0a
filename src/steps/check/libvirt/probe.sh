#!/bin/sh
# Prints the domains of the hypervisor at $1: the names of those that start with the host, then the state of each.
# Exit 69: the hypervisor does not answer; 77: it does not let this user look.
set -eu

command -v virsh >/dev/null || {
  echo 'virsh is not installed' >&2
  exit 127
}
# The answer of virsh, or the end. Its last line tells why.
ask() {
  said=$(virsh -q -r -c "$@" 2>&1) && return 0
  printf '%s\n' "${said##*
}" >&2
  case $said in
    *'ermission denied'* | *'access denied'* | *'uthentication'*) exit 77 ;;
  esac
  exit 69
}
ask "$1" list --all --name --autostart
printf '== autostart\n%s\n' "$said"
ask "$1" domstats --state
printf '== state\n%s\n== end\n' "$said"
