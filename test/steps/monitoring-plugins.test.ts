import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { type Comparison, compare, compareDifferences } from '../support/monitoring-plugins.js';
import { describeWith } from '../support/needs.js';

const folder = mkdtempSync(join(tmpdir(), 'opsctl-plugins-'));
const place = (name: string) => join(folder, name);
const nobody = () => ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** Space of a small file system. */
const space = (fault: string, mount: string, says: Comparison['says']): Comparison => ({
  ...{ plugin: 'check_disk', fault, says, kind: 'check.disk' },
  args: () => ['-w', '30%', '-c', '10%', '-W', '20%', '-K', '10%', '-p', place(mount)],
  given: () => ({ path: place(mount), warning: 70, critical: 90, 'warning-inodes': 80, 'critical-inodes': 90 }),
});

const age = (fault: string, file: string, says: Comparison['says'], within?: Comparison['within']): Comparison => ({
  ...{ plugin: 'check_file_age', fault, says, kind: 'check.file', ...(within && { within }) },
  args: () => ['-w', '100', '-c', '1000', '-W', '4', '-C', '2', '-f', place(file)],
  given: () => ({
    ...{ path: place(file), 'warning-age': 100, 'critical-age': 1000, 'warning-size': '4:', 'critical-size': '2:' },
  }),
});

const load = (fault: string, warning: number, critical: number, says: Comparison['says']): Comparison => ({
  ...{ plugin: 'check_load', fault, says, kind: 'check.load' },
  args: () => ['-r', '-w', [9999, warning, 9999].join(), '-c', [9999, critical, 9999].join()],
  given: () => ({ warning, critical }),
});

const count = (fault: string, range: string, name: string, says: Comparison['says']): Comparison => ({
  ...{ plugin: 'check_procs', fault, says, kind: 'check.process' },
  args: () => ['-c', range, '-C', name],
  given: () => ({ name, count: range }),
});

const all = (fault: string, warning: number, critical: number, says: Comparison['says']): Comparison => ({
  ...{ plugin: 'check_procs', fault, says, kind: 'check.processes' },
  args: () => ['-w', String(warning), '-c', String(critical)],
  // Zombies are another question.
  given: () => ({ warning, critical, 'warning-zombies': '~:', 'critical-zombies': '~:' }),
});

const lonely = () => [
  'unshare',
  '-n',
  'sh',
  '-c',
  'ip link set lo up; ip link add near type veth peer name far; ip addr add 10.9.8.1/24 dev near; ip link set near up; ip link set far up; exec "$@"',
  'sh',
];
const ping = (fault: string, address: string, says: Comparison['says'], plugin = 'check_ping'): Comparison => ({
  ...{ plugin, fault, says, kind: 'check.ping', within: lonely },
  args: () => ['-H', address, '-w', '1000,40%', '-c', '2000,80%', plugin === 'check_ping' ? '-p' : '-n', '1'],
  given: () => ({ address, count: 1, warning: '1s', critical: '2s' }),
});

/** Where apt finds what it works with: sources, lists and status of a state of its own. */
const aptOptions = (state: string) => ({
  'Dir::State::lists': place(`${state}/lists`),
  'Dir::State::status': place(`${state}/status`),
  'Dir::Etc::sourcelist': place(`${state}/sources.list`),
  'Dir::Etc::sourceparts': '/dev/null',
  'Dir::Cache::pkgcache': '',
  'Dir::Cache::srcpkgcache': '',
  'APT::Sandbox::User': 'root',
});

