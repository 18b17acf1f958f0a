import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project, stepOf } from '../support/opsctl.js';
import { freePort, type Sshd, startSshd } from '../support/sshd.js';

const tenChecks = `name: Ten
hosts: fleet
steps:
  - { id: load, uses: check.load, with: { warning: 1000, critical: 1000 } }
  - { id: memory, uses: check.memory, with: { warning: "0:", critical: "0:" } }
  - { id: disk, uses: check.disk, with: { path: / } }
  - { id: systemd, uses: check.systemd }
  - { id: port, uses: check.port, with: { port: PORT } }
  - { id: file, uses: check.file, with: { path: /etc/passwd, mode: "0644" } }
  - { id: one, uses: check.command, with: { command: "echo 1" } }
  - { id: two, uses: run.command, with: { command: "echo \\"$1\\"", args: ["a'b"], effect: read } }
  - { id: three, uses: run.command, with: { command: "printf 'no newline'", effect: read } }
  - { id: four, uses: run.script, with: { script: "cat; echo end", effect: read } }
`;

describeWith('a run over ssh', ['sshd', 'ssh-keygen', 'sudo', 'root'], () => {
  let sshd: Sshd;
  let project: Project;
  let user: string;

  beforeAll(async () => {
    sshd = await startSshd({ log: true, config: ['MaxStartups 100:30:200'] });
    user = sshd.addUser().name;
    project = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: known_hosts\n',
      known_hosts: `${sshd.hostKeyLine}\n`,
    });
    inventory(project, user, 5);
    project.write('ten.yaml', tenChecks.replace('PORT', String(sshd.port)));
  });
  afterAll(async () => {
    project.remove();
    await sshd.stop();
  });

  function inventory(where: Project, login: string, count: number, more = ''): void {
    const hosts = Array.from(
      { length: count },
      (_, index) => `  h${index + 1}: { address: ${sshd.addressOf(index)} }`,
    ).join('\n');
    const names = Array.from({ length: count }, (_, index) => `h${index + 1}`).join(', ');
    where.write(
      'inventory.yaml',
      `defaults: { user: ${login}, port: ${sshd.port}, identity: ${sshd.identity}${more} }\ngroups:\n  fleet: { hosts: [${names}] }\nhosts:\n${hosts}\n`,
    );
  }

  it('needs one connection and one exec per host and round', async () => {
    const before = sshd.counts();

    const ended = await project.run(['run', 'ten.yaml', '-o', 'json']);

    const result = ended.json();
    expect(ended.stderr).not.toContain('E_');
    expect(result.totals).toMatchObject({ failed: 0, unknown: 0, unreachable: 0, refused: 0 });
    expect(ended.code).toBe(0);
    expect(stepOf(result, 'h3', 'two').data).toMatchObject({ stdout: "a'b\n" });
    expect(stepOf(result, 'h3', 'three').data).toMatchObject({ stdout: 'no newline' });
    expect(stepOf(result, 'h3', 'four').data).toMatchObject({ stdout: 'end\n' });
    const after = sshd.counts();
    expect(after.connections - before.connections).toBe(5);
    expect(after.channels - before.channels).toBe(5);
  });

  it('uses one more exec, on the same connection, for a step that reads an earlier result', async () => {
    project.write(
      'two.yaml',
      `name: Two rounds
hosts: fleet
steps:
  - { id: who, uses: run.command, with: { command: "id -un", effect: read } }
  - { id: same, uses: run.command, when: "steps.who.data.stdout.trim() == '${user}'", with: { command: "echo \\"$1\\"", args: ["\${{ steps.who.data.stdout }}"], effect: read } }
  - { id: other, uses: run.command, when: "steps.who.data.stdout.trim() == 'nobody'", with: { command: "false", effect: read } }
`,
    );
    const before = sshd.counts();

    const ended = await project.run(['run', 'two.yaml', '-l', 'h1', '-o', 'json']);

    const result = ended.json();
    expect(stepOf(result, 'h1', 'same')).toMatchObject({ outcome: 'ok', data: { stdout: `${user}\n\n` } });
    expect(stepOf(result, 'h1', 'other')).toMatchObject({ outcome: 'skipped', reason: 'condition' });
    expect(sshd.counts().connections - before.connections).toBe(1);
    expect(sshd.counts().channels - before.channels).toBe(2);
  });

  it('stops a probe at its deadline and goes on with the next', async () => {
    project.write(
      'slow.yaml',
      `name: Slow
steps:
  - { id: slow, uses: run.command, timeout: 1s, with: { command: "echo begun; sleep 60", effect: read } }
  - { id: next, uses: run.command, with: { command: "echo next", effect: read } }
`,
    );

    const ended = await project.run(['run', 'slow.yaml', '-l', 'h1', '-o', 'json']);

    expect(stepOf(ended.json(), 'h1', 'slow')).toMatchObject({ outcome: 'unknown', reason: 'timeout' });
    expect(stepOf(ended.json(), 'h1', 'next')).toMatchObject({ outcome: 'ok' });
    expect(ended.code).toBe(3);
  });

  it('keeps a remote status of 255, and a killed command, apart from a lost host', async () => {
    project.write(
      'ends.yaml',
      `name: Ends
steps:
  - { id: status, uses: run.command, with: { command: "exit 255", effect: read } }
  - { id: killed, uses: run.command, with: { command: "kill -9 $PPID; sleep 1", effect: read } }
  - { id: after, uses: run.command, with: { command: "echo ok", effect: read } }
`,
    );

    const ended = await project.run(['run', 'ends.yaml', '-l', 'h1', '-o', 'json']);

    expect(stepOf(ended.json(), 'h1', 'status')).toMatchObject({ outcome: 'failed', evidence: { exitStatus: 255 } });
    expect(stepOf(ended.json(), 'h1', 'killed').outcome).not.toBe('ok');
    expect(stepOf(ended.json(), 'h1', 'after')).toMatchObject({ outcome: 'ok' });
  });

  it('reports an unknown host as refused, exit 5, with the line to copy', async () => {
    const other = makeProject({ 'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: none\n', none: '' });
    inventory(other, user, 1);

    const ended = await other.run(['exec', '--', 'true']);

    expect(ended.code).toBe(5);
    expect(ended.stdout).toContain('SHA256:');
    expect(ended.stdout).toContain('opsctl trust add');
    other.remove();
  });

  it('reports a closed port as unreachable, exit 4, with every step accounted for', async () => {
    const other = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\n',
      'inventory.yaml': `hosts:\n  h1: { address: 127.0.0.1, port: ${await freePort()}, user: ${user}, identity: ${sshd.identity} }\n`,
    });

    const ended = await other.run(['exec', '-o', 'json', '--', 'true']);

    other.remove();
    expect(ended.code).toBe(4);
    expect(ended.json().hosts[0]).toMatchObject({
      outcome: 'unreachable',
      steps: [{ outcome: 'unreachable', attempts: 0 }],
    });
  });

  describeWith('sudo', ['sudo', 'root'], () => {
    const sudoRun =
      'name: Root\nsudo: true\nsteps:\n  - { id: who, uses: run.command, with: { command: "id -u; cat", effect: read } }\n';
    const cases = [
      {
        title: 'without a password',
        sudoers: 'ALL=(ALL) NOPASSWD: ALL',
        password: undefined,
        outcome: 'ok',
        reason: 'ok',
      },
      {
        title: 'with a password',
        sudoers: 'ALL=(ALL) ALL',
        password: 'correct horse battery',
        outcome: 'ok',
        reason: 'ok',
      },
      {
        title: 'NOPASSWD although a password is configured',
        sudoers: 'ALL=(ALL) NOPASSWD: ALL',
        password: 'correct horse battery',
        outcome: 'ok',
        reason: 'ok',
      },
      {
        title: 'with a wrong password',
        sudoers: 'ALL=(ALL) ALL',
        password: 'wrong horse battery',
        outcome: 'unknown',
        reason: 'sudo-password',
      },
      {
        title: 'wanted but not configured',
        sudoers: 'ALL=(ALL) ALL',
        password: undefined,
        outcome: 'unknown',
        reason: 'sudo-refused',
      },
      {
        title: 'for a user who may not',
        sudoers: undefined,
        password: 'correct horse battery',
        outcome: 'unknown',
        reason: 'sudo-refused',
      },
    ];
    it('on a host that insists on a terminal', async () => {
      const login = sshd.addUser({ sudoers: 'ALL=(ALL) NOPASSWD: ALL' }).name;
      const rule = `/etc/sudoers.d/${login}-tty`;
      writeFileSync(rule, `Defaults:${login} requiretty\n`, { mode: 0o440 });
      const own = makeProject({
        'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: known_hosts\n',
        known_hosts: `${sshd.hostKeyLine}\n`,
        'root.yaml': sudoRun,
      });
      inventory(own, login, 1);

      const ended = await own.run(['run', 'root.yaml', '-o', 'json']);

      rmSync(rule);
      own.remove();
      expect(stepOf(ended.json(), 'h1', 'who')).toMatchObject({ outcome: 'unknown', reason: 'sudo-tty' });
      expect(ended.code).toBe(3);
    });

    for (const { title, sudoers, password, outcome, reason } of cases) {
      it(title, async () => {
        const login = sshd.addUser({
          password: 'correct horse battery',
          ...(sudoers !== undefined && { sudoers }),
        }).name;
        const own = makeProject({
          'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: known_hosts\n',
          known_hosts: `${sshd.hostKeyLine}\n`,
          'root.yaml': sudoRun,
        });
        inventory(own, login, 1, password === undefined ? '' : ', sudo: { password: { secret: "env:SUDO_PW" } }');

        const ended = await own.run(['run', 'root.yaml', '-o', 'json'], { env: { SUDO_PW: password ?? '' } });

        const step = stepOf(ended.json(), 'h1', 'who');
        expect(step).toMatchObject({ outcome, reason });
        if (outcome === 'ok') expect(step.data).toMatchObject({ stdout: '0\n' });
        for (const text of [ended.stdout, ended.stderr]) expect(text).not.toContain('horse battery');
        own.remove();
      });
    }
  });

  describeWith('a changing step', ['sshd', 'root'], () => {
    const change = (counter: string, seconds: number) =>
      `name: Change\nsteps:\n  - { id: change, uses: run.command, timeout: 60s, with: { command: 'echo run >> "$1"; sleep ${seconds}; echo done', args: [${counter}], effect: change } }\n`;
    const count = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0);

    it('needs --yes where nobody can be asked', async () => {
      const counter = join(project.folder, 'asked');
      project.write('change.yaml', change(counter, 0));

      const ended = await project.run(['run', 'change.yaml', '-l', 'h1']);

      expect(ended.code).toBe(5);
      expect(ended.stderr).toContain('E_NOT_CONFIRMED');
      expect(count(counter)).toBe(0);
    });

    it('changes nothing in a dry run', async () => {
      const counter = join(project.folder, 'dry');
      project.write('change.yaml', change(counter, 0));

      const ended = await project.run(['run', 'change.yaml', '-l', 'h1', '--dry-run', '-o', 'json']);

      expect(stepOf(ended.json(), 'h1', 'change')).toMatchObject({ outcome: 'skipped', reason: 'dry-run' });
      expect(count(counter)).toBe(0);
    });

    it('runs as a job and reports changed with its output', async () => {
      const counter = join(sshd.folder, `home-${user}`, 'once');
      project.write('change.yaml', change(counter, 0));

      const ended = await project.run(['run', 'change.yaml', '-l', 'h1', '--yes', '-o', 'json']);

      expect(stepOf(ended.json(), 'h1', 'change')).toMatchObject({ outcome: 'changed', data: { stdout: 'done\n' } });
      expect(count(counter)).toBe(1);
    });

    it('runs exactly once when opsctl is killed and the run resumed, by several at once', async () => {
      const counter = join(sshd.folder, `home-${user}`, 'killed');
      project.write('change.yaml', change(counter, 4));
      const first = project.start(['run', 'change.yaml', '-l', 'h1', '--yes']);
      await until(() => count(counter) === 1);
      first.child.kill('SIGKILL');
      await first.ended;

      const [a, b] = await Promise.all([project.run(['resume', '-o', 'json']), project.run(['resume', '-o', 'json'])]);

      const codes = [a.code, b.code].sort();
      expect(codes).toEqual([0, 75]);
      const winner = a.code === 0 ? a : b;
      expect(stepOf(winner.json(), 'h1', 'change')).toMatchObject({ outcome: 'changed', data: { stdout: 'done\n' } });
      expect(count(counter)).toBe(1);
    });

    it('tells a second run who holds the host', async () => {
      const counter = join(sshd.folder, `home-${user}`, 'locked');
      project.write('change.yaml', change(counter, 6));
      const first = project.start(['run', 'change.yaml', '-l', 'h1', '--yes']);
      await until(() => count(counter) === 1);

      const second = await project.run(['run', 'change.yaml', '-l', 'h1', '--yes', '-o', 'json']);

      expect(second.code).toBe(75);
      expect(stepOf(second.json(), 'h1', 'change')).toMatchObject({ outcome: 'skipped', reason: 'locked' });
      expect((await first.ended).code).toBe(0);
      expect(count(counter)).toBe(1);
    });

    it('leaves the job to itself on SIGTERM, and names the run to resume', async () => {
      const counter = join(sshd.folder, `home-${user}`, 'terminated');
      project.write('change.yaml', change(counter, 3));
      const first = project.start(['run', 'change.yaml', '-l', 'h1', '--yes']);
      await until(() => count(counter) === 1);

      first.child.kill('SIGTERM');
      const ended = await first.ended;

      expect(ended.code).toBe(143);
      expect(ended.stderr.trim().split('\n').at(-1)).toMatch(/opsctl resume \d{8}T\d{6}Z-/);
      const resumed = await project.run(['resume', '-o', 'json']);
      expect(resumed.code).toBe(0);
      expect(stepOf(resumed.json(), 'h1', 'change')).toMatchObject({ outcome: 'changed', data: { stdout: 'done\n' } });
      expect(count(counter)).toBe(1);
    });

    it('refuses to resume a runbook that has changed', async () => {
      const counter = join(sshd.folder, `home-${user}`, 'edited');
      project.write('change.yaml', change(counter, 0));
      await project.run(['run', 'change.yaml', '-l', 'h1', '--yes']);
      project.write('change.yaml', change(counter, 1));
      // As a run that was killed leaves it: a complete one has nothing to resume.
      const runs = join(project.state, 'opsctl/runs');
      const last = readdirSync(runs).sort().at(-1) ?? '';
      rmSync(join(runs, last, 'result.json'));

      const ended = await project.run(['resume', last]);

      expect(ended.code).toBe(2);
      expect(ended.stderr).toContain('E_RESUME_CHANGED');
    });
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('waited 10 s in vain');
}
