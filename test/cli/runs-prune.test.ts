import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeProject, type Project } from '../support/opsctl.js';

/** Real runs, made older than they are. */
let project: Project;
beforeEach(() => {
  project = makeProject({
    'up.yaml': 'name: Up\nsteps:\n  - uses: check.uptime\n',
    'other.yaml': 'name: Other\nsteps:\n  - uses: check.uptime\n',
  });
});
afterEach(() => project.remove());

const runs = () => join(project.state, 'opsctl', 'runs');
const marker = () => join(project.state, 'opsctl', 'pruned');
const left = () => readdirSync(runs()).sort();

async function run(runbook: string, ...flags: string[]): Promise<string> {
  const before = new Set(existsSync(runs()) ? left() : []);
  const { code, stderr } = await project.run(['run', runbook, '-q', ...flags]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return left().find((id) => !before.has(id)) ?? '';
}

/** Makes a run one of so many days ago. */
function age(id: string, days: number): string {
  const at = new Date(Date.now() - days * 86_400_000);
  const older = `${at.toISOString().replace(/[-:]|\.\d+/g, '')}-${id.slice(-6)}`;
  renameSync(join(runs(), id), join(runs(), older));
  const result = join(runs(), older, 'result.json');
  if (existsSync(result)) utimesSync(result, at, at);
  return older;
}

describe('opsctl runs prune', () => {
  it('removes what is older than asked, keeps the newest of each runbook, and tells both', async () => {
    const other = age(await run('other.yaml'), 50);
    const old = age(await run('up.yaml'), 40);
    const young = age(await run('up.yaml'), 10);
    const flags = ['runs', 'prune', '--older-than', '30d', '--keep', '1'];

    const dry = await project.run([...flags, '--dry-run']);
    const before = left();
    const asJson = await project.run([...flags, '--dry-run', '--json']);
    const done = await project.run(flags);

    expect(dry.stdout).toMatch(new RegExp(`^${old}  Up\nwould remove 1 run, .* KiB; 2 kept\n$`));
    expect(before).toEqual([other, old, young]);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ dryRun: true, removed: [{ id: old, runbook: 'Up' }], kept: 2 });
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toMatch(/^removed 1 run, .* KiB; 2 kept\n$/);
    expect(left()).toEqual([other, young]);
    expect(await project.run(['report', 'last'])).toMatchObject({ code: 0 });
  });

  it('takes `keep-runs` of the project for what no flag says', async () => {
    project.write('opsctl.yaml', 'keep-runs: { days: 5, least: 1 }\n');
    age(await run('up.yaml'), 8);
    const newest = age(await run('up.yaml'), 7);

    await project.run(['runs', 'prune']);

    expect(left()).toEqual([newest]);
  });

  it('two at once share the work', async () => {
    const id = await run('up.yaml');
    const newest = age(await run('up.yaml'), 1);
    age(id, 100);
    const files = left().find((name) => name !== newest) ?? '';
    for (let days = 101; days < 200; days += 1) copyRun(files, days);

    const both = await Promise.all([1, 2].map(() => project.run(['runs', 'prune', '--keep', '1', '--json'])));

    expect(left()).toEqual([newest]);
    expect(both.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    const removed = both.flatMap(({ stdout }) => (JSON.parse(stdout) as { removed: { id: string }[] }).removed);
    expect(new Set(removed.map((each) => each.id)).size).toBe(100);
  });

  it('leaves alone a run that began a change and was killed, and says how to go on', async () => {
    project.write('change.yaml', changing('sleep 20'));
    const going = project.start(['run', 'change.yaml', '--yes', '-q']);
    const id = await changeBegan();
    const during = await project.run(['runs', 'prune', '--older-than', '1ms', '--keep', '1']);
    going.child.kill('SIGKILL');
    await going.ended;
    const old = age(id, 400);

    const after = await project.run(['runs', 'prune', '--older-than', '1d', '--keep', '1']);

    expect(during).toMatchObject({ code: 0, stdout: 'removed 0 runs; 1 kept\n', stderr: '' });
    expect(after).toMatchObject({ code: 0, stdout: 'removed 0 runs; 1 kept\n' });
    expect(after.stderr).toBe(
      `opsctl: run ${old} stays: a change began and has no end; see with \`opsctl resume ${old}\`\n`,
    );
    expect(left()).toEqual([old]);
  });

  it('follows no link out of the folder', async () => {
    project.write('precious/file', 'mine');
    const old = age(await run('up.yaml'), 300);
    await run('up.yaml');
    symlinkSync(join(project.folder, 'precious'), join(runs(), old, 'artefacts'));
    symlinkSync(join(project.folder, 'precious'), join(runs(), '20200101T000000Z-aaaaaa'));

    const { code, stdout } = await project.run(['runs', 'prune', '--keep', '1']);

    expect([code, stdout.slice(0, 13)]).toEqual([0, 'removed 1 run']);
    expect(readFileSync(join(project.folder, 'precious/file'), 'utf8')).toBe('mine');
    expect(left()).toContain('20200101T000000Z-aaaaaa');
  });

  it('refuses an age that is none', async () => {
    const { code, stderr } = await project.run(['runs', 'prune', '--older-than', '30']);

    expect(code).toBe(2);
    expect(stderr).toContain('E_DURATION `--older-than`');
  });
});

