import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunResult } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { makeProject, stepOf } from '../support/opsctl.js';
import { type Sshd, startSshd } from '../support/sshd.js';

/** What Debian has, and this host has not. */
const tools = ['ss', 'pgrep', 'getent', 'lsof', 'systemctl', 'bash', 'perl'];

const steps = `
  - { id: load, uses: check.load }
  - { id: memory, uses: check.memory }
  - { id: disk, uses: check.disk, with: { path: / } }
  - { id: uptime, uses: check.uptime }
  - { id: processes, uses: check.processes }
  - { id: process, uses: check.process, with: { name: sshd } }
  - { id: port, uses: check.port, with: { port: PORT } }
  - { id: file, uses: check.file, with: { path: /etc/passwd, mode: "0644", type: file, contains: root } }
  - { id: user, uses: check.user, with: { name: root, home: /root } }
  - { id: group, uses: check.group, with: { name: root } }
  - { id: parameter, uses: check.kernel-parameter, with: { name: kernel.ostype, value: Linux } }
  - { id: pressure, uses: check.pressure }
  - { id: files, uses: check.file-descriptors }
  - { id: command, uses: check.command, with: { command: echo hello } }
`;

/** The names and types of what JSON holds, without its values. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, shapeOf(inner)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

describeWith('a host that has busybox and nothing else', ['sshd', 'ssh-keygen', 'busybox', 'root'], () => {
  // sshd wants a chroot below folders that only root can write to.
  const root = mkdtempSync('/var/lib/opsctl-busybox-');
  const project = makeProject();
  const servers: Sshd[] = [];
  let result: RunResult;

  beforeAll(async () => {
    chmodSync(root, 0o755);
    for (const folder of ['bin', 'etc', 'proc', 'dev', 'root', 'tmp']) mkdirSync(join(root, folder), { mode: 0o755 });
    copyFileSync(execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim(), join(root, 'bin/busybox'));
    for (const applet of execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n'))
      if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
    execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
    execFileSync('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3']);

    servers.push(await startSshd({ config: [`ChrootDirectory ${root}`] }), await startSshd());
    const hosts = servers.map((sshd, index) => {
      const { name } = sshd.addUser();
      const { port, identity } = sshd;
      return [
        index === 0 ? 'busybox' : 'debian',
        { address: '127.0.0.1', user: name, connect: { port, identity } },
      ] as const;
    });
    for (const file of ['passwd', 'group']) copyFileSync(`/etc/${file}`, join(root, 'etc', file));
    project.write('known_hosts', servers.map(({ knownHostsFile }) => readFileSync(knownHostsFile, 'utf8')).join(''));
    project.write('opsctl.yaml', 'inventory: inventory.yaml\nknown_hosts: known_hosts\n');
    project.write('inventory.yaml', JSON.stringify({ hosts: Object.fromEntries(hosts) }));
    const text = steps.replace('PORT', String(servers[0]?.port));
    project.write('checks.yaml', `name: Checks\nhosts: all\nsteps:${text}`);
    const ended = await project.run(['run', 'checks.yaml', '-o', 'json']);
    if (ended.stdout === '') throw new Error(ended.stderr);
    result = ended.json();
  });
  afterAll(async () => {
    project.remove();
    for (const sshd of servers) await sshd.stop();
    execFileSync('umount', [join(root, 'proc')]);
    rmSync(root, { recursive: true, force: true });
  });

  it('is one', async () => {
    const lacks = tools.filter((tool) => !existsSync(join(root, 'bin', tool)));

    expect(lacks).toEqual(tools);
  });

  it('answers the basic checks in the same shape as Debian', () => {
    const ids = [...steps.matchAll(/id: (\w+)/g)].map(([, id]) => id as string);
    const told = (host: string) =>
      Object.fromEntries(
        ids.map((id) => {
          const { outcome, data, metrics } = stepOf(result, host, id);
          const measured = outcome === 'warning' || outcome === 'failed' ? 'ok' : outcome;
          return [id, { measured, data: shapeOf(data), metrics: metrics.map(({ name, unit }) => `${name} ${unit}`) }];
        }),
      );

    expect(ids.length).toBeGreaterThan(12);
    expect(told('busybox')).toEqual(told('debian'));
    for (const id of ids) {
      const { outcome, summary } = stepOf(result, 'busybox', id);
      expect(['ok', 'warning', 'failed'], `${id}: ${summary}`).toContain(outcome);
    }
  });

  it('gets a runbook of what it has from opsctl discover, smaller and just as true', async () => {
    const ended = await project.run(['discover', 'busybox', '-o', 'busybox.yaml']);
    expect(ended.stderr).toMatch(/^wrote busybox\.yaml: /);
    const text = readFileSync(join(project.folder, 'busybox.yaml'), 'utf8');

    expect(text).toContain('uses: check.user');
    expect(text).toContain('uses: check.kernel-parameter');
    expect(text).not.toMatch(/check\.(?:service|systemd|timer|package)/);
    // Other tests open ports on this machine meanwhile.
    expect((await project.run(['run', 'busybox.yaml', '-q', '--tags', 'users,kernel'])).code).toBe(0);
  });
});
