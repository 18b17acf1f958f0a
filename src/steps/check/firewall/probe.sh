#!/bin/sh
# Prints the packet filter rules of the kernel: `nft -s list ruleset`, and iptables-save where nft does not know them
# (no nft, or tables of the old kernel interface besides). Exit 69: cannot tell; 77: needs CAP_NET_ADMIN; 127: no tool.
set -eu

ipv6=no
if { read -r _ </proc/net/if_inet6; } 2>/dev/null; then ipv6=yes; fi
printf 'ipv6\t%s\n' "$ipv6"

# Runs a tool whose answer is a part of its own. Sets found; a refusal ends the probe.
found=
list() {
  part=$1
  shift
  problem=
  if said=$("$@" 2>&1); then
    found=1
    printf '== %s\n%s\n' "$part" "$said"
    return 0
  fi
  case $said in
    *'not permitted'* | *'ermission denied'* | *'must be root'*)
      printf '%s shows its rules to root alone\n' "$1" >&2
      exit 77
      ;;
  esac
  problem=$said
}

nft=
if command -v nft >/dev/null; then
  list nft nft -s list ruleset
  [ -z "$problem" ] || printf '%s\n' "$problem" >&2
  nft=$found
fi
for family in 4 6; do
  case $family in
    4) tool=iptables names=/proc/net/ip_tables_names ;;
    *) tool=ip6tables names=/proc/net/ip6_tables_names ;;
  esac
  if [ -n "$nft" ]; then
    # nft shows what iptables-nft made, not the old tables. This file is root's, as nft is.
    { read -r _ <"$names"; } 2>/dev/null || continue
    save=
    for name in "$tool-legacy-save" "$tool-save"; do
      if command -v "$name" >/dev/null; then
        case $("$name" --version 2>&1) in
          *nf_tables*) ;;
          *)
            save=$name
            break
            ;;
        esac
      fi
    done
    [ -n "$save" ] || {
      printf 'tables of the old kernel interface are loaded, and %s-legacy-save is missing\n' "$tool" >&2
      exit 69
    }
    list "$tool" "$save"
  else
    command -v "$tool-save" >/dev/null || continue
    list "$tool" "$tool-save"
  fi
  [ -z "$problem" ] || {
    printf '%s\n' "$problem" >&2
    exit 69
  }
done
if [ -z "$found" ]; then
  if command -v nft >/dev/null; then exit 69; fi
  echo 'neither nft nor iptables-save is here' >&2
  exit 127
fi
echo '== end'
