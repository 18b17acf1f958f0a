import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProbeOutput } from '../../src/steps/step.js';
import { type AnyHostStep, hasOwnProbe, hostKinds, judgeAsEngine } from '../support/host-kinds.js';
import { describeWith } from '../support/needs.js';

/** What a kind's schema cannot say that it needs. */
const alsoGiven: Readonly<Record<string, object>> = {
  'check.container': { name: 'web' },
  'check.log': { path: '/var/log/no-such.log' },
  'check.process': { name: 'no-such-program' },
};

/** How busy the machine is changes from look to look, and is no matter here. */
const anyLoad: Readonly<Record<string, object>> = {
  'check.cpu': { warning: '100%' },
  'check.disk-io': { warning: 100_000 },
  'check.load': { warning: 100_000, critical: 100_000 },
  'check.pressure': { 'warning-memory': '100%', 'critical-memory': '100%' },
  'check.processes': { 'warning-zombies': 100_000, 'critical-zombies': 100_000 },
};

const kinds = (await hostKinds({ ...alsoGiven, ...anyLoad })).filter(hasOwnProbe);

function run(kind: AnyHostStep, params: unknown, path: string, user?: 'nobody'): ProbeOutput {
  const args = kind.args(params).map(String);
  const { stdout, stderr, status, signal } = spawnSync('/bin/sh', ['-c', kind.probe.text, 'sh', ...args], {
    env: { PATH: path, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    ...(user && { uid: 65_534, gid: 65_534 }),
  });
  return { stdout, stderr, exitStatus: status ?? (signal === 'SIGPIPE' ? 141 : 137) };
}

/** What every Linux has, and no tool of an administrator. */
const basics =
  'awk basename cat cksum cut date dd df dirname du echo env expr find getent grep gzip head hostname id join ls ' +
  'mktemp nproc od paste printf readlink realpath rm sed seq sh sha256sum sleep sort stat sync tail tee test timeout ' +
  'tr true uname uniq wc xargs';

/** Told by files of the kernel and the system: these need the basics at most. */
const needsNoTool = new Set([
  ...[
    'certificate',
    'config',
    'conntrack',
    'cpu',
    'directory',
    'disk',
    'disk-io',
    'file',
    'file-descriptors',
    'group',
    'interface',
  ],
  ...['kernel-parameter', 'listening', 'load', 'memory', 'mount', 'oom', 'port', 'pressure', 'process', 'processes'],
  ...['route', 'temperature', 'uptime', 'user'],
]);

describeWith('every kind, where it cannot measure', ['root', 'dash'], () => {
  let none: string;
  let few: string;
  beforeAll(() => {
    none = mkdtempSync(join(tmpdir(), 'opsctl-none-'));
    few = mkdtempSync(join(tmpdir(), 'opsctl-few-'));
    for (const program of basics.split(' '))
      for (const folder of ['/usr/bin', '/bin'])
        if (existsSync(join(folder, program)) && !existsSync(join(few, program)))
          symlinkSync(join(folder, program), join(few, program));
    spawnSync('chmod', ['755', none, few]);
  });
  afterAll(() => {
    for (const folder of [none, few]) rmSync(folder, { recursive: true, force: true });
  });

  const couldNot = ['unknown', 'skipped'];

  it.each(kinds)('$name does not pretend without any program', ({ kind, params }) => {
    const attempt = judgeAsEngine(kind, params, run(kind, params, none));

    // What the shell itself can read is known without programs.
    if (!couldNot.includes(attempt.outcome)) expect(kind.probe.text).toMatch(/\bread -r\b|<"?\/?(proc|etc|\$)/);
    expect(attempt.reason).not.toBe('');
    expect(attempt.summary).not.toBe('');
    if (attempt.outcome === 'unknown') expect(attempt.summary).not.toContain('please report');
  });

  it.each(kinds)('$name says what is missing without its tool', ({ name, kind, params }) => {
    if (needsNoTool.has(name.replace('check.', '')) || name.startsWith('run.')) return;
    const attempt = judgeAsEngine(kind, params, run(kind, params, few));

    expect([name, attempt.summary, couldNot.includes(attempt.outcome)]).toEqual([name, attempt.summary, true]);
    expect(attempt.summary.length).toBeGreaterThan(5);
    expect(attempt.reason).not.toMatch(/^(internal-error|unreadable-output)$/);
  });

  it.each(kinds)('$name gives no better news to a user without rights', ({ kind, params }) => {
    const path = process.env.PATH ?? '';
    const asNobody = judgeAsEngine(kind, params, run(kind, params, path, 'nobody'));

    expect(asNobody.reason).not.toMatch(/^(internal-error|unreadable-output)$/);
    if (asNobody.outcome !== 'ok') return;
    // What is good in the eyes of nobody is good in the eyes of root, at the next look at the latest: numbers move.
    const asRoot = () => judgeAsEngine(kind, params, run(kind, params, path)).outcome;
    expect([asRoot(), asRoot()]).toContain('ok');
  });

  it.each(kinds)('$name makes nothing of output that is not its own', ({ kind, params }) => {
    const real = run(kind, params, process.env.PATH ?? '');
    const none = Buffer.alloc(0);
    const judgedOf = (stdout: Buffer | string, status = 0) =>
      judgeAsEngine(kind, params, { stdout: Buffer.from(stdout), stderr: none, exitStatus: status });

    for (const stdout of ['', '\n', 'garbage\n', '\t\t\n', 'a\tb\tc\n', '\u0000', '<html>', '{}', '[]', 'null', '-1\n'])
      for (const status of [0, 1, 2, 126, 141])
        expect([stdout, status, judgedOf(stdout, status).outcome]).not.toEqual([stdout, status, 'ok']);
    // Cut anywhere, it may say less, and never that all is well when it did not say so as a whole.
    const whole = judgeAsEngine(kind, params, real).outcome;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Math.max(0, real.stdout.length - 1) }), (end) => {
        const cut = judgedOf(real.stdout.subarray(0, end), real.exitStatus);
        if (whole !== 'ok' && whole !== 'skipped') expect(cut.outcome).not.toBe('ok');
        expect(cut.reason).not.toBe('internal-error');
      }),
      { numRuns: 60 },
    );
  });

  it.each(kinds)('$name survives any bytes', ({ kind, params }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 255 }), (bytes, status) => {
        const attempt = judgeAsEngine(kind, params, {
          stdout: Buffer.from(bytes),
          stderr: Buffer.from(bytes),
          exitStatus: status,
        });
        expect(attempt.outcome).not.toBe('ok');
        expect(attempt.reason).not.toBe('internal-error');
      }),
      { numRuns: 100 },
    );
  });
});
