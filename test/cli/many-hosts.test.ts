import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { inShell } from './shell.js';

const count = 200;

describeWith('a run on 200 hosts', ['sshd', 'ssh-keygen', 'root'], () => {
  let sshd: Sshd;
  let project: Project;
  beforeAll(async () => {
    sshd = await startSshd();
    const user = sshd.addUser().name;
    const hosts = Array.from({ length: count }, (_, index) => `  h${index}: { address: ${sshd.addressOf(index)} }\n`);
    project = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: known_hosts\n',
      known_hosts: `${sshd.hostKeyLine}\n`,
      'inventory.yaml': `defaults: { user: ${user}, port: ${sshd.port}, identity: ${sshd.identity} }\nhosts:\n${hosts.join('')}`,
    });
  });
  afterAll(async () => {
    project.remove();
    await sshd.stop();
  });

  it('with few files to open takes fewer hosts at once, says so, and reaches all', async () => {
    const ended = await inShell(project, 'ulimit -n 64; opsctl exec -o json -- uname', { seconds: 110 });

    expect(ended.stderr).toMatch(/at most \d+ of 100 hosts at once: this process may open 64 files \(ulimit -n\)/);
    expect(JSON.parse(ended.stdout)).toMatchObject({ totals: { ok: count }, exit: { code: 0 } });
    expect(ended.code).toBe(0);
  });

  it('shows equal answers once, with their hosts', async () => {
    const ended = await project.run(['exec', '-q', '--', 'sh', '-c', 'echo same']);
    const loud = await project.run(['exec', '--', 'uname']);

    expect(ended.stdout).toBe('');
    expect(loud.stdout).toBe(`h[0-199]  (${count})\n    Linux\n`);
  });
});
