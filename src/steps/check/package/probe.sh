#!/bin/sh
# Prints the installed versions of package $1 and, for each following pair of operator (eq, ge, lt) and version, how
# the host's own tool compares them. Exit 69: no package manager that is known.
set -eu

name=$1
shift

# The database tells whose host it is: a Debian host may have the rpm tool, too.
if [ -r /var/lib/dpkg/status ] && [ -x /usr/bin/dpkg-query ]; then
  printf 'manager\tdpkg\n'
  # shellcheck disable=SC2016 # fields of dpkg-query
  said=$(dpkg-query -W -f '${db:Status-Abbrev}\t${Version}\t${Architecture}\n' -- "$name" 2>/dev/null) ||
    # 1 is no such package; 2 is a database that cannot be read.
    [ "$?" -eq 1 ] || exit 69
  # The path: busybox has a dpkg of its own, which compares nothing.
  compare() { /usr/bin/dpkg --compare-versions "$1" "$2" "$3"; }
elif [ -r /lib/apk/db/installed ] && command -v apk >/dev/null 2>&1; then
  printf 'manager\tapk\n'
  said=$(apk info -e -v -- "$name" 2>/dev/null) || {
    if grep -qxF "P:$name" /lib/apk/db/installed; then exit 69; fi
    said=
  }
  [ -z "$said" ] || said="ii 	${said#"$name"-}	"
  compare() {
    case $2$(apk version -t -- "$1" "$3") in
      'eq=' | 'ge=' | 'ge>' | 'lt<') return 0 ;;
    esac
    return 1
  }
elif [ -x /usr/bin/rpm ]; then
  printf 'manager\trpm\n'
  said=$(/usr/bin/rpm -q --qf 'ii \t%|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}\t%{ARCH}\n' -- "$name" 2>&1) || {
    # It calls everything not installed when it cannot read its database, too.
    case $said in
      *error:*)
        printf '%s\n' "$said" | grep error: >&2
        exit 69
        ;;
      *'is not installed'*) said= ;;
      *)
        printf '%s\n' "$said" >&2
        exit 69
        ;;
    esac
  }
  compare() {
    left=$1 right=$3
    # No epoch is epoch 0; a version without a release stands for all its releases.
    case $right in *:*) ;; *) right=0:$right ;; esac
    case $right in *-*) ;; *) left=${left%-*} ;; esac
    order=$(/usr/bin/rpm --eval "%{lua:print(rpm.vercmp('$left','$right'))}") || exit 69
    case $2$order in
      eq0 | ge0 | ge1 | lt-1) return 0 ;;
      eq-1 | eq1 | ge-1 | lt0 | lt1) return 1 ;;
    esac
    printf 'rpm does not compare versions: %s\n' "$order" >&2
    exit 69
  }
else
  echo 'no package manager that is known (dpkg, rpm, apk)' >&2
  exit 69
fi

tab='	'
printf '%s\n' "$said" | while IFS=$tab read -r status version architecture; do
  [ -n "$version" ] || continue
  printf 'package\t%s\t%s\t%s\n' "$status" "$version" "$architecture"
  for word in "$@"; do
    case $word in
      eq | ge | lt)
        operator=$word
        continue
        ;;
    esac
    answer=no
    if compare "$version" "$operator" "$word"; then answer=yes; fi
    printf 'compare\t%s\t%s\n' "$operator" "$answer"
  done
done
echo 'end	'
