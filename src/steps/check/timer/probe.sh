#!/bin/sh
# Prints what systemd says about timer $1 and the unit that it starts. Exit 78: no systemd; 69: it does not answer.
set -eu

[ -d /run/systemd/system ] || {
  echo 'no systemd' >&2
  exit 78
}
printf 'Now=%s\n' "$(date +%s)"
# Times are printed in the zone of the caller, in words.
said=$(TZ=UTC systemctl show --no-pager -p Id -p LoadState -p ActiveState -p SubState -p Result -p Unit \
  -p LastTriggerUSec -p NextElapseUSecRealtime -p NextElapseUSecMonotonic -- "$1") || exit 69
printf '%s\n' "$said"
unit=
case $said in
  *Unit=*)
    # The first line that is Unit=…
    rest="
$said"
    rest=${rest#*
Unit=}
    unit=${rest%%
*}
    ;;
esac
[ -n "$unit" ] || exit 0
echo '== unit'
systemctl show --no-pager -p Id -p LoadState -p ActiveState -p Result -p ExecMainStatus -- "$unit" || exit 69
