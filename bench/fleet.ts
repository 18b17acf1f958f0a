import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeGroup } from './measure.js';

const execute = promisify(execFile);

/** Many hosts that are one sshd: every address of 127.0.0.0/8 leads to it. */
export interface Fleet {
  readonly port: number;
  readonly user: string;
  readonly identity: string;
  /** Folder for the files of the runners. */
  readonly folder: string;
  /** Processor time that sshd and everything below it has used. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export const hostAddress = (index: number): string => `127.1.${Math.floor(index / 250)}.${1 + (index % 250)}`;
export const hostName = (index: number): string => `host${String(index + 1).padStart(4, '0')}`;

export async function startFleet(folder: string): Promise<Fleet> {
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const identity = join(folder, 'id_ed25519');
  const hostKey = join(folder, 'host_key');
  for (const file of [identity, hostKey])
    await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', file]);
  copyFileSync(`${identity}.pub`, join(folder, 'authorized_keys'));
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  writeFileSync(
    config,
    [
      `Port ${port}`,
      'ListenAddress 0.0.0.0',
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${folder}/authorized_keys`,
      `PidFile ${folder}/sshd.pid`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 5000:30:5000',
      'MaxSessions 100',
      'LogLevel FATAL',
      'Subsystem sftp internal-sftp',
      '',
    ].join('\n'),
  );
  const group = makeGroup('fleet');
  // An empty home: what the user's shell does at its start must not count as the cost of a host.
  const inEmptyHome = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o mode=0700 home "$1" && shift && exec "$@"'];
  const [program = '', ...args] = group.wrap([
    ...[...inEmptyHome, 'sh', userInfo().homedir],
    ...['/usr/sbin/sshd', '-D', '-e', '-f', config],
  ]);
  const sshd = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await until(() => accepts(port));

  const [type, key] = readFileSync(`${hostKey}.pub`, 'utf8').split(' ');
  const line = (index: number) => `[${hostAddress(index)}]:${port} ${type} ${key}\n`;
  writeFileSync(join(folder, 'known_hosts'), Array.from({ length: 2000 }, (_, index) => line(index)).join(''));
  return {
    port,
    user: userInfo().username,
    identity,
    folder,
    cpuSeconds: () => group.cpuSeconds(),
    async stop() {
      sshd.kill();
      await once(sshd, 'exit');
      for (const pid of group.pids()) process.kill(pid);
      await group.remove();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function until(ask: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('sshd does not listen');
}