/** One installed package, a repository that has it in the version of the state, and one for security, empty or that one. */
function makeAptState(state: string, version: number, label: string): void {
  const name = 'Package: opsctl-sample\nArchitecture: all\nMaintainer: Lab <lab@lab.test>\nDescription: sample\n';
  mkdirSync(place(`${state}/lists/partial`), { recursive: true });
  writeFileSync(place(`${state}/status`), `${name}Version: 1\nStatus: install ok installed\n\n`);
  const labels = [...new Set([label, 'Debian-Security'])];
  const sources = labels.map((each) => `deb [trusted=yes] file:${place(`${state}/${each}`)} ./\n`);
  writeFileSync(place(`${state}/sources.list`), sources.join(''));
  for (const each of labels) {
    const sample = `${name}Version: ${version}\nFilename: ./sample.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\n\n`;
    publish(`${state}/${each}`, each, each === label ? sample : '');
  }
  const lines = Object.entries(aptOptions(state)).map(([key, value]) => `${key} "${value}";\n`);
  writeFileSync(place(`${state}/apt.conf`), lines.join(''));
  if (state === 'never') return;
  execFileSync('apt-get', ['update', '-qq'], { env: { ...process.env, APT_CONFIG: place(`${state}/apt.conf`) } });
}

function publish(repository: string, label: string, packages: string): void {
  mkdirSync(place(repository));
  writeFileSync(place(`${repository}/Packages`), packages);
  const hash = createHash('sha256').update(packages).digest('hex');
  writeFileSync(
    place(`${repository}/Release`),
    `Origin: ${label}\nLabel: ${label}\nSuite: stable\nVersion: 12\nDate: ${new Date().toUTCString()}\nSHA256:\n ${hash} ${packages.length} Packages\n`,
  );
}

/** The plugin empties the environment, so it gets the options one by one, in place of its own. */
const apt = (fault: string, state: string, says: Comparison['says']): Comparison => ({
  ...{ plugin: 'check_apt', fault, says, kind: 'check.updates' },
  args: () => [
    ...['-t', '50'],
    `--upgrade=-s -qq ${Object.entries(aptOptions(state))
      .map(([key, value]) => `-o${key}=${value}`)
      .join(' ')}`,
  ],
  given: () => ({ manager: 'apt', warning: 0, 'critical-security': 0 }),
  within: () => ['env', `APT_CONFIG=${place(`${state}/apt.conf`)}`],
});

const onHost: readonly Comparison[] = [
  space('plenty of room', 'half', 'OK'),
  space('little room', 'most', 'WARNING'),
  space('hardly any room', 'full', 'CRITICAL'),
  space('no inodes left', 'inodes', 'CRITICAL'),
  space('no such path', 'none', 'CRITICAL'),
  {
    ...{ plugin: 'check_disk', fault: 'a mount that hangs', says: 'no answer', kind: 'check.disk' },
    within: () => ['timeout', '-s', 'KILL', '9'],
    args: () => ['-w', '30%', '-c', '10%', '-t', '2', '-p', place('hangs')],
    given: () => ({ warning: 100, critical: 100, 'warning-inodes': 100, 'critical-inodes': 100 }),
  },
  load('low', 9999, 9999, 'OK'),
  load('high', 0, 9999, 'WARNING'),
  load('very high', 0, 0, 'CRITICAL'),
  count('as many as wanted', '2:2', 'opsctlnap', 'OK'),
  count('too few', '3:', 'opsctlnap', 'CRITICAL'),
  count('too many', '1', 'opsctlnap', 'CRITICAL'),
  count('none', '1:', 'opsctlnone', 'CRITICAL'),
  all('few processes', 1_000_000, 2_000_000, 'OK'),
  all('many processes', 1, 1_000_000, 'WARNING'),
  all('too many processes', 1, 2, 'CRITICAL'),
  {
    ...{ plugin: 'check_procs', fault: 'zombies', says: 'CRITICAL', kind: 'check.processes' },
    args: () => ['-w', '0', '-c', '0', '-s', 'Z'],
    given: () => ({ 'warning-zombies': 0, 'critical-zombies': 0 }),
  },
  {
    ...{ plugin: 'check_swap', fault: 'no swap at all', says: 'CRITICAL', kind: 'check.swap' },
    args: () => ['-w', '50%', '-c', '20%'],
  },
  age('young', 'young', 'OK'),
  age('old', 'old', 'WARNING'),
  age('very old', 'ancient', 'CRITICAL'),
  age('too small', 'small', 'WARNING'),
  age('missing', 'missing', 'CRITICAL'),
  age('out of sight', 'closed/young', 'CRITICAL', nobody),
  apt('nothing waits', 'current', 'OK'),
  apt('an update waits', 'plain', 'WARNING'),
  apt('a security update waits', 'security', 'CRITICAL'),
  apt('package lists never fetched', 'never', 'OK'),
  {
    ...{ plugin: 'check_mailq', fault: 'no mail server', says: 'UNKNOWN', kind: 'check.mail-queue' },
    args: () => ['-w', '10', '-c', '20', '-M', 'postfix'],
  },
  ping('answers', '10.9.8.1', 'OK'),
  ping('does not answer', '10.9.8.2', 'CRITICAL'),
  ping('no such name', 'no.such.name.invalid', 'UNKNOWN'),
  ping('no way there', '10.7.7.7', 'CRITICAL'),
  ping('answers', '10.9.8.1', 'OK', 'check_icmp'),
  ping('does not answer', '10.9.8.2', 'CRITICAL', 'check_icmp'),
];

