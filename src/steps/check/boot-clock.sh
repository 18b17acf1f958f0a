#!/bin/sh
# Shared by what reads times that systemd counts from the start of the machine.

# Sets `uptime` to the seconds since the machine started: the start of a process of this moment tells. In a container
# /proc/uptime may be that of the container (lxcfs), which systemd does not count from.
boot_clock() {
  # shellcheck disable=SC2034 # for who calls
  uptime=$(
    read -r stat </proc/self/stat
    # shellcheck disable=SC2086 # words; the name before them may hold blanks
    set -- ${stat##*) }
    # Hundredths of a second on every kind of processor in use.
    echo "$((${20} / 100)).$((${20} % 100 / 10))"
  )
}
