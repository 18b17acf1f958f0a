import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SshdOptions {
  /** More lines of sshd_config, such as `MaxSessions 3`. */
  readonly config?: readonly string[];
  /** Kinds of host key to make; ed25519 when absent. */
  readonly hostKeys?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
  /** Log sessions, so that `counts()` works. */
  readonly log?: boolean;
}

export interface SshdUserOptions {
  /** Login shell, `/bin/sh` when absent. */
  readonly shell?: string;
  readonly password?: string;
  /** Public key lines for authorized_keys, options included; the helper's own key when absent. */
  readonly authorizedKeys?: readonly string[];
  /** The right-hand side of a sudoers line, such as `ALL=(ALL) NOPASSWD: ALL`. */
  readonly sudoers?: string;
  /** Files in the home folder, such as `.bashrc`. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface SshdUser {
  readonly name: string;
  readonly home: string;
}

export interface Sshd {
  readonly port: number;
  /** Listens on all of 127.0.0.0/8: any of these names a host of its own. */
  readonly address: string;
  addressOf(index: number): string;
  /** `127.0.0.1`-style known_hosts lines for any loopback address on this port. */
  readonly hostKeyLine: string;
  /** All public host keys, `ssh-ed25519 AAAA…`. */
  readonly hostKeys: readonly string[];
  readonly knownHostsFile: string;
  /** A private key (ed25519, no passphrase) that every added user accepts. */
  readonly identity: string;
  readonly folder: string;
  readonly pid: number;
  addUser(options?: SshdUserOptions): SshdUser;
  /** Makes a key pair in the helper's folder and gives the private half's path. */
  makeKey(name: string, type?: string, passphrase?: string): string;
  /** Connections and session channels since the start; needs `log: true`. */
  counts(): { readonly connections: number; readonly channels: number };
  log(): string;
  stop(): Promise<void>;
}

let nextUser = 0;

/** A real sshd on a free port, with users of its own. Needs root. Stop it in `afterAll`. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-sshd-'));
  // sshd walks the path of AuthorizedKeysFile as the user: the folder must be open to it, and root's.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'authorized'), { mode: 0o755 });
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const makeKey = (name: string, type = 'ed25519', passphrase = ''): string => {
    const path = join(folder, name);
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', name, '-f', path]);
    return path;
  };
  const identity = makeKey('identity');
  const types = options.hostKeys ?? ['ed25519'];
  const hostKeyFiles = types.map((type) => makeKey(`host_${type}`, type));
  const hostKeys = hostKeyFiles.map((path) => publicKey(path));
  const port = await freePort();
  const logFile = join(folder, 'log');
  const config = join(folder, 'sshd_config');
  writeFileSync(
    config,
    [
      ...(options.config ?? []),
      `Port ${port}`,
      'ListenAddress 0.0.0.0',
      ...hostKeyFiles.map((path) => `HostKey ${path}`),
      `AuthorizedKeysFile ${folder}/authorized/%u`,
      `PidFile ${folder}/pid`,
      'StrictModes no',
      'UsePAM yes',
      'PermitRootLogin yes',
      'PrintMotd no',
      'PrintLastLog no',
      'UseDNS no',
      'MaxStartups 1000:30:2000',
      'PasswordAuthentication yes',
      'Subsystem sftp internal-sftp',
      ...(options.log ? ['LogLevel DEBUG1'] : []),
      '',
    ].join('\n'),
  );
  const hostKeyLine = hostKeys.map((key) => `127.*,[127.*]:${port} ${key}`).join('\n');
  const knownHostsFile = join(folder, 'known_hosts');
  writeFileSync(knownHostsFile, `${hostKeyLine}\n`);
  const child = spawn('/usr/sbin/sshd', ['-D', '-f', config, '-E', logFile], { stdio: 'ignore' });
  const pid = child.pid;
  if (pid === undefined) throw new Error('sshd did not start');
  await listening(port, () => readFileSync(logFile, 'utf8'));

  const users: string[] = [];
  return {
    port,
    address: '127.0.0.1',
    addressOf: (index) => `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`,
    hostKeyLine,
    hostKeys,
    knownHostsFile,
    identity,
    folder,
    pid,
    makeKey,
    addUser(user = {}) {
      const name = `ops${process.pid.toString(36)}x${(nextUser++).toString(36)}`;
      const home = join(folder, `home-${name}`);
      changeAccounts(['useradd', '-m', '-d', home, '-s', user.shell ?? '/bin/sh', name]);
      users.push(name);
      const password = user.password === undefined ? '*' : user.password;
      if (user.password === undefined) changeAccounts(['usermod', '-p', '*', name]);
      else changeAccounts(['chpasswd'], `${name}:${password}\n`);
      const lines = user.authorizedKeys ?? [publicKey(identity)];
      writeFileSync(join(folder, 'authorized', name), `${lines.join('\n')}\n`, { mode: 0o644 });
      for (const [file, text] of Object.entries(user.files ?? {}))
        writeFileSync(join(home, file), text, { mode: 0o644 });
      if (user.sudoers !== undefined) {
        writeFileSync(`/etc/sudoers.d/${name}`, `${name} ${user.sudoers}\n`, { mode: 0o440 });
      }
      return { name, home };
    },
    log: () => readFileSync(logFile, 'utf8'),
    counts() {
      const text = readFileSync(logFile, 'utf8');
      return {
        // The first connection was our own look whether it listens.
        connections: (text.match(/^Connection from /gm)?.length ?? 1) - 1,
        channels: text.match(/^Starting session: /gm)?.length ?? 0,
      };
    },
    async stop() {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await ended;
      }
      for (const name of users) {
        rmSync(`/etc/sudoers.d/${name}`, { force: true });
        await removeUser(name);
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One at a time on this machine: the tools give up at once when another holds the lock of /etc/passwd. */
function changeAccounts(command: readonly string[], input = ''): void {
  execFileSync('flock', [join(tmpdir(), 'opsctl-accounts.lock'), ...command], {
    input,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** Sessions may take a moment to end; userdel refuses while a process of the user lives. */
async function removeUser(name: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      changeAccounts(['userdel', ...(attempt < 10 ? [] : ['-f']), name]);
      return;
    } catch (error) {
      if (attempt > 12) throw error;
      if (attempt === 3) endProcessesOf(name);
      await sleep(100);
    }
  }
}

/** Ends what runs as the user, such as its sessions. */
export function endProcessesOf(name: string): void {
  const uid = execFileSync('id', ['-u', name], { encoding: 'utf8' }).trim();
  const list = execFileSync('ps', ['-e', '-o', 'pid=,uid='], { encoding: 'utf8' });
  for (const line of list.trim().split('\n')) {
    const [pid, owner] = line.trim().split(/\s+/);
    if (owner === uid) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
  }
}

/** `TYPE BASE64` of a key pair. */
export function publicKey(path: string): string {
  return readFileSync(`${path}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '0.0.0.0', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

async function listening(port: number, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('data', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.setTimeout(1_000, () => resolve(false));
      socket.once('data', () => socket.destroy());
    });
    if (open) return;
    await sleep(25);
  }
  throw new Error(`sshd does not listen: ${log()}`);
}
