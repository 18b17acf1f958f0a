#!/bin/sh
# Prints the local file systems, their space and inodes, and what holds deleted files on those that are short of space.
# $1: local or network; $2: a path, or empty for all; short is a file system of which more than $3 / 10000 is used and
# less than $4 bytes are left, or that has less than $5 bytes left; the rest are patterns of mount points to leave out.
# Exit 69: the path does not exist.
set -eu
. ../mounts.sh
. ../patience.sh
# Mount points are data, never file name patterns.
set -f

scope=$1
path=$2
share=$3
amount=$4
floor=$5
shift 5
format='stat %b %f %a %S %c %d %n'

# Adds $1 to $short when what stat says about it, $3 and so on, is short.
short=
look() {
  # The kernel may say 2^64 - 1.
  case $3$4$5$6 in
    *[!0-9]* | '') return 0 ;;
  esac
  [ "${#3}" -lt 16 ] && [ "${#5}" -lt 16 ] || return 0
  used=$(($3 - $4))
  left=$(($5 * $6))
  if [ "$left" -lt "$floor" ] || { [ "$left" -lt "$amount" ] && [ $((used * 10000)) -gt $((share * (used + $5))) ]; }; then
    short="$short $1"
  fi
}

# Prints a line for each mount point in $short and each deleted file below it that is still open:
# "file DEVICE INODE LINKS BLOCKS BLOCK-SIZE NAME", and "program PID NAME". Only root sees the files of all.
find_deleted() {
  [ -n "$short" ] && [ -r /proc/1/fd ] && command -v grep >/dev/null && command -v timeout >/dev/null || return 0
  set +f
  # Reads the links alone, so no dead mount can hold it up.
  # shellcheck disable=SC2010 # the listing is what is wanted: links of all processes by one
  links=$(ls -ln /proc/[0-9]*/fd 2>/dev/null | grep -e '^/proc/' -e ' (deleted)$') || return 0
  set -f
  IFS='
'
  files=
  pids=
  pid=none
  count=0
  for line in $links; do
    case $line in
      /proc/*:)
        pid=${line#/proc/}
        pid=${pid%/fd:}
        continue
        ;;
    esac
    link=${line%% -> *}
    link=${link##* }
    # Names of files may hold line ends, and so look like anything.
    case $pid$link in
      *[!0-9]*) continue ;;
    esac
    IFS=' '
    for point in $short; do
      case ${line#* -> } in
        "${point%/}"/*)
          files="$files /proc/$pid/fd/$link"
          pids="$pids $pid"
          count=$((count + 1))
          break
          ;;
      esac
    done
    [ "$count" -lt 1000 ] || break
  done
  IFS=' '
  [ -n "$files" ] || return 0
  # shellcheck disable=SC2086 # names without white space, and no patterns
  timeout 5 stat -L -c 'file %d %i %h %b %B %n' -- $short $files 2>/dev/null || true
  last=
  for pid in $pids; do
    [ "$pid" != "$last" ] || continue
    last=$pid
    read -r name <"/proc/$pid/comm" && printf 'program %s %s\n' "$pid" "$name"
  done 2>/dev/null
}

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
  consider() {
    unescape_name "$point"
    # In a variable: bash 5.2 misreads "${name%/}"/ as a pattern.
    prefix=${name%/}/
    case ${folder%/}/ in
      "$prefix"*)
        # The longest mount point holds the path; of two on one place the later one is on top.
        [ "${#point}" -lt "${#best}" ] || {
          best=$point
          found="mount $device $type $options $super $point"
        }
        ;;
    esac
  }
  each_mount
  printf '%s\n' "${found-mount 0:0 unknown rw rw /}"
  # Without a name of its own, for the name may hold spaces.
  said=$(stat -f -c "${format% *}" -- "$path")
  printf '%s %s\n' "$said" "$path"
  # shellcheck disable=SC2086 # numbers
  case $best in
    '' | *\\*) ;;
    *) look "$best" $said ;;
  esac
  find_deleted
  exit 0
fi

seen=' '
fast=
slow=
quiet=
root=
# Takes up the mount of the variables. "$@": patterns of those to leave out.
take() {
  hangs=
  case $type in
    ext[234] | xfs | btrfs | vfat | f2fs | zfs | bcachefs) ;;
    overlay | aufs | fuse.fuse-overlayfs)
      # The root of a container. Elsewhere it is a container's root seen from its host: the same space again.
      [ "$point" = / ] || return 0
      ;;
    tmpfs)
      case $point in
        /dev | /dev/* | /run | /run/* | /sys/* | /proc/*) return 0 ;;
      esac
      ;;
    nfs | nfs4 | cifs | smb3 | smbfs | ceph | glusterfs | lustre | 9p | virtiofs | afs | ocfs2 | gfs2 | \
      fuse.sshfs | fuse.rclone | fuse.s3fs | fuse.glusterfs | fuse.ceph-fuse)
      [ "$scope" = network ] || return 0
      hangs=1
      ;;
    proc | sysfs | devtmpfs | devpts | cgroup | cgroup2 | securityfs | pstore | bpf | debugfs | tracefs | \
      configfs | mqueue | hugetlbfs | fusectl | autofs | binfmt_misc | rpc_pipefs | nsfs | efivarfs | \
      selinuxfs | ramfs | rootfs | squashfs | iso9660 | udf | erofs | cramfs | romfs | nfsd | sockfs | \
      fuse.gvfsd-fuse | fuse.portal | fuse.lxcfs | fuse.snapfuse | fuse.xdg-document-portal) return 0 ;;
    # A daemon answers for these, so they can hang like a network file system.
    *) hangs=1 ;;
  esac
  case $seen in
    *" $device "*) return 0 ;;
  esac
  for pattern in "$@"; do
    # shellcheck disable=SC2254 # a pattern is what the parameter means
    case $point in
      $pattern) return 0 ;;
    esac
  done
  case $point in
    *\\*) hangs=1 ;;
  esac
  if [ -n "$hangs" ]; then
    slow="$slow $point"
  else
    # A file that is mounted over a file, as containers do with /etc/hosts.
    [ -d "$point" ] || return 0
    fast="$fast $point"
    # What takes no writes is not judged.
    case ,$options,$super, in
      *,ro,*) quiet="$quiet $point " ;;
    esac
  fi
  seen="$seen$device "
  printf 'mount %s %s %s %s %s\n' "$device" "$type" "$options" "$super" "$point"
}

consider() {
  [ "$point" != / ] || root=1
  # Of several mounts of one device, one that takes writes stands for all: the others come later.
  case ,$options, in
    *,ro,*) late="$late$device $type $options $super $point
" ;;
    *) take "$@" ;;
  esac
}
late=
each_mount "$@"
while [ -n "$late" ]; do
  rest=${late%%
*}
  late=${late#*
}
  device=${rest%% *} rest=${rest#* }
  type=${rest%% *} rest=${rest#* }
  options=${rest%% *} rest=${rest#* }
  super=${rest%% *} point=${rest#* }
  take "$@"
done

# Inside a chroot mountinfo does not tell what the root is.
[ -n "$root" ] || {
  printf 'mount 0:0 unknown rw rw /\n'
  fast="$fast /"
}

# These answer from memory: one process for all.
# shellcheck disable=SC2086 # names without white space, and no patterns
[ -z "$fast" ] || said=$(stat -f -c "$format" -- $fast) || true
printf '%s\n' "${said-}"
# shellcheck disable=SC2086 # seven numbers and words a line
set -- ${said-}
while [ "$#" -ge 8 ]; do
  case $quiet in
    *" $8 "*) ;;
    *) look "$8" "$1" "$2" "$3" "$4" "$5" ;;
  esac
  shift 8
done

# The others may hang for ever, so each gets its own process and all of them five seconds.
waiting=
for point in $slow; do
  unescape_name "$point"
  shown=$point
  case $point in
    *%*) shown=$(printf '%s\n' "$point" | sed 's/%/%%/g') ;;
  esac
  stat -f -c "stat %b %f %a %S %c %d $shown" -- "$name" &
  waiting="$waiting $!:$point"
done
wait_for 5
for entry in $waiting; do
  kill -KILL "${entry%%:*}" 2>/dev/null || true
  printf 'hung %s\n' "${entry#*:}"
done
find_deleted
exit 0
