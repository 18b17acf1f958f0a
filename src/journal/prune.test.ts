import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeepRuns } from '../documents/project.schema.js';
import { lockRun } from './lock.js';
import { type PruneOptions, pruneRuns } from './prune.js';

const now = new Date('2026-06-30T12:00:00Z');
const user = { uid: process.getuid?.(), pid: process.pid };
let state: string;
let serial = 0;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'opsctl-prune-'));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const folderOf = (id: string) => join(state, 'runs', id);
const left = () => readdirSync(join(state, 'runs')).sort();

/** A run of so many days ago. Without a runbook it has no result. */
function plant(days: number, runbook?: string, { file = 'r.yaml', journal = '' } = {}): string {
  const at = new Date(now.getTime() - days * 86_400_000);
  serial += 1;
  const id = `${at.toISOString().replace(/[-:]|\.\d+/g, '')}-${serial.toString(16).padStart(6, '0')}`;
  mkdirSync(folderOf(id), { recursive: true, mode: 0o700 });
  writeFileSync(join(folderOf(id), 'request.json'), '{}\n');
  writeFileSync(join(folderOf(id), 'journal.ndjson'), journal);
  if (runbook === undefined) return id;
  const result = join(folderOf(id), 'result.json');
  const run = { id, runbook, ...(file !== '' && { file }), mode: 'run' };
  writeFileSync(result, JSON.stringify({ schema: 'opsctl.result/1', run }));
  utimesSync(result, at, at);
  return id;
}

function prune(keep: Partial<KeepRuns> = {}, options: Partial<PruneOptions> = {}) {
  return pruneRuns(state, { keep: { days: 90, least: 1, most: 1000, ...keep }, now, user, ...options });
}

describe('what stays', () => {
  it('is what is young, and the newest of each runbook however old', async () => {
    const young = plant(89, 'Nightly');
    plant(91, 'Nightly');
    const audit = plant(300, 'Yearly audit');
    plant(400, 'Yearly audit');

    const { removed, kept } = await prune();

    expect(left()).toEqual([audit, young]);
    expect(removed.map(({ runbook }) => runbook)).toEqual(['Nightly', 'Yearly audit']);
    expect(kept).toBe(2);
  });

  it('is as many of each runbook as are wanted at least, and at most', async () => {
    const often = [1, 2, 3, 4, 5].map((days) => plant(days, 'Often "quoted" \\ ü'));
    const rare = [200, 300, 400].map((days) => plant(days, 'Rare'));

    await prune({ least: 2, most: 3 });

    expect(left()).toEqual([...often.slice(0, 3), ...rare.slice(0, 2)].sort());
  });

  it('at least wins over at most', async () => {
    for (const days of [1, 2, 3, 4]) plant(days, 'r');

    await prune({ least: 3, most: 1 });

    expect(left()).toHaveLength(3);
  });

  it('takes all command lines for one runbook', async () => {
    const newest = plant(100, 'check disk', { file: '' });
    plant(101, 'exec uptime', { file: '' });
    plant(102, 'check load', { file: '' });

    await prune();

    expect(left()).toEqual([newest]);
  });

  it('counts a run that was resumed by when its result was written', async () => {
    plant(1, 'r');
    const resumed = plant(200, 'r');
    utimesSync(join(folderOf(resumed), 'result.json'), now, now);

    await prune();

    expect(existsSync(folderOf(resumed))).toBe(true);
  });

  it('is every run in which a change began and has no end, and not one that only read', async () => {
    const changing = plant(500, undefined, { journal: `${'x'.repeat(65_530)}{"type":"step-start","at":""}\n` });
    plant(500, undefined, { journal: '1 00000000 {"type":"run-start","at":""}\n' });
    plant(500, undefined, {
      journal: '2 00000000 {"type":"step-end","result":{"summary":"\\"type\\":\\"step-start\\""}}\n',
    });
    const young = plant(1);

    const { unfinished } = await prune();

    expect(left()).toEqual([changing, young]);
    expect(unfinished).toEqual([changing]);
  });

  it('is a run that a process works on, finished or not', async () => {
    const ids = [plant(500), plant(400, 'r')];
    plant(1, 'r');
    for (const id of ids) lockRun(folderOf(id), process.pid);

    const { removed, problems } = await prune();

    expect([removed, problems]).toEqual([[], []]);
    expect(left()).toHaveLength(3);
  });

  it('is the run that is to be spared', async () => {
    plant(1, 'r');
    const id = plant(500, 'r');

    await prune({}, { spare: id });

    expect(left()).toContain(id);
  });

  it('is everything in a dry run', async () => {
    plant(1, 'r');
    const old = plant(100, 'r');

    const { removed } = await prune({}, { dryRun: true, measure: true });

    expect(removed.map(({ id }) => id)).toEqual([old]);
    expect(removed[0]?.bytes).toBeGreaterThan(0);
    expect(readdirSync(folderOf(old)).sort()).toEqual(['journal.ndjson', 'request.json', 'result.json']);
  });

  it('is what the time did not suffice for', async () => {
    for (const days of [100, 101, 102]) plant(days, 'r');

    await prune({}, { budget: -1 });

    expect(left()).toHaveLength(3);
  });
});

