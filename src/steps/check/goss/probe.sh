#!/bin/sh
# Answers questions about the host. $1: how many bytes of a text to print; then for every question its kind, the number
# of its values and the values. An answer is `question`, then `key<TAB>value` lines; a text follows its `text` line in
# lines that begin with |, and a dot of ours ends it. What cannot be told is said with `cannot`.
set -u
. ../processes.sh
. ../nearest-folder.sh
. ../listening.sh

limit=$1
shift
stopwatch=
command -v timeout >/dev/null 2>&1 && stopwatch=timeout

fact() { printf '%s\t%s\n' "$1" "${2:-}"; }
# $1: the attribute that it is about, * for all.
cannot() { printf 'cannot\t%s\t%s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }

# Runs $2… for at most $1 seconds.
limited() {
  [ -n "$stopwatch" ] || shift
  ${stopwatch:+timeout} "$@"
}

# Prints the first $2 bytes of standard input as text $1 and reads it to its end.
text() {
  printf 'text\t%s\n' "$1"
  {
    head -c "${2:-$limit}"
    echo .
    cat >/dev/null
  } | sed 's/^/|/'
}

# The line of file $1 (passwd or group) for the name $2.
entry() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      "$2":*)
        printf '%s\n' "$line"
        break
        ;;
    esac
  done <"/etc/$1"
}