describe('a run that is over', () => {
  it('removes old ones now and then, and never itself or the newest', async () => {
    project.write('opsctl.yaml', 'keep-runs: { days: 30, least: 1 }\n');
    const old = age(await run('up.yaml'), 50);
    const other = age(await run('other.yaml'), 60);
    const second = await run('up.yaml');
    const tooSoon = left().includes(old);
    const past = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(marker(), past, past);
    const third = await run('up.yaml');

    expect(tooSoon).toBe(true);
    expect(left()).toEqual([other, ...[second, third].sort()]);
  });

  it('does not fail when old ones cannot be removed', async () => {
    project.write('opsctl.yaml', 'keep-runs: { days: 30, least: 1 }\n');
    await run('up.yaml');
    rmSync(marker());
    symlinkSync('/nonexistent/marker', marker());

    const { code, stderr } = await project.run(['run', 'up.yaml', '-q']);

    expect(code).toBe(0);
    expect(stderr).toMatch(/^opsctl: warning: old runs are not removed: ENOENT/);
  });
});

it('opsctl runs --verbose tells the size of each and of all', async () => {
  const oldest = age(await run('up.yaml'), 3);
  const newest = await run('up.yaml');

  const { stdout } = await project.run(['runs', '-v', '-n', '1']);
  const asJson = await project.run(['runs', '-v', '--json']);

  expect(stdout).toMatch(new RegExp(`^run +size +started[^\n]*\n${newest} +[\\d.]+ KiB `));
  expect(stdout).toMatch(/\n2 runs, [\d.]+ KiB, the oldest of \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\n$/);
  const listed = JSON.parse(asJson.stdout) as { id: string; bytes: number }[];
  expect(listed.map(({ id }) => id)).toEqual([newest, oldest]);
  for (const { bytes } of listed) expect(bytes).toBeGreaterThan(1000);
});

function changing(command: string): string {
  return `name: Change\nsteps:\n  - uses: run.command\n    with: { command: "${command}", effect: change }\n`;
}

/** The id of the run, once its change is on record. */
async function changeBegan(): Promise<string> {
  for (let tries = 0; tries < 300; tries += 1) {
    const id = existsSync(runs()) ? left()[0] : undefined;
    const journal = join(runs(), id ?? '', 'journal.ndjson');
    if (id !== undefined && existsSync(journal) && readFileSync(journal, 'utf8').includes('step-start')) return id;
    await setTimeout(50);
  }
  throw new Error('the change did not begin');
}

function copyRun(id: string, days: number): void {
  const copy = join(runs(), `${id.slice(0, -6)}${days.toString(16).padStart(6, '0')}`);
  cpSync(join(runs(), id), copy, { recursive: true, preserveTimestamps: true });
}
