import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { makeProject, stepOf } from '../support/opsctl.js';

const project = makeProject();
afterAll(() => project.remove());

/** Deterministic, so that a failure can be looked at again. */
function* moments(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield state / 2 ** 31;
  }
}

it('runs each change exactly once, however often opsctl is killed, and resume gets its end', async () => {
  const random = moments(7);
  const next = () => random.next().value as number;
  const rounds = 10;
  let kills = 0;
  const late = Date.now() + 60_000;
  for (let round = 0; round < rounds && Date.now() < late; round += 1) {
    const count = join(project.folder, `count${round}`);
    const folder = join(project.state, 'opsctl/runs');
    const before = new Set(existsSync(folder) ? readdirSync(folder) : []);
    project.write(
      'storm.yaml',
      `name: Storm
steps:
  - { id: one, uses: run.command, with: { command: "echo one >>${count}; sleep 0.6; echo end >>${count}", effect: change } }
  - { id: look, uses: run.command, with: { command: "echo look", effect: read } }
  - { id: two, uses: run.command, with: { command: "echo two >>${count}; echo fine", effect: change } }
`,
    );
    const first = project.start(['run', 'storm.yaml', '-y', '-o', 'json']);
    await sleep(150 + next() * 900);
    first.child.kill('SIGKILL');
    kills += 1;
    await first.ended;
    const [id] = existsSync(folder) ? readdirSync(folder).filter((name) => !before.has(name)) : [];
    // Killed before it had a name: nothing was begun.
    if (
      id === undefined ||
      !existsSync(join(folder, id, 'request.json')) ||
      !existsSync(join(folder, id, 'journal.ndjson'))
    ) {
      expect(existsSync(count)).toBe(false);
      continue;
    }
    const second = project.start(['resume', id, '-o', 'json']);
    await sleep(150 + next() * 500);
    second.child.kill('SIGKILL');
    kills += 1;
    await second.ended;

    let last = await project.run(['resume', id, '-o', 'json']);
    // Another suite may hold this machine's lock.
    for (let tries = 0; tries < 40 && last.code === 75; tries += 1) {
      await sleep(500);
      last = await project.run(['resume', id, '-o', 'json']);
    }
    // Killed before the first record: nothing was begun either.
    if (last.code === 2 && last.stderr.includes('nothing was started')) {
      expect(existsSync(count)).toBe(false);
      continue;
    }
    if (last.code === 70 || last.stdout === '') throw new Error(`${last.code} ${last.stderr}`);
    const result = last.json();
    expect(['one', 'look', 'two'].map((step) => stepOf(result, 'local', step).outcome)).toEqual([
      'changed',
      'ok',
      'changed',
    ]);
    expect(last.code).toBe(0);
    expect(readFileSync(count, 'utf8')).toBe('one\nend\ntwo\n');
  }
  expect(kills).toBeGreaterThanOrEqual(rounds);
}, 200_000);

it('runs a change once for six resumes at once, and all but one are told who is at work', async () => {
  const count = join(project.folder, 'count');
  project.write(
    'six.yaml',
    `name: Six\nsteps:\n  - { id: one, uses: run.command, with: { command: "echo one >>${count}; sleep 4", effect: change } }\n`,
  );
  for (let tries = 0; tries < 10 && !existsSync(count); tries += 1) {
    const first = project.start(['run', 'six.yaml', '-y', '-o', 'json']);
    for (let waits = 0; waits < 100 && !existsSync(count) && first.child.exitCode === null; waits += 1) await sleep(50);
    first.child.kill('SIGKILL');
    await first.ended;
  }

  const six = await Promise.all(Array.from({ length: 6 }, () => project.run(['resume', 'last', '-o', 'json'])));

  const codes = six.map(({ code }) => code).sort();
  expect(codes.filter((code) => code === 0).length).toBeGreaterThanOrEqual(1);
  for (const { code, stderr } of six.filter((each) => each.code !== 0)) {
    expect(code).toBe(75);
    expect(stderr).toMatch(/E_LOCKED (process \d+ is working|another process took)/);
  }
  expect(readFileSync(count, 'utf8')).toBe('one\n');
}, 120_000);

it('begins no change when the journal cannot take it, and says so with 74', async () => {
  const count = join(project.folder, 'full');
  const disk = join(project.folder, 'disk');
  project.write(
    'full.yaml',
    `name: Full\nsteps:\n  - { id: one, uses: run.command, with: { command: "echo one >>${count}", effect: change } }\n`,
  );
  spawnSync('mkdir', ['-p', disk]);
  // Room for the folder and the request, and next to nothing for the journal.
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k,nr_inodes=12', 'none', disk]);
  if (mounted.status !== 0) throw new Error(String(mounted.stderr));
  try {
    const ended = await project.run(['run', 'full.yaml', '-y', '-o', 'json'], { env: { XDG_STATE_HOME: disk } });

    expect(ended.code).toBe(74);
    expect(ended.stderr).toMatch(/ENOSPC|no space/i);
    expect(existsSync(count)).toBe(false);
  } finally {
    spawnSync('umount', [disk]);
  }
});
