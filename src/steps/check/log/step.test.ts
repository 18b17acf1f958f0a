import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { context, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import type { Memory } from '../../step.js';
import kind from './step.js';

describe.each(Object.keys(shells))('check.log with %s', (shell) => {
  let folder: string;
  let path: string;
  let memory: Memory | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-log-'));
    path = join(folder, 'app one.log');
    memory = undefined;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const look = (given: object = {}) => {
    const all = { path, pattern: ['ERROR', 'panic: [a-z]+'], ...given };
    const output = runProbe(kind, all, shell, memory);
    const params = withDefaults(kind, all);
    const data = kind.parse(output, params);
    const judgement = kind.judge(data, params, context);
    memory = { kept: JSON.parse(JSON.stringify(judgement.keep)), samples: [] };
    return { ...judgement, lines: data.lines };
  };
  const write = (text: string) => appendFileSync(path, text);

  it('sets a mark at the first look, and judges what comes after it, once', () => {
    write('ERROR old\n');
    expect(look()).toMatchObject({ outcome: 'skipped', reason: 'first-look' });
    write('fine\nERROR new\nall panic: now\n');
    expect(look()).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: `${path}: 2 matching lines since the last look: ERROR new, limit 0`,
      lines: ['ERROR new', 'all panic: now'],
    });
    expect(look()).toMatchObject({ outcome: 'ok', summary: `${path}: no matching lines since the last look` });
  });

  it('is unknown where the mark of the last look is lost, and goes on from there', () => {
    write('ERROR old\n');
    const output = runProbe(kind, { path, pattern: ['ERROR'] }, shell);
    const params = withDefaults(kind, { path, pattern: ['ERROR'] });
    const lost = { ...context, memory: { samples: [], isLost: true } };
    const judgement = kind.judge(kind.parse(output, params), params, lost);

    expect(judgement).toMatchObject({ outcome: 'unknown', reason: 'gap', keep: { of: path } });
  });

  it('judges all that is there when it is told to', () => {
    write('ERROR old\n');
    expect(look({ first: 'start' })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringContaining('ERROR old'),
    });
  });

  it('waits for the end of a line', () => {
    write('');
    look();
    write('fine\nERR');
    expect(look()).toMatchObject({ outcome: 'ok' });
    write('OR split');
    expect(look()).toMatchObject({ outcome: 'ok' });
    write(' in three\n');
    expect(look()).toMatchObject({ outcome: 'failed', lines: ['ERROR split in three'] });
    expect(look()).toMatchObject({ outcome: 'ok' });
  });

  it('begins before a line that is being written when it looks first', () => {
    write('done\nERR');
    look();
    write('OR whole\n');
    expect(look()).toMatchObject({ outcome: 'failed', lines: ['ERROR whole'] });
  });

  it('sees that a log was cut and has grown again, though each begins with the same long header', () => {
    const header = `#Fields: ${'name '.repeat(99)}\n`;
    write(`${header}one\ntwo\n`);
    look();
    truncateSync(path);
    write(`${header}ERROR first of the new\nand more\nand more\n`);
    expect(look()).toMatchObject({ outcome: 'failed', lines: ['ERROR first of the new'] });
    expect(look()).toMatchObject({ outcome: 'ok' });
  });

  it('leaves out what is to be ignored, and reads capital letters as small ones when told', () => {
    write('start\n');
    look();
    write('ERROR known trouble\nerror small\n');
    expect(look({ ignore: ['known', 'other'], 'ignore-case': true })).toMatchObject({ lines: ['error small'] });
  });

  it('loses nothing when the log is rotated by name', () => {
    write('begin\n');
    look();
    write('ERROR before\n');
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'ERROR after\n');
    expect(look()).toMatchObject({ outcome: 'failed', lines: ['ERROR before', 'ERROR after'] });
    expect(look()).toMatchObject({ outcome: 'ok' });
  });

  it('loses nothing when the log is rotated twice and packed', () => {
    write('begin\n');
    look();
    write('ERROR one\n');
    renameSync(path, `${path}.2`);
    execFileSync('gzip', [`${path}.2`]);
    writeFileSync(`${path}.1`, 'ERROR two\n');
    writeFileSync(`${path}.3.gz`, 'not for us');
    const long = Date.now() / 1000 - 1_000;
    utimesSync(`${path}.3.gz`, long, long);
    utimesSync(`${path}.2.gz`, long + 100, long + 100);
    utimesSync(`${path}.1`, long + 200, long + 200);
    writeFileSync(path, 'ERROR three\n');
    expect(look()).toMatchObject({ outcome: 'failed', lines: ['ERROR one', 'ERROR two', 'ERROR three'] });
    expect(look()).toMatchObject({ outcome: 'ok' });
  });

  it('loses nothing when the log is rotated by date', () => {
    path = join(folder, 'app.log');
    write('begin\n');
    look();
    write('ERROR before\n');
    renameSync(path, join(folder, 'app-20260101.log'));
    writeFileSync(path, '');
    expect(look()).toMatchObject({ outcome: 'failed', lines: ['ERROR before'] });
    expect(look()).toMatchObject({ outcome: 'ok' });
  });

  it('loses nothing when the log is copied and cut, even when it has grown past the mark again', () => {
    write('a beginning of some length\n');
    look();
    write('ERROR before\n');
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    const { ino } = statSync(path);
    write(`ERROR after\n${'fine\n'.repeat(50)}`);
    expect(statSync(path).ino).toBe(ino);
    expect(look()).toMatchObject({ outcome: 'failed', lines: ['ERROR before', 'ERROR after'] });
  });

  it('does not call it ok when lines may be gone', () => {
    write('begin\nmore\n');
    look();
    writeFileSync(path, 'new\n');
    expect(look()).toMatchObject({ outcome: 'unknown', reason: 'gap', summary: expect.stringContaining('is gone') });
    expect(look()).toMatchObject({ outcome: 'ok' });
  });

  it('reads no more than it may, and says so', () => {
    write('begin\n');
    look();
    write(`ERROR lost\n${'x'.repeat(1_048_576)}\n`);
    expect(look({ 'limit-mib': 1 })).toMatchObject({ outcome: 'unknown', reason: 'gap' });
    expect(look({ 'limit-mib': 1 })).toMatchObject({ outcome: 'ok' });
  });

  it('reads lines with any bytes in them', () => {
    write('begin\n');
    look();
    appendFileSync(path, Buffer.from([0, 255, 254, ...Buffer.from(' ERROR in bytes\n')]));
    expect(look()).toMatchObject({ outcome: 'failed', summary: expect.stringContaining('ERROR in bytes') });
  });

  it('begins anew with another log', () => {
    write('begin\n');
    look();
    path = join(folder, 'other.log');
    write('ERROR\n');
    expect(look()).toMatchObject({ reason: 'first-look' });
  });

  it('is unknown where there is no such file, or nobody lets it read', () => {
    expect(runProbe(kind, { path }, shell).exitStatus).toBe(69);
    expect(runProbe(kind, { path: folder }, shell).exitStatus).toBe(69);
    write('x\n');
    const bad = runProbe(kind, { path, pattern: ['a[b'] }, shell);
    expect(bad.exitStatus).toBe(69);
    expect(String(bad.stderr)).toContain('does not understand');
  });
});

