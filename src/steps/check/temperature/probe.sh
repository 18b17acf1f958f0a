#!/bin/sh
# Prints a line for each temperature sensor: kind, number, thousandths of a degree, the limits max and critical of the
# sensor itself, chip, label, device. What a sensor does not tell is empty.
set -eu

# The first line of the file $1, or nothing: a sensor may be there and fail when it is read.
line_of() {
  line=
  { read -r line <"$1"; } 2>/dev/null || :
}

for folder in /sys/class/hwmon/hwmon*; do
  line_of "$folder/name"
  [ -n "$line" ] || line_of "$folder/device/name"
  chip=$line
  # Such as nvme0 or coretemp.1: the numbers of hwmon are given out anew at every start.
  device=$(cd -P "$folder/device" 2>/dev/null && pwd) || device=
  for file in "$folder"/temp*_input "$folder"/device/temp*_input; do
    [ -e "$file" ] || continue
    base=${file%_input}
    number=${base##*/temp}
    line_of "$file"
    value=$line
    # A sensor that is not connected may read as anything.
    line_of "${base}_fault"
    [ "$line" != 1 ] || value=
    line_of "${base}_max"
    max=$line
    line_of "${base}_crit"
    critical=$line
    line_of "${base}_label"
    printf 'sensor\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
      "$number" "$value" "$max" "$critical" "$chip" "$line" "${device##*/}"
  done
done
for folder in /sys/class/thermal/thermal_zone*; do
  [ -e "$folder/temp" ] || continue
  line_of "$folder/temp"
  value=$line
  critical=
  for type in "$folder"/trip_point_*_type; do
    line_of "$type"
    [ "$line" = critical ] || continue
    line_of "${type%_type}_temp"
    critical=$line
  done
  line_of "$folder/type"
  printf 'zone\t%s\t%s\t\t%s\t%s\t\n' "${folder##*zone}" "$value" "$critical" "$line"
done
printf 'end\t\n'
