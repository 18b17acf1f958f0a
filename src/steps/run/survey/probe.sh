#!/bin/sh
# Prints what the host has that checks can look at: lines `SUBJECT<TAB>TEXT`, the last one `end`.
# A part that the host lacks, or does not show to this user, prints nothing.
set -eu

has() { command -v "$1" >/dev/null 2>&1; }
# Lines of standard input, under subject $1.
say() { sed "s/^/$1	/"; }
# Runs a program that may hang, where there is `timeout`.
soon() {
  if has timeout; then timeout 5 "$@"; else "$@"; fi
}

printf 'uid\t%s\n' "$(id -u)"
uname -n | say hostname
if has hostname; then hostname -f 2>/dev/null | say hostname || :; fi
if [ -r /etc/os-release ]; then sed -n 's/^PRETTY_NAME=//p' /etc/os-release | tr -d "\"'" | say system; fi

programs=
if [ -d /run/systemd/system ]; then
  printf 'manager\tsystemd\n'
  # Without --all a pattern stands for active units only.
  units=$(soon systemctl show --no-pager --all -p Id -p LoadState -p ActiveState -p SubState -p Type -p UnitFileState \
    -p TriggeredBy -p ConditionResult -p ConditionTimestampMonotonic -p ExecStart \
    -- '*.service' '*.socket' '*.timer' 2>/dev/null) || units=
  # Of ExecStart only the program: arguments may hold secrets.
  printf '%s\n' "$units" | sed 's/^ExecStart={ path=\([^ ;]*\) ;.*/ExecStart=\1/; /^ExecStart={/d' | say unit
  programs=$(printf '%s\n' "$units" | sed -n 's/^ExecStart={ path=\([^ ;]*\) ;.*/\1/p')
elif [ -d /run/openrc ] && has rc-service; then
  printf 'manager\topenrc\n'
  for link in /etc/runlevels/default/*; do [ ! -e "$link" ] || printf 'script\t%s\n' "${link##*/}"; done
elif [ -d /etc/init.d ]; then
  printf 'manager\tsysv\n'
  for link in /etc/rc[2-5].d/S[0-9][0-9]*; do
    [ ! -e "$link" ] || printf 'script\t%s\n' "${link##*/S[0-9][0-9]}"
  done | sort -u
fi

# Which process listens is told to root only.
if has ss; then
  ss -Hltunp 2>/dev/null | sed -n 's/^\([a-z]*\)  *[A-Z]*  *[0-9]*  *[0-9]*  *[^ ]*:\([0-9]*\) .*users:(("\([^"]*\)",pid=\([0-9]*\),.*/\1 \2 \4 \3/p' |
    sort -u | while read -r protocol port pid name; do
    printf 'process\t%s %s %s %s\n' "$protocol" "$port" "$(readlink "/proc/$pid/exe" 2>/dev/null || echo -)" "$name"
  done | sort -u
fi
programs="$programs $(
  if has ss; then
    ss -Hltunp 2>/dev/null | sed -n 's/.*pid=\([0-9]*\),.*/\1/p' | sort -u | while read -r pid; do
      readlink "/proc/$pid/exe" 2>/dev/null || :
    done
  fi
)"

# A file of /usr/bin may be known as one of /bin.
# shellcheck disable=SC2086 # words
programs=$(printf '%s\n' $programs | grep '^/' | sort -u) || programs=
if [ -z "$programs" ]; then
  :
elif has dpkg-query; then
  # shellcheck disable=SC2046,SC2086 # words
  dpkg-query -S $programs $(printf '%s\n' $programs | sed -n 's|^/usr/|/|p') 2>/dev/null |
    sed -n 's/^\([a-z0-9][^ ,]*\): /\1 /p' | say owner || :
elif has rpm; then
  for program in $programs; do
    package=$(rpm -qf --qf '%{NAME}\n' "$program" 2>/dev/null) || continue
    printf 'owner\t%s %s\n' "${package%%
*}" "$program"
  done
elif has apk; then
  for program in $programs; do
    package=$(apk info -q --who-owns "$program" 2>/dev/null) || continue
    printf 'owner\t%s %s\n' "${package%-*-r*}" "$program"
  done
fi

if [ -r /etc/fstab ]; then awk '$1 !~ /^#/ && NF >= 3 { print $1, $2, $3, $4 }' /etc/fstab | say fstab; fi
for folder in /sys/class/net/*; do
  [ -r "$folder/operstate" ] || continue
  device=virtual
  [ ! -e "$folder/device" ] || device=physical
  printf 'interface\t%s %s %s\n' "$(cat "$folder/operstate")" "$device" "${folder##*/}"
