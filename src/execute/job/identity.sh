#!/bin/sh
# Tells whether a process still is the one that it was. For the two scripts beside it.

# Sets `identity` of process $1: its pid, the boot, and when it began in ticks since boot.
identify() {
  boot=unknown begun=unknown
  { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
  if { read -r line <"/proc/$1/stat"; } 2>/dev/null; then
    # The name may hold spaces and parentheses: cut after the last one. What follows is "STATE PPID …".
    # shellcheck disable=SC2086 # fields without blanks or patterns
    set -- "$1" ${line##*) }
    begun=${21}
    # Dead, and nobody has asked for its status yet.
    [ "$2" = Z ] && begun=ended
  fi
  identity="$1 $boot $begun"
}

# True while the process whose identity is in the file $1 lives. Without /proc only its pid tells.
is_alive() {
  { read -r known <"$1"; } 2>/dev/null || return 1
  identify "${known%% *}"
  [ "$identity" = "$known" ] || return 1
  [ "$begun" != unknown ] || kill -0 "${known%% *}" 2>/dev/null
}
