#!/bin/sh
# Prints the volume groups and the logical volumes as LVM's own JSON. $1: yes when some are expected.
# Exit 78: no LVM here, and none expected; 77: not root; 69: LVM does not answer.
set -eu

mapper=no
while read -r _ name; do
  [ "$name" != device-mapper ] || mapper=yes
done </proc/misc
# A container sees the volumes of its host, and cannot use them: it has no such device.
used=no
for uuid in /sys/block/dm-*/dm/uuid; do
  if [ ! -r "$uuid" ] || [ ! -e /dev/mapper/control ]; then continue; fi
  read -r said <"$uuid" || continue
  case $said in LVM-*) used=yes ;; esac
done
if ! command -v vgs >/dev/null 2>&1; then
  [ "$1$used" != nono ] || {
    echo 'no LVM: neither its tools nor a volume of it' >&2
    exit 78
  }
  echo 'vgs is not installed (package lvm2)' >&2
  exit 127
fi
# To others LVM says that there are no groups.
[ "$(id -u)" -eq 0 ] || {
  echo 'LVM answers only root' >&2
  exit 77
}
export LVM_SUPPRESS_FD_WARNINGS=1
report() {
  status=0
  said=$("$@") || status=$?
  # 5 comes with an answer when a disk is missing; an answer without any object is none.
  case $status:$said in
    0:*report* | 5:*'":"'*) printf '%s\n' "$said" ;;
    *)
      printf '%s ended with status %s\n' "$1" "$status" >&2
      exit 69
      ;;
  esac
}
printf '{"mapper":"%s","used":"%s"}\n== groups\n' "$mapper" "$used"
report vgs --reportformat json --units b --nosuffix -o vg_name,vg_attr,vg_size,vg_free,vg_missing_pv_count
echo '== volumes'
report lvs --reportformat json --units b --nosuffix \
  -o vg_name,lv_name,segtype,lv_attr,lv_active,data_percent,metadata_percent,sync_percent,lv_health_status
echo '== end'