# file: path, and what to tell besides its state.
ask_file() {
  path=$1
  # shellcheck disable=SC2088 # the tilde itself
  case $path in
    '~' | '~/'*) path=${HOME:-/}${path#'~'} ;;
    '~'*)
      user=${path%%/*}
      home=$(entry passwd "${user#'~'}")
      [ -n "$home" ] || {
        cannot '*' "there is no user ${user#'~'}"
        return
      }
      home=${home%:*}
      path=${home##*:}${path#"$user"}
      ;;
  esac
  if [ ! -e "$path" ] && [ ! -L "$path" ]; then
    nearest_folder "$path"
    if [ -x "$folder" ]; then fact absent; else cannot '*' "no permission to look into $folder"; fi
    return
  fi
  state=$(stat -c '%f %u %g %s %U %G' -- "$path" 2>/dev/null) || {
    cannot '*' 'stat is missing or cannot read it'
    return
  }
  fact state "$state"
  for want in $2; do
    if [ "$want" = link ]; then
      [ ! -L "$path" ] || readlink "$path" | text link
    elif [ ! -f "$path" ]; then
      fact irregular "$want"
    elif [ ! -r "$path" ]; then
      cannot "$want" "no permission to read $path"
    elif [ "$want" = contents ]; then
      # Not through text: the rest of a large file need not be read.
      fact text contents
      {
        head -c "$limit" <"$path"
        echo .
      } | sed 's/^/|/'
    elif sum=$("${want}sum" <"$path" 2>/dev/null); then
      fact "$want" "${sum%% *}"
    else
      cannot "$want" "${want}sum is missing or cannot read it"
    fi
  done
}

# command: the command, seconds, and which of its outputs are asked for.
ask_command() {
  start=$(date +%s)
  out=0 err=0
  for want in $3; do
    case $want in
      stdout) out=$limit ;;
      stderr) err=$limit ;;
    esac
  done
  # Standard output goes out as it comes, standard error is kept until then; the last line is ours.
  {
    said=$(
      {
        {
          limited "$2" sh -c "$1" 3>&- 4>&-
          printf '\n%s %s' "$?" "$(($(date +%s) - start))" >&3
        } 2>&3 | text stdout "$out" >&4 3>&-
      } 3>&1
    )
  } 4>&1
  fact ended "${said##*
}"
  printf '%s' "${said%
*}" | text stderr "$err"
}

ask_user() {
  if [ ! -r /etc/passwd ] || [ ! -r /etc/group ]; then
    cannot '*' '/etc/passwd or /etc/group cannot be read'
    return
  fi
  found=$(entry passwd "$1")
  [ -n "$found" ] || {
    fact absent
    return
  }
  fact user "$found"
  gid=${found#*:*:*:}
  gid=${gid%%:*}
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      *:"$gid":* | *[:,]"$1" | *[:,]"$1",*) fact group "$line" ;;
    esac
  done </etc/group
}

ask_group() {
  [ -r /etc/group ] || {
    cannot '*' '/etc/group cannot be read'
    return
  }
  found=$(entry group "$1")
  if [ -n "$found" ]; then fact group "$found"; else fact absent; fi
}

# interface: name, and `addrs` when they are asked for.
ask_interface() {
  [ -d /sys/class/net ] || {
    cannot '*' '/sys/class/net is not there'
    return
  }
  [ -e "/sys/class/net/$1" ] || {
    fact absent
    return
  }
  if { read -r mtu <"/sys/class/net/$1/mtu"; } 2>/dev/null; then fact mtu "$mtu"; else cannot mtu 'it has no mtu'; fi
  [ -n "$2" ] || return 0
  has ip || {
    cannot addrs 'ip is missing'
    return
  }
  ip -o addr show dev "$1" | while read -r line; do fact address "$line"; done
}

# kernel-param: path below /proc/sys.
ask_parameter() {
  [ -d /proc/sys ] || {
    cannot '*' '/proc/sys is not there'
    return
  }
  if [ ! -e "/proc/sys/$1" ]; then
    fact absent
  elif [ ! -f "/proc/sys/$1" ]; then
    fact folder
  elif value=$(cat "/proc/sys/$1" 2>/dev/null); then
    printf '%s' "$value" | text value
  else
    cannot value "no permission to read $1"
  fi
}

# mount: mount point as the kernel writes it, as it is, and `usage` when it is asked for.
ask_mount() {
  [ -r /proc/self/mountinfo ] || {
    cannot '*' '/proc/self/mountinfo cannot be read'
    return
  }
  top=
  while read -r _ _ _ _ point rest; do
    [ "$point" != "$1" ] || top=$rest
  done </proc/self/mountinfo
  [ -n "$top" ] || {
    fact absent
    return
  }
  fact mount "$top"
  [ -n "$3" ] || return 0
  # On a dead network file system this would wait for ever.
  if used=$(limited 5 stat -f -c '%b %f' -- "$2" 2>/dev/null); then
    fact blocks "$used"
  else
    cannot usage 'the file system does not answer'
  fi
}

ask_package() {
  # The database tells whose host it is: a Debian host may have the rpm tool, too.
  if [ -r /var/lib/dpkg/status ] && has dpkg-query; then
    fact manager dpkg
    # shellcheck disable=SC2016 # fields of dpkg-query
    said=$(dpkg-query -W -f '${Status}\t${Version}\n' -- "$1" 2>/dev/null) || [ "$?" -eq 1 ] ||
      cannot '*' 'the package database cannot be read'
  elif [ -r /lib/apk/db/installed ] && has apk; then
    fact manager apk
    said=$(apk info -e -v -- "$1" 2>/dev/null) || said=
  elif [ -x /usr/bin/rpm ]; then
    fact manager rpm
    # The path: busybox has an rpm of its own.
    said=$(/usr/bin/rpm -q --qf '%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n' -- "$1" 2>/dev/null) || {
      # It says the same for no such package and for no database.
      /usr/bin/rpm -q rpm >/dev/null 2>&1 || cannot '*' 'the package database cannot be read'
      said=
    }
  elif has pacman; then
    fact manager pacman
    said=$(pacman -Q -- "$1" 2>/dev/null) || said=
  else
    cannot '*' 'no package manager that is known (dpkg, rpm, apk, pacman)'
    return
  fi
  [ -z "$said" ] || printf '%s\n' "$said" | text packages
}

# port: tcp, tcp6, udp or udp6, and the port in four hex digits.
ask_port() {
  # A kernel without IPv6 has no tables for it.
  [ -r "/proc/net/$1" ] || {
    [ -r "/proc/net/${1%6}" ] || cannot '*' "/proc/net/$1 cannot be read"
    return
  }
  while read -r _ local _ state _; do
    # Listening TCP sockets come first.
    case $1$state in
      *st) continue ;;
      tcp0A | tcp60A | udp*) ;;
      *) break ;;
    esac
    case $local in
      *":$2") fact socket "${local%:*}" ;;
    esac
  done <"/proc/net/$1"
}

ask_process() {
  # With hidepid a process of another user is out of sight.
  { read -r _ </proc/1/status; } 2>/dev/null || {
    cannot '*' 'the processes of other users are hidden (hidepid), or there is no /proc'
    return
  }
  # shellcheck disable=SC2013 # names without spaces
  for file in $(grep -Fxl -- "Name:	$1" /proc/[0-9]*/status 2>/dev/null); do
    process=${file%/status}
    process=${process#/proc/}
    # It may have ended meanwhile, as the grep above has.
    [ -e "$file" ] || continue
    is_own "$process" || fact process "$process"
  done
}

ask_service() {
  if [ -d /run/systemd/system ]; then
    fact manager systemd
    load=$(systemctl show --no-pager -p LoadState -- "$1" 2>/dev/null) || {
      cannot '*' 'systemd does not answer'
      return
    }
    fact load "${load#LoadState=}"
    said=$(systemctl is-enabled -- "$1" 2>/dev/null)
    fact enabled "$? $said"
    said=$(systemctl is-active -- "$1" 2>/dev/null)
    fact running "$? $said"
    return
  fi
  if [ -d /run/openrc ] && has rc-service; then
    fact manager openrc
    for link in /etc/runlevels/*/"$1"; do
      level=${link%/*}
      [ ! -e "$link" ] || fact level "${level##*/}"
    done
    [ -e "/etc/init.d/$1" ] || return 0
    rc-service --nocolor -- "$1" status >/dev/null 2>&1
    fact running "$?"
  elif [ -d /etc/init.d ]; then
    fact manager sysv
    for link in /etc/rc[0-6].d/S[0-9][0-9]"$1"; do
      level=${link#/etc/rc}
      [ ! -e "$link" ] || fact level "${level%%.*}"
    done
    [ -x "/etc/init.d/$1" ] || return 0
    "/etc/init.d/$1" status >/dev/null 2>&1
    fact running "$?"
  else
    cannot '*' 'no service manager (systemd, OpenRC or /etc/init.d)'
  fi
}

