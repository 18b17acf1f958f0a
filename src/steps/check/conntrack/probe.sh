#!/bin/sh
# Prints how many connections the packet filter tracks and how many it can. Exit 78: it tracks none.
set -eu

folder=/proc/sys/net/netfilter
if [ ! -e $folder/nf_conntrack_count ] || [ ! -e $folder/nf_conntrack_max ]; then
  echo 'connections are not tracked' >&2
  exit 78
fi
said=$(cat $folder/nf_conntrack_count $folder/nf_conntrack_max) || exit 77
printf 'count\t%s\nmax\t%s\n' "${said%%
*}" "${said#*
}"
