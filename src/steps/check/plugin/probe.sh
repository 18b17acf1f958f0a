#!/bin/sh
# Runs a monitoring plugin. $1 tells how many pairs of NAME and VALUE for its environment follow; then come the plugin
# and its arguments. Prints where the plugin is, then what it says, then its exit status. Exit 127: no such plugin.
set -eu

pairs=$1
shift
while [ "$pairs" -gt 0 ]; do
  export "$1=$2"
  shift 2
  pairs=$((pairs - 1))
done
name=$1
shift

plugin=
case $name in
  /*) plugin=$name ;;
  *)
    for folder in /usr/lib/nagios/plugins /usr/lib64/nagios/plugins /usr/lib/monitoring-plugins \
      /usr/lib64/monitoring-plugins /usr/libexec/nagios /usr/local/libexec/nagios /usr/local/nagios/libexec \
      /opt/monitoring-plugins; do
      if [ -f "$folder/$name" ]; then
        plugin=$folder/$name
        break
      fi
    done
    # A word that the shell itself knows has no slash.
    [ -n "$plugin" ] || plugin=$(command -v "$name") || plugin=
    ;;
esac
case $plugin in
  /*) ;;
  *)
    printf 'no plugin %s in the usual folders or on the PATH\n' "$name" >&2
    exit 127
    ;;
esac
[ -f "$plugin" ] || {
  printf 'no plugin %s\n' "$plugin" >&2
  exit 127
}
[ -x "$plugin" ] || {
  printf 'not allowed to execute %s\n' "$plugin" >&2
  exit 77
}
printf 'plugin\t%s\n' "$plugin"
status=0
"$plugin" "$@" || status=$?
printf '\nstatus\t%s\n' "$status"
