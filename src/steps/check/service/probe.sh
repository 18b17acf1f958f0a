#!/bin/sh
# Prints what the service manager (systemd, OpenRC or System V) says about service $1. $2: the only manager that is of
# interest, or nothing. Exit 69: no service manager; 78: another manager.
set -eu
. ../boot-clock.sh

name=$1
manager=
if [ -d /run/systemd/system ]; then
  manager=systemd
elif [ -d /run/openrc ] && command -v rc-service >/dev/null 2>&1; then
  manager=openrc
elif [ -d /etc/init.d ]; then
  manager=sysv
fi
if [ -n "$2" ] && [ "$2" != "$manager" ]; then
  printf 'services are not looked after by %s\n' "$2" >&2
  exit 78
fi

# Whether init script $1 has a link to start it.
init_links() {
  for link in /etc/rc[2-5].d/S[0-9][0-9]"$1"; do
    if [ -e "$link" ]; then
      echo enabled
      return
    fi
  done
  echo disabled
}

if [ "$manager" = systemd ]; then
  echo 'manager=systemd'
  boot_clock
  printf 'Uptime=%s\n' "$uptime"
  properties='-p Id -p LoadState -p ActiveState -p SubState -p Result -p Type -p NRestarts -p UnitFileState
    -p MainPID -p ExecMainStatus -p ActiveEnterTimestampMonotonic -p TriggeredBy'
  # shellcheck disable=SC2086 # words
  said=$(systemctl show --no-pager $properties -- "$name") || exit 69
  printf '%s\n' "$said"
  # systemd makes a unit of an init script, whether it is to start or not.
  script=${name%.service}
  case $said in
    *UnitFileState=generated*) [ ! -e "/etc/init.d/$script" ] || printf 'InitLinks=%s\n' "$(init_links "$script")" ;;
  esac
  # A unit that something else starts when it is needed: is that something there?
  triggers=
  case $said in
    *ActiveState=inactive*)
      case $said in
        *TriggeredBy=*) triggers=${said#*TriggeredBy=} ;;
      esac
      triggers=${triggers%%
*}
      ;;
  esac
  if [ -n "$triggers" ]; then
    echo '== triggers'
    # shellcheck disable=SC2086 # a list of unit names
    systemctl show --no-pager -p Id -p ActiveState -- $triggers || exit 69
  fi
  exit 0
fi

if [ "$manager" = openrc ]; then
  echo 'manager=openrc'
  enabled=disabled
  for link in /etc/runlevels/*/"$name"; do
    [ ! -e "$link" ] || enabled=enabled
  done
  [ -e "/etc/init.d/$name" ] || {
    echo 'LoadState=not-found'
    exit 0
  }
  status=0
  rc-service --nocolor -- "$name" status >/dev/null 2>&1 || status=$?
elif [ "$manager" = sysv ]; then
  echo 'manager=sysv'
  enabled=$(init_links "$name")
  [ -x "/etc/init.d/$name" ] || {
    echo 'LoadState=not-found'
    exit 0
  }
  status=0
  "/etc/init.d/$name" status >/dev/null 2>&1 || status=$?
else
  echo 'no service manager (systemd, OpenRC or /etc/init.d)' >&2
  exit 69
fi
printf 'LoadState=loaded\nUnitFileState=%s\nStatus=%s\n' "$enabled" "$status"
