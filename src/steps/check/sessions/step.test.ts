import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, outputOf, shells, withDefaults } from '../../../../test/support/probe.js';
import { runWithoutTools } from '../../../../test/support/without-tools.js';
import kind from './step.js';

const said = (...sessions: string[]) =>
  `now\t1000000\nsource\tlogind\n${sessions.map((session) => `session\t${session}\n`).join('')}end\t\n`;
const alice = 'alice\tpts/0\t10.0.0.7\t992800';
const bob = 'bob\tpts/1\t\t999940';
const copy = 'alice\t\t10.0.0.7\t';

describe('check.sessions', () => {
  it('tells who is logged in', () => {
    expect(judgeOutput(kind, said(alice, bob, copy))).toMatchObject({
      outcome: 'ok',
      summary: '3 sessions: alice, bob, idle for 2 h at most',
      metrics: [
        { name: 'sessions', value: 3 },
        { name: 'users', value: 2 },
        { name: 'idle', value: 7200, unit: 'seconds' },
      ],
    });
    expect(judgeOutput(kind, said(), { critical: 0, allowed: 'root' })).toMatchObject({
      outcome: 'ok',
      summary: 'nobody is logged in',
    });
  });

  it.each([
    [{ critical: 2 }, 'failed', '3 sessions: alice, bob, limit 2'],
    [{ 'warning-users': 1 }, 'warning', '2 users: alice, bob, limit 1'],
    [{ 'critical-idle': '1h' }, 'failed', 'alice on pts/0 from 10.0.0.7 is idle for 2 h, limit 60 min'],
    [{ allowed: ['^alice$', '^root$'] }, 'failed', 'bob on pts/1 is logged in'],
    [{ allowed: ['^alice$', '^bob$'] }, 'ok', '3 sessions: alice, bob, idle for 2 h at most'],
  ])('holds it against %j', (given, outcome, summary) => {
    expect(judgeOutput(kind, said(alice, bob, copy), given)).toMatchObject({ outcome, summary });
  });

  it.each([
    '',
    'end\t\n',
    said(alice).replace('end\t\n', ''),
    said('\tpts/0\t\t'),
    said('a\tb\tc\td\te'),
    said('a\tb\tc\tnoon'),
    said(alice).replace('logind', 'rumour'),
  ])('does not take %j for a list', (text) => {
    expect(() => kind.parse(outputOf(text), withDefaults(kind))).toThrow();
  });
});

/** Runs the probe where /run holds these files and nothing else, as on a host without systemd. */
function runWith(files: string, shell: string, tools = '') {
  const place = `mount --bind ${files} /run && ${tools} exec "$@"`;
  const run = ['-m', 'sh', '-c', place, 'sh', ...(shells[shell] ?? []), '-c', kind.probe.text, 'sh'];
  const { stdout, stderr, status } = spawnSync('unshare', run, {
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { stdout: stdout.toString(), stderr: stderr.toString(), status };
}

describeWith('check.sessions without systemd', ['root', 'utmpdump', 'busybox'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-sessions-'));
  const empty = mkdtempSync(join(tmpdir(), 'opsctl-sessions-'));
  afterAll(() => {
    for (const one of [folder, empty]) rmSync(one, { recursive: true });
  });
  const record = (type: number, user: string, line: string, host: string) =>
    `[${type}] [${String(process.pid).padStart(5, '0')}] [ts/0] [${user.padEnd(8)}] [${line.padEnd(12)}] [${host.padEnd(20)}] [10.0.0.7       ] [2026-11-23T09:00:00,000000+00:00]\n`;
  const input = [
    record(2, 'reboot', '~', '6.1.0'),
    record(7, 'alice', 'pts/90', 'desk.example.com'),
    record(8, '', 'pts/91', ''),
    record(7, 'bob', 'tty1', ''),
  ].join('');
  writeFileSync(join(folder, 'utmp'), execFileSync('utmpdump', ['-r'], { input, stdio: ['pipe', 'pipe', 'ignore'] }));

  it.each(Object.keys(shells))('reads utmp through who, with %s', (shell) => {
    const { stdout, stderr, status } = runWith(folder, shell);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { source, sessions } = kind.parse(outputOf(stdout), withDefaults(kind));
    expect(source).toBe('utmp');
    expect(sessions.map(({ user, terminal }) => [user, terminal])).toEqual([
      ['alice', 'pts/90'],
      ['bob', 'tty1'],
    ]);
  });

  it.each(Object.keys(shells))(
    'sees root of systemd 257, whose sessions have a class of their own, with %s',
    (shell) => {
      const host = mkdtempSync(join(tmpdir(), 'opsctl-sessions-'));
      const [list = '', shown = ''] = fixture('debian13-loginctl.txt', import.meta.url).split('==\n');
      mkdirSync(join(host, 'systemd/system'), { recursive: true });
      writeFileSync(join(host, 'list'), list);
      writeFileSync(join(host, 'shown'), shown);
      const loginctl = '#!/bin/sh\ncase "$*" in *list-sessions*) cat /run/list ;; *) cat /run/shown ;; esac\n';
      writeFileSync(join(host, 'loginctl'), loginctl, { mode: 0o755 });
      try {
        const { stdout, status } = runWith(host, shell, 'PATH="/run:$PATH"');

        expect(status).toBe(0);
        const { sessions } = kind.parse(outputOf(stdout), withDefaults(kind));
        expect(sessions.map(({ user, terminal }) => [user, terminal])).toEqual([['root', 'pts/0']]);
      } finally {
        rmSync(host, { recursive: true });
      }
    },
  );

  it.each(Object.keys(shells))('says so where nobody keeps a list, with %s', (shell) => {
    expect(runWith(empty, shell)).toMatchObject({
      status: 69,
      stderr: expect.stringContaining('neither logind nor utmp tells here who is logged in'),
    });
    expect(runWithoutTools(kind, {}, shell).exitStatus).not.toBe(0);
  });
});
