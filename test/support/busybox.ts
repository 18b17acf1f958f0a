import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Sshd, startSshd } from './sshd.js';

export interface BusyboxHost {
  /** Its root folder, seen from here. */
  readonly root: string;
  /** An inventory that holds it, as `tiny`. */
  readonly inventory: string;
  stop(): Promise<void>;
}

/** What a machine needs for it, for `describeWith`. */
export const busyboxNeeds = ['root', 'sshd', 'ssh-keygen', 'busybox'] as const;

/** A host behind sshd that has nothing but busybox, /proc, /sys and its own /etc. Ports and processes are those of this machine. */
export async function startBusyboxHost(etc: Readonly<Record<string, string>>): Promise<BusyboxHost> {
  // sshd wants every folder above it to be closed to others, which /tmp is not.
  const root = mkdtempSync('/var/lib/opsctl-busybox-');
  execFileSync('chmod', ['755', root]);
  for (const folder of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'root']) mkdirSync(join(root, folder));
  copyFileSync(
    execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim(),
    join(root, 'bin/busybox'),
  );
  execFileSync('chroot', [root, '/bin/busybox', '--install', '-s', '/bin']);
  execFileSync('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3']);
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  execFileSync('mount', ['--bind', '/sys', join(root, 'sys')]);
  for (const [name, text] of Object.entries(etc)) writeFileSync(join(root, 'etc', name), text);
  const sshd: Sshd = await startSshd({ config: [`ChrootDirectory ${root}`] });
  const { name } = sshd.addUser();
  return {
    root,
    inventory: `hosts: { tiny: { address: ${sshd.address}, port: ${sshd.port}, user: ${name}, identity: ${sshd.identity}, host_key: "${sshd.hostKeys[0]}" } }\n`,
    async stop() {
      await sshd.stop();
      for (const folder of ['proc', 'sys']) execFileSync('umount', ['-l', join(root, folder)]);
      rmSync(root, { recursive: true });
    },
  };
}
