import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fleet, hostAddress, hostName } from './fleet.js';
import type { Command } from './measure.js';
import type { Checks } from './workload.js';

/** Files that a runner may need; made once for all of them. */
export interface Workload {
  readonly fleet: Fleet;
  readonly checks: Checks;
  /** The checks as one shell script: the very probes that opsctl sends. */
  readonly script: string;
  /** bench/floor.ts as one JavaScript file. */
  readonly floor: string;
}

export interface Runner {
  readonly name: string;
  readonly title: string;
  /** Program that has to be there. */
  readonly needs: string;
  /** Not started on more hosts than this: it would take minutes. */
  readonly most?: number;
  command(hosts: number, workload: Workload): Command;
  /** What the runner does without ssh, on this machine. */
  local?(workload: Workload): Command;
}

const here = import.meta.dirname;
const executable = join(here, '../bin/opsctl.js');

const sshOptions = ({ folder, identity, user }: Fleet) =>
  `-F none -i ${identity} -l ${user} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes ` +
  `-o UserKnownHostsFile=${folder}/known_hosts -o GlobalKnownHostsFile=/dev/null`;

export const runners: readonly Runner[] = [
  {
    name: 'opsctl',
    title: 'opsctl',
    needs: 'node',
    command: (hosts, workload) => ({
      argv: opsctl('run', workload.checks.runbook, '-i', opsctlInventory(hosts, workload), ...options(workload)),
      cwd: workload.fleet.folder,
      env: opsctlEnvironment(workload),
    }),
    local: (workload) => ({
      argv: opsctl('run', workload.checks.runbook, ...options(workload)),
      cwd: workload.fleet.folder,
      env: opsctlEnvironment(workload),
    }),
  },
  {
    name: 'floor',
    title: 'bare ssh2 (floor)',
    needs: 'node',
    command: (hosts, { fleet, script, floor }) => ({
      argv: [
        ...[process.execPath, floor, hostsFile(hosts, fleet, (index) => `${hostAddress(index)}:${fleet.port}`)],
        ...[fleet.user, fleet.identity, join(fleet.folder, 'host_key.pub'), script],
      ],
    }),
    local: ({ script }) => ({ argv: ['sh', '-s'], stdin: script }),
  },
  ssh('ssh', '`xargs -P 50 ssh`', ''),
  ssh('ssh-x25519', '… with curve25519-sha256', '-o KexAlgorithms=curve25519-sha256'),
  {
    name: 'clush',
    title: 'clush, fanout 64',
    needs: 'clush',
    command: (hosts, { fleet, script }) => ({
      argv: [
        ...['clush', '-q', '-S', '-f', '64', '-o', `-p ${fleet.port} ${sshOptions(fleet)}`],
        ...['--hostfile', hostsFile(hosts, fleet, hostAddress), 'sh -s'],
      ],
      stdin: script,
      env: { HOME: fleet.folder },
    }),
  },
  ansible('ansible-tuned', 'Ansible, forks 50, pipelining', {
    ANSIBLE_FORKS: '50',
    ANSIBLE_PIPELINING: 'True',
  }),
  ansible('ansible', 'Ansible, defaults (forks 5)', {}),
];

function ssh(name: string, title: string, more: string): Runner {
  return {
    name,
    title,
    needs: 'xargs',
    command: (hosts, { fleet, script }) => ({
      argv: [
        ...['xargs', '-a', hostsFile(hosts, fleet, hostAddress), '-P', '50', '-I', '{}', 'sh', '-c'],
        `ssh -p ${fleet.port} ${sshOptions(fleet)} ${more} {} 'exec /bin/sh -s' <${script}`,
      ],
    }),
  };
}

function ansible(name: string, title: string, settings: Readonly<Record<string, string>>): Runner {
  const environment = ({ fleet }: Workload) => ({
    HOME: fleet.folder,
    LC_ALL: 'C.UTF-8',
    ANSIBLE_HOME: join(fleet.folder, 'ansible'),
    ANSIBLE_LOCALHOST_WARNING: 'False',
    ...settings,
  });
  const playbook = ({ fleet }: Workload) => [...[join(here, 'ten-checks.playbook.yaml'), '-e', `port=${fleet.port}`]];
  return {
    name,
    title,
    needs: 'ansible-playbook',
    most: 100,
    command(hosts, workload) {
      const { fleet } = workload;
      const inventory = hostsFile(hosts, fleet, (index) => `${hostName(index)} ansible_host=${hostAddress(index)}`);
      return {
        argv: ['ansible-playbook', '-i', inventory, ...playbook(workload)],
        env: {
          ...environment(workload),
          ANSIBLE_REMOTE_PORT: String(fleet.port),
          ANSIBLE_REMOTE_USER: fleet.user,
          ANSIBLE_PRIVATE_KEY_FILE: fleet.identity,
          ANSIBLE_SSH_COMMON_ARGS: sshOptions(fleet),
          // Several runs in a row must not find the connections of the last one.
          ANSIBLE_SSH_CONTROL_PATH_DIR: join(fleet.folder, `cp-${process.hrtime.bigint()}`),
        },
        cwd: fleet.folder,
      };
    },
    local: (workload) => ({
      argv: ['ansible-playbook', '-i', 'localhost,', '-c', 'local', ...playbook(workload)],
      env: environment(workload),
      cwd: workload.fleet.folder,
    }),
  };
}

function opsctl(...args: readonly string[]): readonly string[] {
  return [process.execPath, executable, ...args];
}

function options({ fleet, checks }: Workload): readonly string[] {
  return [...checks.flags(fleet), '-o', `json=${join(fleet.folder, 'result.json')}`, '--quiet'];
}

function opsctlEnvironment({ fleet }: Workload): Record<string, string> {
  return { HOME: fleet.folder, XDG_STATE_HOME: join(fleet.folder, 'state') };
}

function opsctlInventory(hosts: number, { fleet }: Workload): string {
  const file = join(fleet.folder, `inventory-${hosts}.yaml`);
  const lines = Array.from(
    { length: hosts },
    (_, index) => `  ${hostName(index)}: { address: ${hostAddress(index)} }\n`,
  );
  writeFileSync(
    file,
    `defaults: { user: ${fleet.user}, port: ${fleet.port}, identity: ${fleet.identity} }\nhosts:\n${lines.join('')}`,
    { mode: 0o600 },
  );
  mkdirSync(join(fleet.folder, '.ssh'), { recursive: true, mode: 0o700 });
  writeFileSync(join(fleet.folder, 'opsctl.yaml'), `known_hosts: ${fleet.folder}/known_hosts\n`);
  return file;
}

function hostsFile(hosts: number, fleet: Fleet, line: (index: number) => string): string {
  const lines = Array.from({ length: hosts }, (_, index) => `${line(index)}\n`).join('');
  const file = join(fleet.folder, `hosts-${hosts}-${lines.length}`);
  writeFileSync(file, lines);
  return file;
}