done

# Ports that the kernel gives away by itself.
if [ -r /proc/sys/net/ipv4/ip_local_port_range ]; then
  tr '\t' ' ' </proc/sys/net/ipv4/ip_local_port_range | say ephemeral
fi
# Addresses that were given for a time, by DHCP or a router: the next ones may be others.
if has ip; then
  ip -o addr show 2>/dev/null |
    sed -n '/ dynamic /s/^[0-9]*: *\([^ ]*\)  *inet6\{0,1\} \([^/ ]*\).*/\1 \2/p' | say dynamic
fi

if [ -r /etc/passwd ]; then
  # Without a shell it is /bin/sh.
  awk -F: 'NF >= 7 && $7 !~ /\/(nologin|false|sync|shutdown|halt)$/ { print $1 ":" $3 ":" $6 ":" $7 }' /etc/passwd | say user
fi
if [ -r /etc/group ]; then
  awk -F: '$1 ~ /^(sudo|wheel|admin|adm|docker|lxd|libvirt|disk|shadow)$/ { print $1 ":" $4 }' /etc/group | say group
fi

# What the administrator has set, and a few that matter everywhere.
settings=$(
  for file in /etc/sysctl.d/*.conf /etc/sysctl.conf; do
    # Those of the system are links or belong to its packages; they begin with 10- or 99-sysctl.
    [ -r "$file" ] || continue
    case $file in
      */10-* | */99-sysctl.conf | */README*) continue ;;
    esac
    sed -n 's/^[[:blank:]]*-\{0,1\}\([a-z][A-Za-z0-9_.\/-]*\)[[:blank:]]*=[[:blank:]]*/\1 /p' "$file"
  done | sed -e '/^[^ ]*_key /d' -e '/^[^ ]*_secret /d'
)
[ -z "$settings" ] || printf '%s\n' "$settings" | say setting
{
  printf '%s\n' "$settings" | cut -d' ' -f1
  echo 'kernel.randomize_va_space
fs.protected_hardlinks
fs.protected_symlinks
net.ipv4.ip_forward
net.ipv4.tcp_syncookies'
} | sort -u | while read -r name; do
  case $name in
    */*) path=$name ;;
    *) path=$(printf '%s' "$name" | tr . /) ;;
  esac
  if value=$(cat "/proc/sys/$path" 2>/dev/null); then
    printf 'parameter\t%s %s\n' "$name" "$(printf '%s' "$value" | tr '\t\n' '  ')"
  fi
done

# Certificates that the configuration of servers names, and those of certbot.
{
  # What is enabled, by links.
  for place in /etc/nginx/nginx.conf /etc/nginx/conf.d /etc/nginx/sites-enabled /etc/nginx/snippets /etc/apache2/sites-enabled /etc/apache2/conf-enabled /etc/httpd/conf.d /etc/lighttpd /etc/haproxy \
    /etc/postfix/main.cf /etc/dovecot /etc/exim4 /etc/postgresql /etc/mysql /etc/redis /etc/ldap /etc/openldap; do
    [ -e "$place" ] || continue
    grep -RhE '^[[:blank:]]*(ssl_certificate|SSLCertificateFile|ssl\.pemfile|smtpd_tls_cert_file|ssl_cert|tls_certificate|ssl_cert_file|ssl-cert|tls-cert-file|olcTLSCertificateFile:|TLSCertificateFile|bind)[[:blank:]=]' \
      "$place" 2>/dev/null || :
  done | sed 's/[#;].*//' | awk -F '"' '{ print $2; gsub(/[ \t="<]/, "\n"); print }' | grep -E '^/[^*?$]+$' || :
  for file in /etc/letsencrypt/live/*/fullchain.pem; do [ ! -e "$file" ] || printf '%s\n' "$file"; done
} | sort -u | while read -r file; do
  [ ! -f "$file" ] || printf 'certificate\t%s\n' "$file"
done

for file in /etc/cron.d/*; do
  case $file in
    */\* | */.placeholder | */e2scrub_all) ;;
    *) printf 'cron\t%s\n' "$file" ;;
  esac
done
for file in /var/spool/cron/crontabs/* /var/spool/cron/*; do
  [ ! -f "$file" ] || printf 'cron\t%s\n' "$file"
done
for engine in docker podman; do
  if has "$engine"; then
    soon "$engine" ps --format '{{.Names}}' 2>/dev/null | say "$engine" || :
  fi
done
printf 'end\t\n'
