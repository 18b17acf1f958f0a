import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { LabHost } from './host.js';
import { type Finished, mustRun, type ProcessOptions, run, type Started, start } from './process.js';
import { ensureRoot } from './root.js';

export interface LabOptions {
  /** How many hosts, or their names (at most ten characters each). */
  readonly hosts: number | readonly string[];
  /** Debian packages that the hosts need on top. */
  readonly packages?: readonly string[];
}

/** A controller and some real Debian hosts with systemd, in namespaces of their own. */
export interface Lab {
  readonly folder: string;
  readonly hosts: readonly LabHost[];
  /** Inventory with all hosts. */
  readonly inventory: string;
  readonly identity: string;
  readonly knownHosts: string;
  /** Certificate of the authority that signed the hosts' certificates. */
  readonly authority: string;
  host(name: string): LabHost;
  /** Runs a program on the lab's network; `env` is all the environment it gets besides PATH and HOME. */
  run(command: readonly string[], options?: ProcessOptions): Promise<Finished>;
  start(command: readonly string[], options?: ProcessOptions): Started;
  /** Runs the built opsctl on the lab's network, in the lab's project folder. */
  opsctl(args: readonly string[], options?: ProcessOptions): Promise<Finished>;
  startOpsctl(args: readonly string[], options?: ProcessOptions): Started;
  /** Runs a command on a host with the system's ssh client, as the user `ops`. */
  ssh(host: LabHost, command: string, options?: ProcessOptions): Promise<Finished>;
  stop(): Promise<void>;
}

/** What a machine needs for a lab, for `describeWith`. */
export const labNeeds = ['root', 'mmdebstrap', 'systemd-nspawn', 'unshare', 'ip', 'ssh', 'openssl'] as const;

const here = import.meta.dirname;
/** The command under test. */
export const executable = join(here, '../../bin/opsctl.js');
const prefix = 'opsctl-lab-';

