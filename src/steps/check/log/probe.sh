#!/bin/sh
# Counts the lines that a log got since the last look and that match. Prints `mark` (where this look ended), `count`
# and `line` for each piece of the log, `gap` for what is lost, `first` when there was no earlier look.
# $1 file or journal; $2 path, or unit; $3 priority; $4 end or start: where a first look begins; $5 case or nocase;
# $6 most bytes to read; $7-$9 the last mark; $10 patterns, $11 patterns to leave out.
# Exit 69: cannot tell; 77: closed to this user.
set -eu

source=$1
subject=$2
priority=$3
first=$4
case $5 in
  nocase) ignore_case=-i ;;
  *) ignore_case= ;;
esac
most=$6
mark_id=$7
mark_offset=$8
mark_head=$9
shift 9
wanted=$1
unwanted=$2

# Patterns are apart by line ends, as grep takes them.
select_lines() {
  # shellcheck disable=SC2086 # an option or nothing
  if [ -z "$unwanted" ]; then
    grep -E $ignore_case -e "$wanted"
  else
    grep -E -v $ignore_case -e "$unwanted" | grep -E $ignore_case -e "$wanted"
  fi || [ $? -eq 1 ]
}

# Lines in, numbers out: what does not matter does not leave the host.
report() {
  tr '\000' ' ' | select_lines | awk '
    /^-- cursor: s=/ { cursor = substr($0, 12); next }
    { count++ }
    count <= 10 { print "line\t" substr($0, 1, 300) }
    END {
      print "count\t" count + 0
      if (cursor != "") print "cursor\t" cursor
    }'
}

tools='awk grep'
[ "$source" = journal ] || tools="$tools cksum od stat"
for tool in $tools; do
  command -v "$tool" >/dev/null || {
    printf '%s is not installed\n' "$tool" >&2
    exit 127
  }
done
for pattern in "$wanted" "$unwanted"; do
  said=$(echo x | grep -E -e "$pattern" 2>&1 >/dev/null) || :
  [ -z "$said" ] || {
    printf 'grep does not understand /%s/: %s\n' "$pattern" "$said" >&2
    exit 69
  }
done

if [ "$source" = journal ]; then
  command -v journalctl >/dev/null || {
    echo 'journalctl is not installed' >&2
    exit 127
  }
  said=$(journalctl --no-pager -n 0 2>&1 >/dev/null) || :
  case $said in
    *'not seeing messages'* | *'insufficient permissions'* | *'ermission denied'*)
      echo 'the journal of the system is closed to this user: look as root, or add it to group systemd-journal' >&2
      exit 77
      ;;
    *'No journal files were'*)
      echo 'there is no journal' >&2
      exit 69
      ;;
  esac
  # A unit by a wrong name is quiet for ever. One that is gone may have left messages.
  case $subject in
    '' | *[*?[]*) ;;
    *)
      if [ "$(systemctl show --no-pager -p LoadState -- "$subject" 2>/dev/null)" = LoadState=not-found ] &&
        [ -z "$(journalctl --no-pager -q -n 1 -o short-unix --unit="$subject")" ]; then
        printf 'there is no unit %s, nor a message of it; is the name right?\n' "$subject" >&2
        exit 69
      fi
      ;;
  esac
  # What was written a moment ago may not be there without.
  journalctl --sync 2>/dev/null || :
  # Taken before the look: a message that comes in between is seen twice rather than never.
  end=$(journalctl --no-pager -q -n 1 -o cat --show-cursor | sed -n '$s/^-- cursor: //p')
  wanted="$wanted
^-- cursor: s="
  query() {
    # shellcheck disable=SC2086 # each an option or nothing
    journalctl --no-pager -q -o cat --show-cursor ${subject:+"--unit=$subject"} ${priority:+"--priority=$priority"} "$@"
  }
  # With a filter, --after-cursor leaves out the first match even when the entry of the cursor itself is none.
  after_mark() {
    here=$(query --cursor="$mark_id" -n 1 | sed -n '$s/^-- cursor: //p')
    if [ "$here" = "$mark_id" ]; then printf '%s' --after-cursor; else printf '%s' --cursor; fi
  }
  if [ -z "$mark_id" ]; then
    printf 'first\t\n'
    if [ "$first" = start ]; then
      found=$(query | report)
    else found='count	0'; fi
  elif [ "$(journalctl --no-pager -q --cursor="$mark_id" -n 1 -o json 2>/dev/null | grep -cF "\"$mark_id\"")" != 1 ]; then
    printf 'gap\tthe journal has dropped what came after the last look\n'
    found=$(query --cursor="$mark_id" 2>/dev/null | report) || found=$(query | report)
  else
    found=$(query "$(after_mark)=$mark_id" | report)
  fi
  cursor=$(printf '%s\n' "$found" | sed -n 's/^cursor	//p')
  printf '%s\n' "$found" | grep -v '^cursor	'
  printf 'mark\t%s 0 -\n' "${cursor:-$end}"
  exit 0
