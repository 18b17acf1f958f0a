import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/command.js';
import { runReport } from '../../src/commands/report.js';
import { runRuns } from '../../src/commands/runs.js';
import { findRun, listRuns, readResult } from '../../src/journal/runs.js';
import { stateFolder } from '../../src/journal/state.js';
import { reports } from '../../src/reports/index.js';
import { writeOutputs } from '../../src/reports/outputs.js';
import { writeWholeFile } from '../../src/reports/write-file.js';
import { hundredHosts, runResult, threeHosts } from '../support/results.js';
import { fakeTerminal } from '../support/terminal.js';

let state = '';
beforeEach(() => {
  state = join(mkdtempSync(join(tmpdir(), 'opsctl-runs-')), 'opsctl');
});
afterEach(() => rmSync(join(state, '..'), { recursive: true, force: true }));

function store(id: string, text?: string): void {
  const folder = join(state, 'runs', id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'journal.ndjson'), '');
  if (text !== undefined) writeFileSync(join(folder, 'result.json'), text);
}

function contextFor(terminal = fakeTerminal()) {
  const codes: number[] = [];
  const context: CommandContext = {
    terminal,
    cwd: join(state, '..'),
    env: { XDG_STATE_HOME: join(state, '..') },
    version: '0.1.0',
    user: { name: 'ops', uid: 1000, home: '/home/ops', pid: process.pid },
    removeVariable: () => {},
    argv: [],
    program: [],
    finish: (code) => codes.push(code),
    signal: new AbortController().signal,
  };
  return { context, codes, terminal };
}

describe('stateFolder', () => {
  it.each([
    [{ XDG_STATE_HOME: '/var/lib/state', HOME: '/root' }, '/var/lib/state/opsctl'],
    [{ XDG_STATE_HOME: 'relative', HOME: '/home/ops' }, '/home/ops/.local/state/opsctl'],
    [{ HOME: '/home/ops' }, '/home/ops/.local/state/opsctl'],
  ])('of %j is %s', (env, folder) => {
    expect(stateFolder(env)).toBe(folder);
  });
});

describe('findRun', () => {
  beforeEach(() => {
    store('20260301T000000Z-aaaa', JSON.stringify(threeHosts()));
    store('20260302T000000Z-bbbb', JSON.stringify(threeHosts()));
    store('20260303T000000Z-cccc');
  });

  it.each([
    ['20260301T000000Z-aaaa', '20260301T000000Z-aaaa'],
    ['20260302', '20260302T000000Z-bbbb'],
    ['last', '20260302T000000Z-bbbb'],
  ])('finds %s', async (ref, id) => {
    expect(await findRun(state, ref)).toBe(join(state, 'runs', id, 'result.json'));
  });

  it('takes a path of a result, or of the folder of a run', async () => {
    const folder = join(state, 'runs', '20260301T000000Z-aaaa');

    expect(await findRun('/nowhere', join(folder, 'result.json'))).toBe(join(folder, 'result.json'));
    expect(await findRun('/nowhere', './20260301T000000Z-aaaa', join(state, 'runs'))).toBe(join(folder, 'result.json'));
  });

  it.each([
    ['nope', 'E_RUN_NOT_FOUND no run "nope"'],
    ['', 'E_RUN_NOT_FOUND'],
    ['../../etc/passwd', 'E_RUN_NOT_FOUND no result file ../../etc/passwd'],
    ['2026030', 'E_RUN_AMBIGUOUS "2026030" is the start of 3 runs: 20260303T000000Z-cccc, '],
    ['20260303', 'E_RUN_UNFINISHED run 20260303T000000Z-cccc has no result'],
  ])('refuses %j', async (ref, message) => {
    await expect(findRun(state, ref, state)).rejects.toThrow(message);
  });

  it('says so when nothing has run yet', async () => {
    await expect(findRun('/nonexistent', 'last')).rejects.toThrow(
      'E_RUN_NOT_FOUND no run in /nonexistent; nothing has run yet',
    );
  });
});

