import { cpSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Ended, makeProject, type Project, stepOf } from '../support/opsctl.js';

/** Faults planted and mended on this machine, and what one run after the other says of them. */
let project: Project;
beforeEach(() => {
  project = makeProject({ 'opsctl.yaml': 'state: state\n' });
  writeRunbook();
});
afterEach(() => project.remove());

const marker = () => join(project.folder, 'marker');
const plant = () => rmSync(marker(), { force: true });
const mend = () => writeFileSync(marker(), '');

function writeRunbook(head = '', step = ''): void {
  project.write(
    'r.yaml',
    `name: Marker
${head}
steps:
  - { id: marker, uses: check.file, with: { path: "${marker()}" }${step} }
  - { id: up, uses: check.uptime, tags: [always] }
`,
  );
}

const run = (...flags: string[]) => project.run(['run', 'r.yaml', '-o', 'json', ...flags]);
const change = (ended: Ended) => stepOf(ended.json(), 'local', 'marker').change;

describe('since the last run', () => {
  it('a fault is new, still there, and fixed', async () => {
    mend();
    const first = await run();
    plant();
    const second = await run();
    const third = await run();
    mend();
    const fourth = await run();

    expect([first, second, third, fourth].map(change)).toEqual([undefined, 'new', 'still', 'fixed']);
    expect([first, second, third, fourth].map(({ code }) => code)).toEqual([0, 1, 1, 0]);
    expect(second.json().totals).toMatchObject({ new: 1, failed: 1 });
    expect(Date.parse(stepOf(third.json(), 'local', 'marker').since ?? '')).toBeLessThanOrEqual(
      Date.parse(second.json().run.finishedAt),
    );
    expect(fourth.json().totals).toMatchObject({ fixed: 1, ok: 2 });
  });

  it('--fail-on new counts what is new, everything in a first run, and never what was there before', async () => {
    plant();
    const first = await run('--fail-on', 'new');
    const second = await run('--fail-on', 'new');
    mend();
    await run();
    plant();
    const third = await run('--fail-on', 'new');

    expect([first.code, second.code, third.code]).toEqual([1, 0, 1]);
    expect(first.json().warnings).toEqual(['first run on local: all that is bad there counts as new']);
    expect(second.json().totals).toMatchObject({ failed: 1, still: 1 });
  });

  it('--fail-on new is not green when nothing could be told, before and now', async () => {
    project.write(
      'u.yaml',
      'name: u\nsteps:\n  - { uses: run.command, with: { command: "sleep 9", effect: read }, timeout: 1s }\n',
    );

    await project.run(['run', 'u.yaml']);
    const again = await project.run(['run', 'u.yaml', '-o', 'json', '--fail-on', 'new']);

    expect(again.code).toBe(3);
    expect(again.json().exit.reasons).toEqual([{ code: 3, reason: 'nothing-proven', hosts: 1 }]);
  });

  it('goes on in a checkout elsewhere, where the project keeps its state in itself', async () => {
    plant();
    await run();
    const copy = `${project.folder}-copy`;
    cpSync(project.folder, copy, { recursive: true });
    const there = await project.run(['run', 'r.yaml', '-o', 'json', '-l', '@failed'], { cwd: copy });
    rmSync(copy, { recursive: true });

    expect(change(there)).toBe('still');
  });

  it('is shown in short by the table and by --quiet', async () => {
    mend();
    await run();
    plant();
    const quiet = await project.run(['run', 'r.yaml', '--quiet']);
    const table = await project.run(['run', 'r.yaml']);

    expect(quiet.stderr).toMatch(/^opsctl: Marker: exit 1: failed on 1 host; since the last run 1 new$/m);
    expect(quiet.stderr).toMatch(/does not exist \(new\)$/m);
    expect(table.stdout).toMatch(/still since \d{4}-\d\d-\d\d/);
    expect(table.stdout).toContain('since the last run: 1 still');
  });

  it('is what the last run of this file saw: not that of tags, of another file, of a command line', async () => {
    mend();
    await run();
    plant();
    await project.run(['check', 'file', '--path', marker()]);
    await run('--tags', 'always');
    project.write(
      'other.yaml',
      `name: Marker\nsteps: [{ id: marker, uses: check.file, with: { path: "${marker()}" } }]\n`,
    );
    await project.run(['run', 'other.yaml']);

    expect(change(await run())).toBe('new');
    expect(readdirSync(join(project.folder, 'state/history'))).toHaveLength(2);
  });

  it('is kept when many runs end at once, in files for nobody else', async () => {
    plant();
    await Promise.all(Array.from({ length: 4 }, () => run()));

    const last = await run();
    const [folder = ''] = readdirSync(join(project.folder, 'state/history'));
    const files = readdirSync(join(project.folder, 'state/history', folder));
    expect(change(last)).toBe('still');
    expect(files.sort()).toEqual(['latest.4.json', 'latest.5.json']);
    expect(statSync(join(project.folder, 'state/history', folder, 'latest.5.json')).mode & 0o777).toBe(0o600);
  });
});

