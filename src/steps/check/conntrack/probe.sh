#!/bin/sh
# Prints how many connections the packet filter tracks and how many it can. Exit 78: it tracks none; 69: it does not say
# how many it can.
set -eu

folder=/proc/sys/net/netfilter
[ -e $folder/nf_conntrack_count ] || {
  echo 'connections are not tracked' >&2
  exit 78
}
[ -e $folder/nf_conntrack_max ] || {
  echo 'the kernel does not show a container how many connections it can track' >&2
  exit 69
}
said=$(cat $folder/nf_conntrack_count $folder/nf_conntrack_max) || exit 77
printf 'count\t%s\nmax\t%s\n' "${said%%
*}" "${said#*
}"
