#!/bin/sh
# Prints whether AppArmor is on, and its profiles with their modes. Exit 78: no AppArmor here; 77: the profiles are for
# root.
set -eu

if [ ! -e /sys/module/apparmor/parameters/enabled ]; then
  echo 'AppArmor is not part of this kernel' >&2
  exit 78
fi
read -r enabled </sys/module/apparmor/parameters/enabled
printf 'enabled\t%s\n' "$enabled"
[ "$enabled" = Y ] || exit 0
profiles=/sys/kernel/security/apparmor/profiles
if [ ! -e "$profiles" ]; then
  # The folder above is closed to others.
  if [ "$(id -u)" -ne 0 ]; then
    echo 'no permission to see the profiles' >&2
    exit 77
  fi
  echo "$profiles is not there: is securityfs mounted?" >&2
  exit 69
fi
said=$(cat "$profiles" 2>/dev/null) || {
  echo 'no permission to see the profiles' >&2
  exit 77
}
printf '%s\n' "$said" | while IFS= read -r line; do
  [ -z "$line" ] || printf 'profile\t%s\n' "$line"
done
echo 'end	'
