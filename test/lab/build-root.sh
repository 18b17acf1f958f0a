#!/bin/sh
# Builds the Debian root that all hosts of a lab share: build-root.sh TARGET PACKAGE,PACKAGE,...
# Does nothing when TARGET is there. Exit 0, or the status of what failed.
set -eu

target=$1 packages=$2

mkdir -p "$(dirname "$target")"
exec 9>"$target.lock"
flock 9
[ ! -d "$target" ] || exit 0

build=$target.building
rm -rf --one-file-system "$build"
mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$build"

in_root() { chroot "$build" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

in_root useradd --create-home --shell /bin/bash ops
in_root passwd --quiet --delete root
printf 'ops ALL=(ALL) NOPASSWD: ALL\n' >"$build/etc/sudoers.d/ops"
chmod 0440 "$build/etc/sudoers.d/ops"

# Nothing on a lab host may start by the clock or wait for a console.
in_root systemctl mask --quiet \
  apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer dpkg-db-backup.timer \
  console-getty.service getty@.service systemd-networkd-wait-online.service

# Every host gets keys of its own; a lab that starts many hosts at once must not run into sshd's limit.
rm -f "$build"/etc/ssh/ssh_host_*
printf 'MaxStartups 100:30:200\nPermitRootLogin prohibit-password\n' >"$build/etc/ssh/sshd_config.d/lab.conf"

mkdir -p "$build/etc/nginx/lab"
cat >"$build/etc/nginx/sites-available/default" <<'NGINX'
server {
  listen 80 default_server;
  listen 443 ssl default_server;
  ssl_certificate /etc/nginx/lab/valid.crt;
  ssl_certificate_key /etc/nginx/lab/valid.key;
  root /var/www/html;
  location = /health { default_type text/plain; return 200 "ok\n"; }
  location = /broken { default_type text/plain; return 503 "down for repair\n"; }
}
server {
  listen 8443 ssl;
  ssl_certificate /etc/nginx/lab/expired.crt;
  ssl_certificate_key /etc/nginx/lab/expired.key;
  location / { default_type text/plain; return 200 "ok\n"; }
}
NGINX

mv "$build" "$target"