describe('@failed', () => {
  it('is what failed in the last run of the same file, not of another one with its name', async () => {
    project.write('hosts.yaml', 'hosts: { one: { transport: local }, two: { transport: local } }\n');
    const failing = (host: string) =>
      `name: Same\nsteps: [{ uses: run.command, with: { command: "[ $1 != ${host} ]", args: ["\${{ host.name }}"], effect: read } }]\n`;
    project.write('a/r.yaml', failing('one'));
    project.write('b/r.yaml', failing('two'));
    const names = async (...args: string[]) =>
      (await project.run(['run', ...args, '-i', 'hosts.yaml', '-o', 'json'])).json().hosts.map(({ name }) => name);
    await names('a/r.yaml');
    await names('b/r.yaml');

    const again = await project.run(['run', 'r.yaml', '-i', '../hosts.yaml', '-l', '@failed', '-o', 'json'], {
      cwd: join(project.folder, 'a'),
    });

    expect(again.json().hosts.map(({ name }) => name)).toEqual(['one']);
    expect(await names('b/r.yaml', '-l', '@failed')).toEqual(['two']);
  });
});

describe('a run that was cut off', () => {
  it('leaves to the one that goes on with it what the run before saw', async () => {
    project.write(
      'r.yaml',
      `name: Marker
steps:
  - { id: marker, uses: check.file, with: { path: "${marker()}" } }
  - { id: slow, uses: run.command, with: { command: "[ ! -e ${join(project.folder, 'slow')} ] || sleep 30", effect: read } }
`,
    );
    mend();
    await run();
    plant();
    writeFileSync(join(project.folder, 'slow'), '');
    const cut = await run('--timeout', '3s');
    rmSync(join(project.folder, 'slow'));
    const resumed = await project.run(['resume', '-o', 'json']);
    const after = await run();

    expect(cut.code).not.toBe(0);
    expect(cut.json().run.stopped).toBe('deadline');
    expect([cut, resumed, after].map(change)).toEqual(['new', 'new', 'still']);
  });
});

describe('soft and hard', () => {
  it('a fault counts from the third run in a row on', async () => {
    writeRunbook('hard-after: 3');
    plant();
    const runs = [await run(), await run(), await run(), await run()];
    mend();
    await run();
    plant();
    const again = await run();

    expect([...runs, again].map(({ code }) => code)).toEqual([0, 0, 1, 1, 0]);
    expect([...runs, again].map((ended) => stepOf(ended.json(), 'local', 'marker').soft)).toEqual([
      { run: 1, of: 3 },
      { run: 2, of: 3 },
      undefined,
      undefined,
      { run: 1, of: 3 },
    ]);
    expect(runs[0]?.json().totals).toMatchObject({ failed: 0, soft: 1 });
  });

  it('a step has its own number, and --fail-on new counts it when it becomes hard', async () => {
    writeRunbook('hard-after: 9', ', hard-after: 2');
    mend();
    await run();
    plant();
    const runs = [await run('--fail-on', 'new'), await run('--fail-on', 'new'), await run('--fail-on', 'new')];

    expect(runs.map(({ code }) => code)).toEqual([0, 1, 0]);
  });

  it('what is damaged makes nothing soft that was hard, and is told in spite of --quiet', async () => {
    writeRunbook('hard-after: 3');
    plant();
    for (let times = 0; times < 3; times += 1) await run();
    const [folder = ''] = readdirSync(join(project.folder, 'state/history'));
    writeFileSync(join(project.folder, 'state/history', folder, 'latest.9.json'), '{"schema":');
    const damaged = await project.run(['run', 'r.yaml', '--quiet']);
    const after = await run();

    expect([damaged.code, after.code]).toEqual([1, 1]);
    expect(damaged.stderr).toContain('opsctl: warning: what earlier runs of this runbook saw is lost');
    expect(damaged.stderr).toContain('latest.9.json is damaged');
    expect(change(after)).toBe('still');
  });

  it('a group with require counts no earlier than the runbook, or its members, say', async () => {
    const group = (head: string, member: string) =>
      project.write(
        'g.yaml',
        `name: g\n${head}steps:\n  - { id: g, require: all, steps: [{ id: marker, uses: check.file, with: { path: "${marker()}" }${member} }] }\n`,
      );
    const codes = async () => [
      (await project.run(['run', 'g.yaml'])).code,
      (await project.run(['run', 'g.yaml'])).code,
    ];
    plant();
    group('hard-after: 2\n', '');
    const byRunbook = await codes();
    rmSync(join(project.folder, 'state'), { recursive: true });
    group('', ', hard-after: 2');
    const byMember = await codes();

    expect([byRunbook, byMember]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it('is refused for a changing step', async () => {
    project.write(
      'c.yaml',
      'name: c\nsteps:\n  - { uses: run.command, with: { command: "true", effect: change }, hard-after: 2 }\n',
    );

    const ended = await project.run(['run', 'c.yaml', '--yes']);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('E_VALUE c.yaml:3:');
  });
});

describe('expect-min-results', () => {
  it('makes a host unknown that gives fewer', async () => {
    writeRunbook('expect-min-results: 3');
    mend();

    const ended = await run();

    expect(ended.code).toBe(3);
    expect(ended.json().exit.reasons).toEqual([{ code: 3, reason: 'too-few-results', hosts: 1 }]);
    expect(ended.json().hosts[0]).toMatchObject({ outcome: 'unknown', summary: 'only 2 of the expected 3 results' });
  });

  it('asks for no more than what tags leave', async () => {
    writeRunbook('expect-min-results: 2');
    mend();

    expect((await run('--tags', 'always')).code).toBe(0);
    expect((await run('--skip-tags', 'always')).code).toBe(0);
    expect((await run()).code).toBe(0);
  });
});