describe('check.log', () => {
  it('refuses what is no extended regular expression, and logs that are none', () => {
    const problems = (given: object) =>
      kind.validate?.(withDefaults(kind, given)).map(({ path, hint }) => [path, hint]);
    expect(problems({ path: '/a', pattern: ['\\d+'] })).toEqual([[['pattern', 0], 'write [0-9]']]);
    expect(problems({ path: '/a', pattern: ['(?i)x'] })).toEqual([
      [['pattern', 0], 'for `(?i)` set ignore-case: true'],
    ]);
    expect(problems({ path: '/a', ignore: ['fine', '.*?x'] })).toEqual([
      [['ignore', 1], 'write what `grep -E` understands'],
    ]);
    expect(problems({ path: '/a', pattern: ['a\\.b [0-9]+ \\[x\\]'] })).toEqual([]);
    expect(problems({})).toHaveLength(1);
    expect(problems({ path: '/a', journal: true })).toHaveLength(1);
    expect(problems({ path: '/a', unit: 'x' })).toHaveLength(1);
    expect(problems({ journal: true, unit: 'x' })).toEqual([]);
  });

  it('cannot read what is not its own output', () => {
    const params = withDefaults(kind, { path: '/a' });
    for (const stdout of ['', 'count\t1\n', 'mark\tx\n', 'count\tmany\nmark\t1 2 3,4\n', 'mark\t1 -2 3\n'])
      expect(() => judgeOutput(kind, stdout, params)).toThrow();
  });
});