const isMounted = (name: string) => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${place(name)} `);

describeWith(
  'monitoring plugins and the checks of hosts',
  ['root', 'bindfs', 'check_disk', 'check_apt', 'ping', 'ip'],
  () => {
    const processes: ChildProcess[] = [];

    beforeAll(async () => {
      chmodSync(folder, 0o755);
      for (const [mount, mebibytes] of Object.entries({ half: 10, most: 16, full: 19, inodes: 1 })) {
        mkdirSync(place(mount));
        const inodes = mount === 'inodes' ? 20 : 1000;
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=20M,nr_inodes=${inodes}`, 'tmpfs', place(mount)]);
        writeFileSync(place(`${mount}/ballast`), Buffer.alloc(mebibytes * 2 ** 20));
      }
      for (let index = 0; index < 17; index += 1) writeFileSync(place(`inodes/${index}`), '');
      for (const [name, seconds] of Object.entries({ young: 0, old: 500, ancient: 5000 })) {
        writeFileSync(place(name), 'hello');
        const then = Date.now() / 1000 - seconds;
        utimesSync(place(name), then, then);
      }
      writeFileSync(place('small'), 'abc');
      mkdirSync(place('closed'), { mode: 0o700 });
      writeFileSync(place('closed/young'), 'hello');
      mkdirSync(place('hangs'));
      const bindfs = spawn('bindfs', ['-f', place('closed'), place('hangs')], { stdio: 'ignore' });
      processes.push(bindfs);
      for (let tries = 0; tries < 200 && !isMounted('hangs'); tries += 1) await sleep(50);
      bindfs.kill('SIGSTOP');
      makeAptState('current', 1, 'Debian');
      makeAptState('plain', 2, 'Debian');
      makeAptState('security', 2, 'Debian-Security');
      makeAptState('never', 2, 'Debian');
      copyFileSync('/bin/sleep', place('opsctlnap'));
      for (let index = 0; index < 2; index += 1) processes.push(spawn(place('opsctlnap'), ['1000']));
      // Its child ends, and nobody waits for it.
      processes.push(spawn('perl', ['-e', 'exit 0 unless fork; sleep 1000']));
    });
    afterAll(async () => {
      for (const child of processes) child.kill('SIGCONT');
      execFileSync('umount', ['-l', place('hangs')]);
      for (const child of processes) child.kill();
      for (const mount of ['half', 'most', 'full', 'inodes']) execFileSync('umount', [place(mount)]);
      rmSync(folder, { recursive: true });
    });

    compare(onHost);
    compareDifferences(onHost);
  },
);