fi

if [ ! -e "$subject" ]; then
  folder=$(dirname "$subject")
  [ -x "$folder" ] || {
    printf 'no permission to look into %s\n' "$folder" >&2
    exit 77
  }
  printf 'there is no file %s\n' "$subject" >&2
  exit 69
fi
[ -f "$subject" ] || {
  printf '%s is not a plain file\n' "$subject" >&2
  exit 69
}
[ -r "$subject" ] || {
  printf 'no permission to read %s\n' "$subject" >&2
  exit 77
}
file=/proc/self/fd/3

unpack() {
  case $1 in
    *.gz) gzip -dc <"$1" ;;
    *.xz) xz -dc <"$1" ;;
    *.zst) zstd -dcq <"$1" ;;
    *.bz2) bzip2 -dc <"$1" ;;
    *) cat <"$1" ;;
  esac 2>/dev/null
}

# A part of a log. $1 file, $2 bytes to leave out, $3 bytes.
part() {
  case $1 in
    *.gz | *.xz | *.zst | *.bz2) unpack "$1" | tail -c +$(($2 + 1)) ;;
    *) tail -c +$(($2 + 1)) <"$1" ;;
  esac 2>/dev/null | head -c "$3"
}

# Its start and what stands before the mark tell a log from all others, whatever it is called today. $1 file, $2 mark.
head_of() {
  length=256
  [ "$2" -ge 256 ] || length=$2
  printf '%s-%s' "$(part "$1" 0 "$length" | cksum | tr ' ' ,)" "$(part "$1" $(($2 - length)) "$length" | cksum | tr ' ' ,)"
}

is_old() {
  if [ ! -f "$1" ] || [ ! -r "$1" ]; then return 1; fi
  if [ "$mark_offset" = 0 ]; then
    [ "$(stat -c %i -- "$1")" = "$mark_id" ]
  else
    [ "$(head_of "$1" "$mark_offset")" = "$mark_head" ]
  fi
}

# $1 file, $2 first byte, $3 bytes.
look() {
  skip=$2
  bytes=$3
  if [ "$bytes" -gt "$most" ]; then
    printf 'gap\tmore than %s bytes were written\n' "$most"
    skip=$((skip + bytes - most))
    bytes=$most
  fi
  printf 'scanned\t%s\n' "$bytes"
  if [ "$bytes" -gt 0 ]; then part "$1" "$skip" "$bytes" | report; fi
}

look_at_file() {
  id=$(stat -L -c %i $file)
  size=$(stat -L -c %s $file)
  # A line without its end is left for the next look.
  end=$size
  if [ "$size" -gt 0 ] && [ "$(tail -c +"$size" <$file | head -c 1 | od -An -tx1 | tr -d ' ')" != 0a ]; then
    [ "$size" -le 65536 ] && window=$size || window=65536
    partial=$(part $file $((size - window)) "$window" | tr '\000' ' ' | tail -n 1 | wc -c)
    [ "$partial" -eq 65536 ] || end=$((size - partial))
  fi
  from=0
  if [ -z "$mark_id" ]; then
    printf 'first\t\n'
    [ "$first" = start ] || from=$end
  elif [ "$id" = "$mark_id" ] && [ "$size" -ge "$mark_offset" ] &&
    [ "$(head_of $file "$mark_offset")" = "$mark_head" ]; then
    from=$mark_offset
  else
    # Rotated: the rest of the old file first, then what was whole in between.
    old=
    folder=$(dirname "$subject")
    name=${subject##*/}
    for candidate in "$folder/$name".* "$folder/$name"-* "$folder/${name%.*}"-*".${name##*.}"*; do
      if is_old "$candidate"; then
        old=$candidate
        break
      fi
    done
    if [ -z "$old" ]; then
      printf 'gap\tthe file that was looked at last is gone: %s was replaced or cut\n' "$subject"
    else
      look "$old" "$mark_offset" $(($(unpack "$old" | wc -c) - mark_offset))
      # shellcheck disable=SC2012 # by time, and names of rotated logs are plain
      ls -tr "$folder/$name".* "$folder/$name"-* "$folder/${name%.*}"-*".${name##*.}"* 2>/dev/null |
        while read -r between; do
          [ -n "$(find "$between" -type f -newer "$old")" ] || continue
          look "$between" 0 "$(unpack "$between" | wc -c)"
        done
    fi
  fi
  [ "$end" -ge "$from" ] || end=$from
  look $file "$from" $((end - from))
  printf 'mark\t%s %s %s\n' "$id" "$end" "$(head_of $file "$end")"
}

# The same file to the end, whatever happens to its name meanwhile.
look_at_file 3<"$subject"
