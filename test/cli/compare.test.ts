import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { freePort, type Sshd, startSshd } from '../support/sshd.js';

describeWith('opsctl compare', ['sshd', 'ssh-keygen', 'root'], () => {
  let sshd: Sshd;
  let project: Project;
  let odd: string;
  let usual: string;

  beforeAll(async () => {
    sshd = await startSshd();
    [usual, odd] = [sshd.addUser().name, sshd.addUser().name];
    const host = (index: number, user: string) =>
      `  h${index}: { address: ${sshd.addressOf(index)}, port: ${sshd.port}, user: ${user} }\n`;
    project = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: known_hosts\n',
      known_hosts: `${sshd.hostKeyLine}\n`,
      'inventory.yaml': `defaults: { identity: ${sshd.identity} }\nhosts:\n${host(1, usual)}${host(2, odd)}${host(3, usual)}  gone: { address: 127.0.0.1, port: ${await freePort()}, user: x }\n`,
    });
  });
  afterAll(async () => {
    project.remove();
    await sshd.stop();
  });

  const compare = (...args: string[]) => project.run(['compare', ...args]);

  it('shows the host that answers otherwise first, and exits 1', async () => {
    const ended = await compare('-l', 'h*', '--', 'id', '-un');

    expect(ended.stdout).toBe(`id -un: 2 values\n  h2  (1)\n      ${odd}\n  h[1,3]  (2)\n      ${usual}\n`);
    expect(ended.code).toBe(1);
  });

  it('finds hosts alike in their facts, and exits 0', async () => {
    const ended = await compare('-l', 'h*', '--fact', 'kernel', '--fact', 'users');
    expect(ended.stdout).toBe('the same on 3 hosts: kernel, users\n');
    expect(ended.code).toBe(0);
    expect((await compare('-l', 'h*', '-q', '--fact', 'kernel')).stdout).toBe('');
  });

  it('does not take a host that said nothing for one like the others', async () => {
    const ended = await compare('--fact', 'kernel');

    expect(ended.stdout).toMatch(/gone {2}\(1\)\n {6}not known: /);
    expect(ended.code).toBe(4);
  });

  it('leaves out lines that do not count', async () => {
    const ended = await compare('-l', 'h*', '--ignore', `${odd}|${usual}`, '--', 'id -un; echo same');
    expect(ended.code).toBe(0);
  });

  it('compares what an earlier run found, also as JSON', async () => {
    await project.run(['check', 'command', '--command', 'id -un', '-l', 'h*', '-o', 'json']);
    const ended = await compare('--run', 'last', '--value', 'data.stdout', '--json');

    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      schema: 'opsctl.comparison/1',
      compared: [{ same: false, groups: [{ hosts: ['h2'], value: odd }, { hosts: ['h1', 'h3'] }] }],
    });
  });

  it('refuses what it cannot mean', async () => {
    for (const [args, what] of [
      [['--fact', 'kernal'], 'did you mean `kernel`'],
      [['--value', 'x'], '--run'],
      [['--fact', 'os', '--', 'id'], 'at once'],
      [['--run', 'last', '--step', 'nope'], 'no step nope'],
      [['--ignore', '(', '--fact', 'os'], '--ignore'],
    ] as const) {
      const ended = await compare(...args);
      expect(ended.code).toBe(2);
      expect(ended.stderr).toContain(what);
    }
  });
});
