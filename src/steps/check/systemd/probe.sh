#!/bin/sh
# Prints the state of systemd, its failed units and, when $1 is not 0, the restarts of services that run.
# Exit 78: no systemd here; 69: systemd does not answer.
set -eu
. ../boot-clock.sh

[ -d /run/systemd/system ] || {
  echo 'no systemd' >&2
  exit 78
}
# The state of the system is a property of the manager; is-system-running would be one more process.
manager=$(systemctl show --no-pager -p SystemState -p NFailedUnits -p Version) || exit 69
printf '%s\n== failed\n' "$manager"
case $manager in
  *NFailedUnits=0*) ;;
  # Plain columns: JSON exists only since version 246.
  *) systemctl list-units --state=failed --all --plain --no-legend --no-pager --full || exit 69 ;;
esac
[ "$1" -ne 0 ] || exit 0
echo '== services'
boot_clock
printf 'Uptime=%s\n\n' "$uptime"
systemctl show --no-pager -p Id -p ActiveState -p SubState -p Result -p NRestarts -p ExecMainStartTimestampMonotonic \
  --state=running,reload,auto-restart,auto-restart-queued,start,start-pre,start-post -- '*.service' || exit 69
