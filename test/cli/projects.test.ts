import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { freePort, type Sshd, startSshd } from '../support/sshd.js';
import { inShell, localInventory, oneStep } from './shell.js';

describeWith('a project from its beginning', ['sshd', 'ssh-keygen', 'root'], () => {
  let sshd: Sshd;
  let project: Project;
  beforeAll(async () => {
    sshd = await startSshd();
    project = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\nstate: state\n',
      'inventory.yaml': localInventory('here'),
      'ok.yaml': oneStep('echo hi'),
      'change.yaml': oneStep('echo done', '', 'change'),
    });
  });
  afterAll(async () => {
    project.remove();
    await sshd.stop();
  });

  it('opsctl init writes what opsctl run takes, with the commands that it names', async () => {
    const user = sshd.addUser().name;

    const made = await project.run(['init', 'new', '--host', '127.0.0.1', '-u', user]);
    const again = await project.run(['init', 'new', '--host', 'box']);
    const next = made.stdout
      .slice(made.stdout.indexOf('next:\n') + 6)
      .trim()
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim());

    expect(made.code).toBe(0);
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toContain(
      'E_EXISTS opsctl.yaml, inventory.yaml, known_hosts, runbooks/health.yaml exist already',
    );
    expect(next).toHaveLength(2);
    // What a person would add here: this sshd is not on port 22, and its key is not an usual one.
    const inventory = join(project.folder, 'new/inventory.yaml');
    const text = readFileSync(inventory, 'utf8');
    writeFileSync(inventory, text.replace('{ user:', `{ port: ${sshd.port}, identity: ${sshd.identity}, user:`));
    const [scan = '', run = ''] = next;
    expect((await inShell(project, scan)).code).toBe(0);
    const ran = await inShell(project, `${run} -o json`);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      hosts: [{ name: '127.0.0.1', transport: 'ssh', outcome: expect.not.stringMatching(/un|refused/) }],
    });
    expect(ran.stderr).not.toContain('E_');
  });

  it('opsctl init refuses a host without a name', async () => {
    const made = await project.run(['init', 'mine', '--host', '']);

    expect(made.code).toBe(2);
    expect(existsSync(join(project.folder, 'mine'))).toBe(false);
  });

  it('opsctl resume has nothing to resume before the first run', async () => {
    expect(await project.run(['resume'])).toMatchObject({ code: 2, stdout: '' });
    expect((await project.run(['resume'])).stderr).toMatch(/^opsctl: E_RUN_NOT_FOUND no run .*nothing has run yet\n$/);
  });

  it('opsctl resume of a complete run prints its report and does nothing', async () => {
    await project.run(['run', 'change.yaml', '-y', '-q']);
    const before = readFileSync(resultOf(project), 'utf8');

    const ended = await project.run(['resume', '-o', 'json']);

    expect(ended.stderr).toMatch(/^opsctl: run \S+ is complete, nothing is left to do; this is its report\n$/);
    expect(`${JSON.stringify(ended.json())}\n`).toBe(before);
    expect(ended.code).toBe(0);
  });

  it('opsctl resume of a run that wrote nothing down says to run it again', async () => {
    const folder = join(resultOf(project), '..');
    rmSync(join(folder, 'result.json'));
    rmSync(join(folder, 'request.json'));

    const ended = await project.run(['resume']);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('run it again');
    rmSync(folder, { recursive: true });
  });

  it('opsctl resume of a run without its journal does not guess', async () => {
    await project.run(['run', 'change.yaml', '-y', '-q']);
    const folder = join(resultOf(project), '..');
    rmSync(join(folder, 'result.json'));
    rmSync(join(folder, 'journal.ndjson'));

    const ended = await project.run(['resume']);

    expect(ended.stderr).toMatch(/^opsctl: E_/);
    expect(ended.stderr).not.toMatch(/E_BUG|at .*\.js/);
    expect(ended.code).not.toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('opsctl plan contacts nothing and gives the plan as JSON, too', async () => {
    project.write('far.yaml', `hosts:\n  far: { address: 127.0.0.1, port: ${await freePort()}, user: nobody }\n`);
    const before = sshd.log().length;

    const text = await project.run(['plan', 'change.yaml', '-i', 'far.yaml']);
    const json = await project.run(['plan', 'change.yaml', '-i', 'far.yaml', '--json']);

    expect(text.stdout).toContain('1 host, 100 % of ungrouped will be changed by 1 step');
    expect(JSON.parse(json.stdout)).toMatchObject({
      groups: [{ hosts: ['far'], rounds: [{ carrier: 'change', steps: [{ effect: 'change' }] }] }],
    });
    expect(sshd.log().length).toBe(before);
  });

  it('an encrypted key is refused at once when there is nobody to ask', async () => {
    const key = sshd.makeKey('locked', 'ed25519', 'a passphrase');
    project.write(
      'locked.yaml',
      `hosts:\n  far: { address: 127.0.0.1, port: ${sshd.port}, user: nobody, identity: ${key} }\n`,
    );

    const ended = await inShell(project, 'opsctl run ok.yaml -i locked.yaml <&-', { seconds: 20 });

    expect(ended.stderr).toMatch(/^opsctl: E_KEY_ENCRYPTED /);
    expect(ended.stderr).toMatch(/passphrase/);
    expect(ended.code).toBe(5);
  });

  it('--debug tells of the connection, what was sent and what came back', async () => {
    const user = sshd.addUser().name;
    project.write(
      'ssh.yaml',
      `hosts:\n  far: { address: 127.0.0.1, port: ${sshd.port}, user: ${user}, identity: ${sshd.identity} }\n`,
    );
    project.write('known_hosts', `${sshd.hostKeyLine}\n`);
    project.write('opsctl.yaml', 'inventory: inventory.yaml\nstate: state\nknown_hosts: known_hosts\n');

    const ended = await project.run(['run', 'ok.yaml', '-i', 'ssh.yaml', '--debug']);

    const lines = ended.stderr
      .split('\n')
      .filter((line) => line.startsWith('debug '))
      .map((line) => line.replace(/^debug [\d:.]{12} /, ''));
    expect(lines).toEqual([
      `far  connect    ssh ${user}@127.0.0.1:${sshd.port}`,
      expect.stringMatching(/^far {2}connected {2}after \d+ ms, host key SHA256:\S+$/),
      'far  exec       #1 exec /bin/sh -s',
      expect.stringMatching(/^far {2}sent {7}#1 \d+ bytes on stdin$/),
      'far  step       x begins',
      expect.stringMatching(/^far {2}step {7}x \(run\.command\) ok, ok, status 0, [\d.]+ s$/),
      'far  stdout     hi',
      expect.stringMatching(/^far {2}exit {7}#1 status 0 after \d+ ms, \d+ bytes out, \d+ bytes err$/),
    ]);
    expect(ended.code).toBe(0);
  });
});

function resultOf(project: Project): string {
  const runs = join(project.folder, 'state/runs');
  const [last = ''] = readdirSync(runs).sort().reverse();
  return join(runs, last, 'result.json');
}
