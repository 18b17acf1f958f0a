import type { LabHost } from './host.js';

/** Faults that a test plants on a host. Each returns when the fault can be seen. */

const makeFileSystem = (mount: string, size: string, options: string) => `
  set -e
  image=/var/lib/lab$(echo ${mount} | tr / -).img
  mkdir -p /var/lib/lab ${mount}
  truncate -s ${size} "$image"
  mkfs.ext4 -q ${options} "$image"
  [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
  # Another host may take the free device first.
  for attempt in 1 2 3 4 5 6 7 8; do
    device=$(losetup -f)
    [ -e "$device" ] || mknod "$device" b 7 "\${device#/dev/loop}"
    ! mount -o loop="$device" "$image" ${mount} || break
  done
  mountpoint -q ${mount}
`;

/** A file system of its own with no block left. */
export async function fillSpace(host: LabHost, mount = '/srv/full'): Promise<void> {
  await host.must(`${makeFileSystem(mount, '8M', '-m 0')} cat /dev/zero >${mount}/ballast 2>/dev/null || :`);
}

/** A file system with room for bytes and none for another file. */
export async function fillInodes(host: LabHost, mount = '/srv/inodes'): Promise<void> {
  await host.must(`${makeFileSystem(mount, '8M', '-m 0 -N 32')}
i=0; while touch "${mount}/$i" 2>/dev/null && [ "$i" -lt 1000 ]; do i=$((i + 1)); done`);
}

/** A mount on which every access hangs, as on an NFS server that went away. */
export async function killMount(host: LabHost, mount = '/srv/dead'): Promise<void> {
  await host.must(`
    [ -e /dev/fuse ] || mknod /dev/fuse c 10 229
    mkdir -p ${mount} && bindfs /var/tmp ${mount} && pkill -STOP -f '^bindfs /var/tmp ${mount}$'
  `);
}

/** Lets a dead mount answer again. */
export async function reviveMount(host: LabHost, mount = '/srv/dead'): Promise<void> {
  await host.must(`pkill -CONT -f '^bindfs /var/tmp ${mount}$'`);
}

/** A unit that was started and failed. */
export async function failUnit(host: LabHost, unit = 'broken'): Promise<void> {
  await host.writeFile(
    `/etc/systemd/system/${unit}.service`,
    '[Unit]\nDescription=Fails at once\n[Service]\nType=oneshot\nExecStart=/bin/false\n',
  );
  await host.must(`systemctl daemon-reload; ! systemctl start ${unit} 2>/dev/null`);
}

/** A unit that systemd starts again and again. */
export async function crashLoop(host: LabHost, unit = 'flapping'): Promise<void> {
  await host.writeFile(
    `/etc/systemd/system/${unit}.service`,
    '[Unit]\nDescription=Crashes in a loop\nStartLimitIntervalSec=0\n' +
      '[Service]\nExecStart=/bin/sh -c "sleep 0.2; exit 3"\nRestart=always\nRestartSec=200ms\n',
  );
  await host.must(
    `systemctl daemon-reload && systemctl start ${unit} && while [ "$(systemctl show -P NRestarts ${unit})" -lt 3 ]; do sleep 0.2; done`,
  );
}

export async function stopService(host: LabHost, unit = 'cron'): Promise<void> {
  await host.must(`systemctl stop ${unit}`);
}

/** nginx serves http on 80, a valid certificate on 443 and an expired one on 8443; this closes all three. */
export async function closePorts(host: LabHost): Promise<void> {
  await stopService(host, 'nginx');
}
