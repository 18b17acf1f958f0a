#!/bin/sh
# Makes a certificate authority and, for each host, a valid and an expired certificate: certificates.sh FOLDER NAME=ADDRESS...
# Writes FOLDER/ca.crt and FOLDER/seed/NAME/etc/nginx/lab/{valid,expired}.{crt,key}.
set -eu

folder=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1"; }
day() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }

cat >ca.conf <<'CONF'
[ca]
default_ca = lab
[lab]
database = index
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
CONF
: >index

key ca.key
openssl req -x509 -new -key ca.key -subj '/CN=lab authority' -days 3650 -out ca.crt
cp ca.crt "$folder/ca.crt"

# issue FOLDER KIND SUBJECT-ALT-NAMES FROM-DAY TO-DAY
issue() {
  key "$1/$2.key"
  openssl req -new -key "$1/$2.key" -subj "/CN=$name" -addext "subjectAltName=$3" -out "$2.csr"
  openssl ca -batch -notext -config ca.conf -cert ca.crt -keyfile ca.key -in "$2.csr" -out "$1/$2.crt" \
    -startdate "$(day "$4")" -enddate "$(day "$5")" 2>/dev/null
}

for host in "$@"; do
  name=${host%%=*} address=${host#*=}
  target=$folder/seed/$name/etc/nginx/lab
  mkdir -p "$target"
  issue "$target" valid "DNS:$name,IP:$address" -1 365
  issue "$target" expired "DNS:$name,IP:$address" -30 -2
done
