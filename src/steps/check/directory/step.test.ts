import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, outputOf, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import { runWithoutTools } from '../../../../test/support/without-tools.js';
import kind from './step.js';

const folder = mkdtempSync(join(tmpdir(), 'opsctl-directory-'));
const put = (name: string, bytes: number, age: number) => {
  writeFileSync(join(folder, name), Buffer.alloc(bytes));
  const time = Date.now() / 1000 - age;
  utimesSync(join(folder, name), time, time);
};

beforeAll(() => {
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'sub/deeper'), { recursive: true });
  put('one.dump', 1000, 3600);
  put('-n two.dump', 500, 60);
  put('sub/three.dump', 24, 86_400);
  put('sub/deeper/\n9 9\n.txt', 10, 10 * 86_400);
  symlinkSync('sub', join(folder, 'link'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const said = (count: number, complaints = '0 ') =>
  `now\t1000000\ncount\t${count}\nsize\t4096\n${count ? 'oldest\t900000\nnewest\t996400\n' : ''}complaints\t${complaints}\n`;

describe.each(Object.keys(shells))('check.directory with %s', (shell) => {
  const read = (given: object = {}) =>
    kind.parse(runProbe(kind, { path: folder, ...given }, shell), withDefaults(kind, { path: folder, ...given }));

  it('counts what is below a folder, whatever the names', () => {
    const all = read();

    expect(all).toMatchObject({ count: 4, size: 1534, complaints: 0, complaint: '' });
    expect(Math.abs((all?.oldest ?? 0) - 10 * 86_400)).toBeLessThan(60);
    expect(Math.abs((all?.newest ?? 0) - 60)).toBeLessThan(60);
  });

  it('takes patterns, a depth and folders', () => {
    expect(read({ name: '*.dump' })).toMatchObject({ count: 3, size: 1524 });
    expect(read({ name: '*.dump', depth: 1 })).toMatchObject({ count: 2, size: 1500 });
    expect(read({ type: 'directory' })?.count).toBe(2);
    expect(read({ name: '$(reboot)*' })).toMatchObject({ count: 0, size: 0, oldest: null, newest: null });
  });

  it('goes into the folder behind a link, and into no other', () => {
    expect(read({ path: join(folder, 'link') })?.count).toBe(2);
    expect(read({ path: `${folder}/link/` })?.count).toBe(2);
  });

  it('tells what is no folder', () => {
    expect(judgeOutput(kind, runProbe(kind, { path: '/no/such' }, shell), { path: '/no/such' })).toMatchObject({
      outcome: 'failed',
      reason: 'no-directory',
    });
    expect(runProbe(kind, { path: '/etc/passwd' }, shell).exitStatus).toBe(69);
  });
});

describeWith('check.directory without rights', ['root', 'dash', 'busybox'], () => {
  const asNobody = (shell: string, path: string) => {
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const args = kind.args(withDefaults(kind, { path })).map(String);
    const { stdout, stderr, status } = spawnSync(program, [...options, '-c', kind.probe.text, 'sh', ...args], {
      env: { ...process.env, LC_ALL: 'C' },
      cwd: '/',
      uid: 65_534,
      gid: 65_534,
    });
    return { stdout, stderr, exitStatus: status ?? -1 };
  };

  it.each(Object.keys(shells))('does not call a part the whole, with %s', (shell) => {
    const closed = join(folder, 'sub/deeper');
    chmodSync(closed, 0o700);
    try {
      expect(judgeOutput(kind, asNobody(shell, folder), { path: folder })).toMatchObject({
        outcome: 'unknown',
        reason: 'unreadable-folder',
        summary: expect.stringMatching(/could not be searched as a whole \(1 times\): .*Permission denied/),
        metrics: [],
      });
      expect(asNobody(shell, closed).exitStatus).toBe(77);
    } finally {
      chmodSync(closed, 0o755);
    }
  });
});

describe('check.directory', () => {
  const path = '/srv';

  // busybox brings its tools along.
  it.each(['dash', 'bash'])('says which tool is missing, with %s', (shell) => {
    expect(runWithoutTools(kind, { path: folder }, shell)).toMatchObject({
      exitStatus: 127,
      stderr: expect.stringContaining('find is not installed'),
    });
  });

  it('reads a Debian 12 host', () => {
    expect(judgeOutput(kind, fixture('debian12.txt', import.meta.url), { path: '/etc' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^\/etc holds \d+ files of [\d.]+ [KM]iB, the newest [\d.]+ \w+ old$/),
      metrics: [{ name: 'count' }, { name: 'size' }, { name: 'oldest' }, { name: 'newest' }],
    });
  });

  it.each([
    [{ critical: 3 }, 'failed', '/srv holds 5 files, limit 3'],
    [{ warning: '10:', name: '*.x' }, 'warning', '/srv holds 5 files *.x, at least 10'],
    [{ 'critical-size': '1KiB' }, 'failed', '/srv holds 4 KiB, limit 1 KiB'],
    [{ 'warning-oldest': '1d' }, 'warning', '/srv the oldest is 27.8 h old, limit 24 h'],
    [{ 'critical-newest': '30m' }, 'failed', '/srv the newest is 60 min old, limit 30 min'],
    [{ 'critical-newest': '2h' }, 'ok', '/srv holds 5 files of 4 KiB, the newest 60 min old'],
  ])('holds it against %j', (given, outcome, summary) => {
    expect(judgeOutput(kind, said(5), { path, ...given })).toMatchObject({ outcome, summary });
  });

  it('fails for a folder without the file that should be new', () => {
    expect(judgeOutput(kind, said(0), { path, name: '*.dump', 'critical-newest': '1d' })).toMatchObject({
      outcome: 'failed',
      reason: 'no-file',
      summary: '/srv holds no file *.dump',
    });
    expect(judgeOutput(kind, said(0), { path, 'critical-oldest': '1d' }).outcome).toBe('ok');
  });

  it('does not call a file young for ever that is dated ahead', () => {
    const ahead = (seconds: number) => said(5).replace('newest\t996400', `newest\t${1_000_000 + seconds}`);

    expect(judgeOutput(kind, ahead(2 * 86_400), { path, 'critical-newest': '1d' })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringContaining('the newest is dated 2 d ahead, limit'),
    });
    expect(judgeOutput(kind, ahead(5), { path, 'critical-newest': '1d' }).outcome).toBe('ok');
  });

  it('fails where the part that was seen is bad enough', () => {
    expect(judgeOutput(kind, said(5, '2 find: x: Permission denied'), { path, critical: 3 }).outcome).toBe('failed');
    expect(judgeOutput(kind, said(5, '2 find: x: Permission denied'), { path }).outcome).toBe('unknown');
  });

  it.each([
    '',
    'count\t5\n',
    said(5).replace('size\t4096', 'size\t'),
    said(5).replace(/complaints.*\n/, ''),
    said(5).replace('oldest', 'eldest'),
  ])('does not take %j for a measurement', (text) => {
    expect(() => kind.parse(outputOf(text), withDefaults(kind, { path }))).toThrow();
  });
});