# addr: host, port, local address or nothing, seconds.
ask_addr() {
  if [ -z "$3" ] && has bash; then
    # shellcheck disable=SC2016 # for bash to expand
    said=$(limited "$4" bash -c ': <"/dev/tcp/$0/$1"' "$1" "$2" 2>&1) && {
      fact reachable yes
      return
    }
    # A bash that cannot do this looks for a file.
    case $said in
      *'No such file'*) ;;
      *)
        fact reachable no
        return
        ;;
    esac
  fi
  has nc || {
    cannot '*' 'neither bash nor nc is there to connect with'
    return
  }
  case $(nc --help 2>&1) in
    *BusyBox*)
      [ -z "$3" ] || {
        cannot '*' 'nc of busybox cannot choose the local address'
        return
      }
      # It has no way to close a connection at once: one that lasts has been made.
      limited "$(($4 + 2))" nc -w "$4" "$1" "$2" </dev/null >/dev/null 2>&1
      case $? in
        0 | 124 | 137 | 143) fact reachable yes ;;
        *) fact reachable no ;;
      esac
      ;;
    *)
      if nc -z -w "$4" ${3:+-s "$3"} "$1" "$2" >/dev/null 2>&1; then fact reachable yes; else fact reachable no; fi
      ;;
  esac
}

# dns: name, server or nothing, port, seconds, and the types to ask for.
ask_dns() {
  if [ -z "$2" ]; then
    has getent || {
      cannot '*' 'getent is missing'
      return
    }
    said=$(limited "$4" getent ahosts "$1")
    case $? in
      0) printf '%s\n' "$said" | text hosts ;;
      2) fact absent ;;
      *) cannot '*' 'the name service does not answer' ;;
    esac
    return
  fi
  has dig || {
    cannot '*' 'dig is missing, which asks a server'
    return
  }
  for type in $5; do
    said=$(dig +noall +comments +answer +tries=3 +time="$4" -p "$3" "@$2" -t "$type" -q "$1") || {
      cannot '*' "the name server $2 does not answer"
      return
    }
    printf '%s\n' "$said" | text "$type"
  done
}

# http: URL, method, options (insecure, follow, body: it is asked for), seconds, headers (a line each), body, user, authorities, certificate,
# key, proxy; nothing stands for none.
ask_http() {
  has curl || {
    cannot '*' 'curl is missing'
    return
  }
  url=$1 method=$2 options=$3 headers=$5 body=$6 most=0
  # Braces and brackets in a URL are letters.
  set -- -sS -g -D /dev/stderr -m "$4" --max-redirs 10 ${6:+--data-raw "$6" -H Content-Type:} \
    ${7:+-u "$7:"} ${8:+--cacert "$8"} ${9:+--cert "$9"} ${10:+--key "${10}"} ${11:+-x "${11}"}
  case $method in
    GET) [ -z "$body" ] || set -- "$@" -X GET ;;
    HEAD) set -- "$@" -I ;;
    # Without -X curl goes on with GET where a redirect wants that.
    POST) [ -n "$body" ] || set -- "$@" --data-raw '' -H Content-Type: ;;
    *) set -- "$@" -X "$method" ;;
  esac
  for option in $options; do
    case $option in
      insecure) set -- "$@" -k ;;
      follow) set -- "$@" -L ;;
      body) most=$limit ;;
    esac
  done
  # The headers may hold what `ps` should not show.
  [ -z "$headers" ] || set -- "$@" -H @-
  {
    said=$(
      {
        {
          printf '%s\n' "$headers" | curl "$@" "$url"
          printf '\n%s' "$?" >&3
        } 2>&3 | text body "$most" >&4 3>&-
      } 3>&1
    )
  } 4>&1
  fact ended "${said##*
}"
  printf '%s' "${said%
*}" | text headers 16384
}

print_byte_order
while [ "$#" -gt 0 ]; do
  kind=$1 count=$2
  shift 2
  fact question "$kind"
  # No question has more values; all that are left would be copied for each of many.
  ("ask_$kind" "${1:-}" "${2:-}" "${3:-}" "${4:-}" "${5:-}" "${6:-}" "${7:-}" "${8:-}" "${9:-}" "${10:-}" "${11:-}")
  shift "$count"
done
fact end
