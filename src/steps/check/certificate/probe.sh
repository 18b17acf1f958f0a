#!/bin/sh
# Prints the certificates in the files that match the patterns from $2 on, never a key. $1 is the password of keystores,
# which no process gets as an argument. Under a file `locked`: it does not open; `lacks TOOL`: nothing here reads it.
# `missing` and `folder` are patterns that match nothing, or no file.
# Exit 69: cannot tell; 77: a file or its folder is closed to this user.
set -eu
. ../nearest-folder.sh

command -v sed >/dev/null || exit 127
password=$1
shift

# Only these lines: the same file may hold the key.
certificates() {
  sed -n '/^-----BEGIN \(X509 \|TRUSTED \)\{0,1\}CERTIFICATE-----/,/^-----END \(X509 \|TRUSTED \)\{0,1\}CERTIFICATE-----/p'
}

pkcs12() {
  printf '%s\n' "$password" | openssl pkcs12 -nokeys -passin stdin -in "$@" 2>/dev/null
}

read_pkcs12() {
  command -v openssl >/dev/null || {
    echo 'lacks openssl'
    return
  }
  # What older programs wrote has ciphers that OpenSSL 3 only knows when asked.
  if found=$(pkcs12 "$1") || found=$(pkcs12 "$1" -legacy); then
    printf '%s\n' "$found" | certificates
  else
    echo locked
  fi
}

read_java() {
  keytool=
  for candidate in "$(command -v keytool)" "${JAVA_HOME-}/bin/keytool" /usr/lib/jvm/*/bin/keytool; do
    [ -z "$keytool" ] && [ -x "$candidate" ] && keytool=$candidate
  done
  [ -n "$keytool" ] || {
    echo 'lacks keytool'
    return
  }
  # Without a password it lists, and only does not verify.
  store=$1 type=$2
  set --
  [ -z "$password" ] || set -- -storepass:file /dev/stdin
  if found=$(printf '%s\n' "$password" | "$keytool" -J-XX:-UsePerfData -list -rfc -storetype "$type" -keystore "$store" "$@" 2>/dev/null); then
    printf '%s\n' "$found" | certificates
  else
    echo locked
  fi
}

read_der() {
  command -v openssl >/dev/null || {
    echo 'lacks openssl'
    return
  }
  { openssl x509 -inform der -in "$1" || openssl pkcs7 -inform der -print_certs -in "$1"; } 2>/dev/null | certificates
}

read_pem() {
  found=$(certificates <"$1")
  if [ -n "$found" ] || ! grep -q '^-----BEGIN PKCS7-----' <"$1"; then
    printf '%s\n' "$found"
    return
  fi
  command -v openssl >/dev/null || {
    echo 'lacks openssl'
    return
  }
  openssl pkcs7 -print_certs -in "$1" 2>/dev/null | certificates
}

for pattern in "$@"; do
  matched=
  # A name with spaces is one name.
  IFS=
  for file in $pattern; do
    [ -e "$file" ] || {
      # A link that leads nowhere is a certificate that is gone.
      [ ! -L "$file" ] || {
        matched=1
        printf 'missing %s\n' "$file"
      }
      continue
    }
    matched=${matched:-folder}
    # Folders beside the files are no matter; a pipe would never end.
    [ -f "$file" ] || continue
    matched=1
    [ -r "$file" ] || {
      printf 'no permission to read %s\n' "$file" >&2
      exit 77
    }
    printf 'file %s\n' "$file"
    case $(od -An -tx1 -N 12 <"$file" 2>/dev/null | tr -d ' \n') in
    feedfeed*) read_java "$file" JKS ;;
    cececece*) read_java "$file" JCEKS ;;
    # A sequence that begins with the number 3.
    3080020103* | 3081??020103* | 3082????020103* | 3083??????020103*) read_pkcs12 "$file" ;;
    308[0-4]*) read_der "$file" ;;
    *) read_pem "$file" ;;
    esac
  done
  unset IFS
  case $matched in
    1) continue ;;
    folder)
      printf 'folder %s\n' "$pattern"
      continue
      ;;
  esac
  # Nothing there, or only out of sight? That depends on the nearest folder whose name is no pattern.
  folder=${pattern%%[*?[]*}
  nearest_folder "${folder%/*}"
  if [ ! -x "$folder" ] || [ ! -r "$folder" ]; then
    printf 'no permission to look into %s\n' "$folder" >&2
    exit 77
  fi
  printf 'missing %s\n' "$pattern"
done
echo end
