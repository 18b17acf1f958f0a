#!/bin/sh
# Boots one host of a lab and boots it again whenever it reboots: host.sh FOLDER LAB NAME ADDRESS
# Runs below supervisor.sh. FOLDER/seed/all and FOLDER/seed/NAME are copied over the shared root before the first boot.
set -eu

folder=$1 lab=$2 name=$3 address=$4
home=$folder/hosts/$name

mkdir -p "$home/upper" "$home/work" "$home/root"
mount -t overlay -o "lowerdir=$folder/base,upperdir=$home/upper,workdir=$home/work" overlay "$home/root"
cp -a "$folder/seed/all/." "$folder/seed/$name/." "$home/root"

ip netns add "$name"
ip link add "veth-$name" type veth peer name host0 netns "$name"
ip link set "veth-$name" master lab0 up
ip -n "$name" link set lo up
ip -n "$name" address add "$address/16" dev host0
ip -n "$name" link set host0 up

# Without a control group of its own, the systemd of one host would take the services of another for its own.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ -e "$hierarchy/cgroup.procs" ] || continue
  mkdir -p "$hierarchy/$lab/$name"
  echo 0 >"$hierarchy/$lab/$name/cgroup.procs"
done

# systemd-nspawn ends with 133 when the host asked for a reboot. FOLDER/hosts/NAME/stay-down keeps it away.
while :; do
  status=0
  systemd-nspawn --quiet --register=no --keep-unit --network-namespace-path="/run/netns/$name" \
    --capability=CAP_NET_ADMIN --hostname="$name" --machine="$lab-$name" --directory="$home/root" --boot \
    </dev/null >>"$folder/$name.boot.log" 2>&1 || status=$?
  [ "$status" -eq 133 ] || exit "$status"
  while [ -e "$home/stay-down" ]; do sleep 0.2; done
done