describe('readResult', () => {
  it.each([
    ['{', 'is not JSON'],
    ['[]', 'is no result of an opsctl run'],
    ['null', 'is no result of an opsctl run'],
    [JSON.stringify({ ...threeHosts(), schema: 'opsctl.result/9' }), 'has format opsctl.result/9'],
    [JSON.stringify({ ...threeHosts(), hosts: [{}] }), 'does not fit its schema: /hosts/0'],
  ])('refuses %j', async (text, message) => {
    store('a', text);

    await expect(readResult(join(state, 'runs', 'a', 'result.json'))).rejects.toThrow(message);
  });
});

describe('opsctl report', () => {
  it.each(Object.keys(reports))('prints as %s exactly what the run printed', async (format) => {
    store('20260301T000000Z-aaaa', JSON.stringify(hundredHosts()));
    const atRun = fakeTerminal();
    await writeOutputs(hundredHosts(), [{ format }], atRun, writeWholeFile);
    const { context, codes, terminal } = contextFor();

    await runReport({ run: 'last', outputs: [format], verbose: false }, context);

    expect(terminal.stdout()).toBe(atRun.stdout());
    expect(codes).toEqual([]);
  });

  it('stops quietly with 141 when nobody reads', async () => {
    store('20260301T000000Z-aaaa', JSON.stringify(threeHosts()));
    const { context, codes } = contextFor(fakeTerminal({ outClosed: true }));

    await runReport({ run: 'last', outputs: [], verbose: false }, context);

    expect(codes).toEqual([141]);
  });

  it('refuses a file in a folder that is not there before it reads anything', async () => {
    const { context } = contextFor();

    await expect(runReport({ run: 'last', outputs: ['json=no/where.json'], verbose: false }, context)).rejects.toThrow(
      'E_REPORT_DIR',
    );
  });
});

describe('opsctl runs', () => {
  it('lists runs, newest first, with what came of them', async () => {
    store('20260301T000000Z-aaaa', JSON.stringify(threeHosts()));
    store('20260302T000000Z-bbbb', JSON.stringify(runResult([{ name: 'web1' }], { mode: 'dry-run' })));
    store('20260303T000000Z-cccc');
    store('20260304T000000Z-dddd', 'broken');
    const { context, terminal } = contextFor();

    await runRuns({ json: false, limit: 20 }, context);

    const lines = terminal.stdout().trimEnd().split('\n');
    expect(lines[0]).toMatch(/^run +started +exit +runbook +hosts$/);
    expect(lines[1]).toMatch(/^20260304T000000Z-dddd .*unreadable: is not JSON/);
    expect(lines[2]).toMatch(/^20260303T000000Z-cccc +not finished$/);
    expect(lines[3]).toMatch(/^20260302T000000Z-bbbb +2026-03-02 04:05:06Z +3 +Host health \(dry run\) +1 skipped$/);
    expect(lines[4]).toMatch(/^20260301T000000Z-aaaa +2026-03-02 04:05:06Z +1 +Host health +2 ok, 1 failed$/);
  });

  it('prints JSON', async () => {
    store('20260301T000000Z-aaaa', JSON.stringify(threeHosts()));
    store('20260303T000000Z-cccc');
    const { context, terminal } = contextFor();

    await runRuns({ json: true, limit: 1 }, context);
    await runRuns({ json: true, limit: 2 }, { ...context, terminal: fakeTerminal() });

    expect(JSON.parse(terminal.stdout())).toEqual([
      { id: '20260303T000000Z-cccc', folder: join(state, 'runs', '20260303T000000Z-cccc') },
    ]);
  });

  it('says that nothing has run yet', async () => {
    const { context, terminal } = contextFor();

    await runRuns({ json: false, limit: 20 }, context);

    expect(terminal.stdout()).toBe('no runs yet\n');
    expect(await listRuns('/nonexistent')).toEqual([]);
  });
});

describe('runs of one second', () => {
  it('are told apart by when they were made, not by the random end of their id', async () => {
    for (const end of ['m', 'a', 'z', 'b']) {
      store(`20260301T000000Z-${end}`, JSON.stringify(threeHosts()));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }

    expect((await listRuns(state)).map(({ id }) => id.at(-1))).toEqual(['b', 'z', 'a', 'm']);
    expect(await findRun(state, 'last')).toContain('Z-b/');
  });
});
