#!/bin/sh
# Prints whether SELinux enforces its policy now, and what it does after the next start. Exit 78: no SELinux here.
set -eu

configured=
policy=
if [ -r /etc/selinux/config ]; then
  while IFS='= 	' read -r key value _; do
    case $key in
      SELINUX) configured=$value ;;
      SELINUXTYPE) policy=$value ;;
    esac
  done </etc/selinux/config
fi
mode=
if [ -e /sys/fs/selinux/enforce ]; then
  { read -r mode </sys/fs/selinux/enforce; } 2>/dev/null || [ -n "$mode" ] || {
    echo '/sys/fs/selinux/enforce is not readable' >&2
    exit 77
  }
  case $mode in
    1) mode=enforcing ;;
    0) mode=permissive ;;
  esac
elif [ -n "$configured" ]; then
  mode=disabled
else
  echo 'SELinux is not part of this host' >&2
  exit 78
fi
printf 'mode\t%s\nconfigured\t%s\npolicy\t%s\n' "$mode" "$configured" "$policy"
