#!/bin/sh
# Prints the local file systems and their space and inodes. $1: local or network; $2: a path, or empty for all;
# the rest are patterns of mount points to leave out. Exit 69: the path does not exist.
set -eu
# Mount points are data, never file name patterns.
set -f

scope=$1
path=$2
shift 2
format='stat %b %f %a %S %c %d %n'

# What mountinfo says about one mount is printed as "mount DEVICE TYPE OPTIONS SUPER-OPTIONS POINT". The kernel
# escapes white space in names; they are printed as they are.
if [ -n "$path" ]; then
  [ -e "$path" ] || {
    printf '%s does not exist\n' "$path" >&2
    exit 69
  }
  folder=$path
  [ -d "$path" ] || folder=${path%/*}/
  folder=$(cd -P -- "$folder" && pwd)
  best=
  while read -r _ _ device _ point options rest; do
    rest=${rest#*- }
    type=${rest%% *}
    super=${rest##* }
    # In a variable: bash 5.2 misreads "${point%/}"/ as a pattern.
    prefix=${point%/}/
    case ${folder%/}/ in
      "$prefix"*)
        # The longest mount point holds the path; of two on one place the later one is on top.
        [ "${#point}" -lt "${#best}" ] || {
          best=$point
          found="mount $device $type $options $super $point"
        }
        ;;
    esac
  done </proc/self/mountinfo
  printf '%s\n' "${found-mount 0:0 unknown rw rw /}"
  stat -f -c "$format" -- "$path"
  exit 0
fi

[ -r /proc/self/mountinfo ] || {
  echo '/proc/self/mountinfo is not readable' >&2
  exit 69
}
seen=' '
fast=
slow=
root=
while read -r _ _ device _ point options rest; do
  # Optional fields stand before " - ".
  rest=${rest#*- }
  type=${rest%% *}
  super=${rest##* }
  [ "$point" != / ] || root=1
  hangs=
  case $type in
    ext[234] | xfs | btrfs | vfat | f2fs | zfs | bcachefs) ;;
    overlay | aufs)
      # The root of a container. Elsewhere it is a container's root seen from its host: the same space again.
      [ "$point" = / ] || continue
      ;;
    tmpfs)
      case $point in
        /dev | /dev/* | /run | /run/* | /sys/* | /proc/*) continue ;;
      esac
      ;;
    nfs | nfs4 | cifs | smb3 | smbfs | ceph | glusterfs | lustre | 9p | virtiofs | afs | ocfs2 | gfs2 | \
      fuse.sshfs | fuse.rclone | fuse.s3fs | fuse.glusterfs | fuse.ceph-fuse)
      [ "$scope" = network ] || continue
      hangs=1
      ;;
    proc | sysfs | devtmpfs | devpts | cgroup | cgroup2 | securityfs | pstore | bpf | debugfs | tracefs | \
      configfs | mqueue | hugetlbfs | fusectl | autofs | binfmt_misc | rpc_pipefs | nsfs | efivarfs | \
      selinuxfs | ramfs | rootfs | squashfs | iso9660 | udf | erofs | cramfs | romfs | nfsd | sockfs | \
      fuse.gvfsd-fuse | fuse.portal | fuse.lxcfs | fuse.snapfuse | fuse.xdg-document-portal) continue ;;
    # A daemon answers for these, so they can hang like a network file system.
    *) hangs=1 ;;
  esac
  case $seen in
    *" $device "*) continue ;;
  esac
  for pattern in "$@"; do
    # shellcheck disable=SC2254 # a pattern is what the parameter means
    case $point in
      $pattern) continue 2 ;;
    esac
  done
  case $point in
    *\\*) hangs=1 ;;
  esac
  if [ -n "$hangs" ]; then
    slow="$slow $point"
  else
    # A file that is mounted over a file, as containers do with /etc/hosts.
    [ -d "$point" ] || continue
    fast="$fast $point"
  fi
  seen="$seen$device "
  printf 'mount %s %s %s %s %s\n' "$device" "$type" "$options" "$super" "$point"
done </proc/self/mountinfo

# Inside a chroot mountinfo does not tell what the root is.
[ -n "$root" ] || {
  printf 'mount 0:0 unknown rw rw /\n'
  fast="$fast /"
}

# These answer from memory: one process for all.
# shellcheck disable=SC2086 # names without white space, and no patterns
[ -z "$fast" ] || stat -f -c "$format" -- $fast || true

# The others may hang for ever, so each gets its own process and all of them five seconds.
waiting=
for point in $slow; do
  name=$point
  case $point in
    *\\*) name=$(printf '%b.' "$point") name=${name%.} ;;
  esac
  stat -f -c "stat %b %f %a %S %c %d $point" -- "$name" &
  waiting="$waiting $!:$point"
done
rounds=0
while [ -n "$waiting" ]; do
  alive=
  for entry in $waiting; do
    line='0 () Z'
    { read -r line <"/proc/${entry%%:*}/stat"; } 2>/dev/null || line='0 () Z'
    # A finished child that nobody has waited for is a zombie.
    case ${line##*) } in
      Z* | X*) ;;
      *) alive="$alive $entry" ;;
    esac
  done
  waiting=$alive
  [ -n "$waiting" ] || break
  if [ "$rounds" -ge 50 ]; then
    for entry in $waiting; do
      kill -KILL "${entry%%:*}" 2>/dev/null || true
      printf 'hung %s\n' "${entry#*:}"
    done
    break
  fi
  rounds=$((rounds + 1))
  sleep 0.1 2>/dev/null || {
    sleep 1
    rounds=$((rounds + 9))
  }
done
exit 0