/** Builds the root when it is not cached, boots the hosts and waits until they answer. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const names =
    typeof options.hosts === 'number'
      ? Array.from({ length: options.hosts }, (_, index) => `host${index + 1}`)
      : options.hosts;
  removeStaleLabs();
  const base = await ensureRoot(options.packages ?? [], process.env);
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  const addresses = names.map((name, index) => ({
    name,
    address: `10.77.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`,
  }));
  await writeSeed(folder, base, addresses);

  const id = basename(folder);
  const supervisor = spawn(
    'unshare',
    [
      '--mount',
      '--net',
      '--pid',
      '--fork',
      '--kill-child=KILL',
      '--mount-proc',
      'sh',
      join(here, 'supervisor.sh'),
    ].concat(
      [folder, id],
      addresses.map(({ name, address }) => `${name}=${address}`),
    ),
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let said = '';
  supervisor.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ready = await Promise.race([
    once(supervisor.stdout.setEncoding('utf8'), 'data').then(() => true),
    once(supervisor, 'exit').then(() => false),
  ]);
  if (!ready) throw new Error(`the lab did not start:\n${said}`);
  supervisor.stdout.resume();
  const place = { folder, supervisor: childOf(supervisor.pid ?? 0) };

  const hosts = addresses.map(({ name, address }) => new LabHost(place, name, address));
  // Ends with this process: unlike the hosts it lives outside the lab's pid namespace, for its own /proc.
  const network = (command: readonly string[]) => [
    ...['--pdeathsig', 'KILL', 'nsenter', '-t', String(place.supervisor), '-n', '--', 'unshare', '--mount', 'sh', '-c'],
    // Only this process sees the lab's names; the mount goes away with it.
    'mount --bind "$1" /etc/hosts && shift && exec "$@"',
    ...['sh', join(folder, 'hosts.txt'), ...command],
  ];
  const project = join(folder, 'project');
  const withDefaults = (settings: ProcessOptions = {}): ProcessOptions => ({
    cwd: project,
    timeoutSeconds: 120,
    ...settings,
    env: { PATH: process.env.PATH, HOME: join(folder, 'home'), XDG_STATE_HOME: join(folder, 'state'), ...settings.env },
  });
  const lab: Lab = {
    folder,
    hosts,
    inventory: join(project, 'inventory.yaml'),
    identity: join(folder, 'home/.ssh/id_ed25519'),
    knownHosts: join(folder, 'home/.ssh/known_hosts'),
    authority: join(folder, 'ca.crt'),
    host(name) {
      const host = hosts.find((candidate) => candidate.name === name);
      if (!host) throw new Error(`the lab has no host ${name}`);
      return host;
    },
    run: (command, settings) => run('setpriv', network(command), withDefaults(settings)),
    start: (command, settings) => start('setpriv', network(command), withDefaults(settings)),
    opsctl: (args, settings) => lab.run([process.execPath, executable, ...args], settings),
    startOpsctl: (args, settings) => lab.start([process.execPath, executable, ...args], settings),
    ssh: (host, command, settings) =>
      lab.run(['ssh', '-F', join(folder, 'home/.ssh/config'), host.name, command], settings),
    async stop() {
      supervisor.stdin.end();
      if (supervisor.exitCode === null && supervisor.signalCode === null) {
        const timer = setTimeout(() => supervisor.kill('SIGKILL'), 5000);
        await once(supervisor, 'exit');
        clearTimeout(timer);
      }
      removeLab(folder);
    },
  };
  try {
    await Promise.all(hosts.map((host) => host.waitUntilUp(60)));
  } catch (error) {
    const logs = addresses.map(({ name }) => readIfThere(join(folder, `${name}.boot.log`)).slice(-2000));
    await lab.stop();
    throw new Error(`the lab did not boot:\n${said}${logs.join('\n')}`, { cause: error });
  }
  return lab;
}

async function writeSeed(
  folder: string,
  base: string,
  hosts: readonly { readonly name: string; readonly address: string }[],
): Promise<void> {
  for (const path of ['hosts', 'project', 'seed/all/etc/ssh', 'home/.ssh'])
    mkdirSync(join(folder, path), { recursive: true });
  chmodSync(folder, 0o755);
  chmodSync(join(folder, 'home/.ssh'), 0o700);
  symlinkSync(base, join(folder, 'base'));

  const identity = join(folder, 'home/.ssh/id_ed25519');
  await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', identity]);
  for (const home of ['root', 'home/ops']) {
    const target = join(folder, 'seed/all', home, '.ssh');
    mkdirSync(target, { recursive: true, mode: 0o700 });
    copyFileSync(`${identity}.pub`, join(target, 'authorized_keys'));
  }
  // uid and gid of the user ops: the first ordinary account of the root
  await mustRun('chown', ['-R', '1000:1000', join(folder, 'seed/all/home/ops')]);

  const hostsFile = ['127.0.0.1 localhost', ...hosts.map(({ name, address }) => `${address} ${name}`), ''].join('\n');
  writeFileSync(join(folder, 'hosts.txt'), hostsFile);
  writeFileSync(join(folder, 'seed/all/etc/hosts'), hostsFile);

  const knownHosts: string[] = [];
  for (const { name, address } of hosts) {
    const etc = join(folder, 'seed', name, 'etc');
    mkdirSync(join(etc, 'ssh'), { recursive: true });
    writeFileSync(join(etc, 'hostname'), `${name}\n`);
    for (const type of ['ed25519', 'ecdsa'])
      await mustRun('ssh-keygen', [
        '-q',
        '-t',
        type,
        '-N',
        '',
        '-C',
        name,
        '-f',
        join(etc, `ssh/ssh_host_${type}_key`),
      ]);
    const [type, key] = readFileSync(join(etc, 'ssh/ssh_host_ed25519_key.pub'), 'utf8').split(' ');
    knownHosts.push(`${name},${address} ${type} ${key}\n`);
  }
  const knownHostsFile = join(folder, 'home/.ssh/known_hosts');
  writeFileSync(knownHostsFile, knownHosts.join(''), { mode: 0o600 });
  writeFileSync(
    join(folder, 'home/.ssh/config'),
    `IdentityFile ${identity}\nIdentitiesOnly yes\nUserKnownHostsFile ${knownHostsFile}\nGlobalKnownHostsFile /dev/null\n` +
      `User ops\nBatchMode yes\nStrictHostKeyChecking yes\nConnectTimeout 5\nServerAliveInterval 1\nServerAliveCountMax 2\n`,
    { mode: 0o600 },
  );
  const inventory = {
    defaults: { user: 'ops', identity },
    hosts: Object.fromEntries(hosts.map(({ name, address }) => [name, { address }])),
  };
  writeFileSync(join(folder, 'project/inventory.yaml'), stringify(inventory));
  const defaults = { inventory: 'inventory.yaml', known_hosts: knownHostsFile };
  writeFileSync(join(folder, 'project/opsctl.yaml'), stringify(defaults));
  await mustRun('sh', [
    join(here, 'certificates.sh'),
    folder,
    ...hosts.map(({ name, address }) => `${name}=${address}`),
  ]);
}

/** Labs whose process is gone have ended by themselves; only their files and control groups are left. */
function removeStaleLabs(): void {
  for (const entry of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(entry)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeLab(join(tmpdir(), entry));
  }
}

function removeLab(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const hierarchy of ['', 'systemd', 'unified'])
    removeControlGroup(join('/sys/fs/cgroup', hierarchy, basename(folder)));
}

function removeControlGroup(group: string): void {
  if (!existsSync(group)) return;
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeControlGroup(join(group, entry.name));
  try {
    rmdirSync(group);
  } catch {
    // A process of the lab is still ending; the next lab removes the group.
  }
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
