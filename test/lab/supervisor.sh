#!/bin/sh
# First process of a lab, in pid, mount and network namespaces of its own: supervisor.sh FOLDER LAB NAME=ADDRESS...
# Prints "ready" when every host has been started and ends when stdin is closed. With it ends the pid namespace, and
# the kernel takes away every process, mount and network device of the lab, also after a kill -9 of the caller.
set -eu

folder=$1 lab=$2
shift 2
here=$(dirname "$(readlink -f "$0")")

mount -t tmpfs -o mode=0755 lab "$folder/hosts"
mkdir -p /run/netns
mount -t tmpfs -o mode=0755 netns /run/netns

ip link set lo up
ip link add lab0 type bridge
ip address add 10.77.0.1/16 dev lab0
ip link set lab0 up

for host in "$@"; do
  sh "$here/host.sh" "$folder" "$lab" "${host%%=*}" "${host#*=}" </dev/null &
done

echo ready
cat >/dev/null
