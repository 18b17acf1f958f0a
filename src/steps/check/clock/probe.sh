#!/bin/sh
# Prints what the time service that runs (chrony, systemd-timesyncd, ntpd) says about the clock.
# Exit 78: a container without a time service; 69: a machine without one; 77: it does not answer this user; 127: the
# tool to ask it is missing.
set -eu
. ../processes.sh

stopped=
if command -v chronyc >/dev/null 2>&1; then
  if said=$(chronyc -c tracking 2>/dev/null); then
    printf 'chrony\t%s\nnow\t%s\n' "$said" "$(date +%s)"
    exit 0
  fi
  stopped=chrony
fi
if [ -d /run/systemd/system ]; then
  # Asking timesyncd over the bus would start it: first see whether it runs.
  state=$(systemctl show --no-pager -p LoadState -p ActiveState -p UnitFileState -p ConditionResult \
    systemd-timesyncd.service 2>/dev/null) || state=
  case $state in
    *ActiveState=active*)
      said=$(timedatectl timesync-status --no-pager 2>&1) || {
        printf '%s\n' "$said" >&2
        exit 69
      }
      # The service touches this file whenever it has set the clock.
      synchronized=
      [ ! -e /run/systemd/timesync/synchronized ] ||
        synchronized=$(stat -c %Y /run/systemd/timesync/synchronized)
      printf 'timesyncd\t%s\nnow\t%s\n' "$synchronized" "$(date +%s)"
      printf '%s\n' "$said" | while read -r key value; do
        case $key in
          Offset: | Server: | Stratum: | Leap:) printf '%s\t%s\n' "${key%:}" "$value" ;;
        esac
      done
      exit 0
      ;;
    *LoadState=loaded*)
      case $state in
        *UnitFileState=enabled*) [ -n "$stopped" ] || stopped=systemd-timesyncd ;;
      esac
      ;;
  esac
fi
if command -v ntpq >/dev/null 2>&1; then
  # It ends with status 0 also when nobody answers.
  said=$(ntpq -c 'rv 0 leap,stratum,offset,refid,reftime,clock' 2>/dev/null) || said=
  case $said in
    *leap=*)
      printf 'ntpd\t%s\n' "$(printf '%s' "$said" | tr '\n' ' ')"
      exit 0
      ;;
  esac
  stopped=ntpd
fi
# A service may run that does not answer, or that its own tool is missing for.
for folder in /proc/[0-9]*; do
  name=
  { read -r name <"$folder/comm"; } 2>/dev/null || continue
  case $name in
    chronyd | ntpd | openntpd | ntpd-rs | ntp-daemon)
      if is_contained "$folder"; then continue; fi
      if [ -n "$stopped" ]; then
        printf '%s runs, but does not tell this user how the clock is\n' "$name" >&2
        exit 77
      fi
      printf '%s runs, but nothing here can ask it how the clock is (chronyc, ntpq)\n' "$name" >&2
      exit 127
      ;;
  esac
done
# A container has the clock of its machine, and often a time service that must not run in it.
if [ -n "$stopped" ] && [ ! -e /run/systemd/container ] && [ ! -e /.dockerenv ] && [ ! -e /run/.containerenv ]; then
  printf 'stopped\t%s\n' "$stopped"
  exit 0
fi
if [ -e /run/systemd/container ] || [ -e /.dockerenv ] || [ -e /run/.containerenv ]; then
  echo 'no time service; a container has the clock of its machine' >&2
  exit 78
fi
echo 'no time service: nothing tells whether the clock is right' >&2
exit 69