describe('what is not ours', () => {
  it('is never followed and never removed', async () => {
    const outside = join(state, 'outside');
    mkdirSync(join(outside, 'sub'), { recursive: true });
    for (const name of ['request.json', 'sub/precious']) writeFileSync(join(outside, name), 'mine');
    plant(1, 'r');
    const trapped = plant(300, 'r');
    symlinkSync(join(outside, 'sub'), join(folderOf(trapped), 'artefacts'));
    symlinkSync(outside, folderOf('20200101T000000Z-aaaaaa'));
    symlinkSync(outside, folderOf('.removed-20200101T000000Z-bbbbbb'));
    mkdirSync(folderOf('20200101T000000Z-cccccc'));
    mkdirSync(folderOf('20200102T000000Z-notes'));
    mkdirSync(folderOf('backup'));
    const linked = plant(310);
    symlinkSync(join(outside, 'request.json'), join(folderOf(linked), 'result.json'));

    const { removed, foreign, problems } = await prune();

    expect(removed.map(({ id }) => id)).toEqual([trapped]);
    expect(problems).toEqual([]);
    expect(foreign).toEqual([folderOf(linked), folderOf('20200101T000000Z-cccccc')]);
    expect(existsSync(join(outside, 'sub/precious'))).toBe(true);
    expect(left()).toEqual(expect.arrayContaining(['backup', '20200102T000000Z-notes', '20200101T000000Z-aaaaaa']));
  });

  it('may not be written to by others', async () => {
    plant(300, 'r');
    chmodSync(join(state, 'runs'), 0o770);

    await expect(prune()).rejects.toThrow('others than you may write to');

    expect(left()).toHaveLength(1);
  });

  it('needs no folder to be there', async () => {
    expect(await prune()).toEqual({ removed: [], kept: 0, unfinished: [], foreign: [], problems: [] });
  });
});

it('finishes what a prune that was killed left', async () => {
  const id = plant(300, 'r');
  mkdirSync(folderOf(`.removed-${id}/artefacts`), { recursive: true });
  writeFileSync(folderOf(`.removed-${id}/artefacts/web1`), 'half');

  await prune();

  expect(left()).toEqual([id]);
});

it('shares the work with another one at the same time', async () => {
  const newest = plant(1, 'r');
  for (let run = 0; run < 100; run += 1) plant(100 + run, 'r');

  const both = await Promise.all([prune(), prune(), prune()]);

  expect(left()).toEqual([newest]);
  expect(both.flatMap(({ problems }) => problems)).toEqual([]);
  expect(new Set(both.flatMap(({ removed }) => removed.map(({ id }) => id))).size).toBe(100);
});
