import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import { Secret } from '../../../secrets/secret.js';
import kind from './step.js';

const folder = mkdtempSync(join(tmpdir(), 'opsctl-plugin-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (name: string) => fixture(`${name}.txt`, import.meta.url);
const command = ['check_x'];
const judge = (said: string, status = 0, given: object = {}) =>
  judgeOutput(kind, `plugin\t/opt/check_x\n${said}\nstatus\t${status}\n`, { command, ...given });
const metricsOf = (numbers: string) => judge(`OK | ${numbers}\n`).metrics;

describe('check.plugin', () => {
  it('reads check_load of a Debian 12 host', () => {
    expect(judgeOutput(kind, read('load'), { command })).toEqual({
      outcome: 'ok',
      reason: 'ok',
      summary: 'LOAD OK - total load average: 0.60, 0.71, 1.75',
      metrics: [
        { name: 'load1', value: 0.6, unit: 'count', warning: '5', critical: '10', min: 0 },
        { name: 'load5', value: 0.71, unit: 'count', warning: '4', critical: '8', min: 0 },
        { name: 'load15', value: 1.75, unit: 'count', warning: '3', critical: '6', min: 0 },
      ],
    });
  });

  it.each([
    ['disk', 'ok', 'ok', 'DISK OK - free space: / 77399MiB (74% inode=97%); /dev/shm 24105MiB (100% inode=99%);'],
    ['swap', 'failed', 'plugin-critical', /^SWAP CRITICAL - 0% free/],
    ['file-age', 'warning', 'plugin-warning', /^FILE_AGE WARNING/],
    ['tcp-refused', 'failed', 'plugin-critical', /Connection refused$/],
    ['unknown', 'unknown', 'plugin-unknown', 'unit type KB not known'],
  ])('takes over the status of %s', (name, outcome, reason, summary) => {
    expect(judgeOutput(kind, read(name), { command })).toMatchObject({
      outcome,
      reason,
      summary: typeof summary === 'string' ? summary : expect.stringMatching(summary),
    });
  });

  it('brings numbers and their limits to base units', () => {
    expect(judgeOutput(kind, read('ping'), { command }).metrics).toEqual([
      { name: 'rta', value: 0.000057, unit: 'seconds', warning: '0.1', critical: '0.5', min: 0 },
      { name: 'pl', value: 0, unit: 'ratio', warning: '0.2', critical: '0.6', min: 0 },
    ]);
    expect(judgeOutput(kind, read('disk'), { command }).metrics).toMatchObject([
      { name: '/', value: 27785166848, unit: 'bytes', max: 270552530944 },
      { name: '/dev/shm', value: 0, unit: 'bytes' },
    ]);
  });

  it.each([
    ['a=85%', { value: 0.85, unit: 'ratio' }],
    ['a=5us', { value: 0.000005, unit: 'seconds' }],
    ['a=2KB', { value: 2000, unit: 'bytes' }],
    ['a=2MB', { value: 2e6, unit: 'bytes' }],
    ['a=1.5TB', { value: 1.5e12, unit: 'bytes' }],
    ['a=2KiB', { value: 2048, unit: 'bytes' }],
    ['a=12345c', { value: 12345, unit: 'count' }],
    ['a=-3.5', { value: -3.5, unit: 'count' }],
    ['a=1e-3s', { value: 0.001, unit: 'seconds' }],
    ['a=7rpm', { value: 7, unit: 'count' }],
    ['a=5ms;10:20;@30:40;0;100', { value: 0.005, warning: '0.01:0.02', critical: '@0.03:0.04', min: 0, max: 0.1 }],
    ['a=5;~:10;5:', { value: 5, warning: '~:10', critical: '5:' }],
    ['a=5;nonsense;20', { value: 5, critical: '20' }],
  ])('reads %s', (numbers, metric) => {
    expect(metricsOf(numbers)).toMatchObject([{ name: 'a', ...metric }]);
  });

  it('reads labels in quotes, with spaces, quotes and equals signs', () => {
    const names = metricsOf(`'C:\\ used'=1 'it''s'=2 'a=b'=3 plain=4 'über 10'=5`)?.map(({ name }) => name);

    expect(names).toEqual(['C:\\ used', "it's", 'a=b', 'plain', 'über 10']);
  });

  it('leaves out what is no number', () => {
    expect(metricsOf(`a=U b=x c=1,5 'open=3 d= =4 e=5 e=6`)).toEqual([{ name: 'e', value: 5, unit: 'count' }]);
  });

  it('reads text and numbers on many lines', () => {
    const said =
      'DISK OK - 3326 MB free | /=2643MB;5948;5958;0;5968\n/ 15272 MB\n/boot 68 MB\n/home 69357 MB | /boot=68MB\n/home=69357MB;253404\n/var=1MB\n';
    const output = { stdout: Buffer.from(`plugin\t/a\n${said}\nstatus\t0\n`), stderr: Buffer.alloc(0), exitStatus: 0 };
    const data = kind.parse(output, withDefaults(kind, { command }));

    expect(data.text).toBe('DISK OK - 3326 MB free');
    expect(data.longText).toBe('/ 15272 MB\n/boot 68 MB\n/home 69357 MB');
    expect(data.perfdata.map(({ metric }) => metric.name)).toEqual(['/', '/boot', '/home', '/var']);
  });

  it('does not hang on a long line without numbers', () => {
    expect(judge(`OK | ${"'".repeat(200_000)}\n`).outcome).toBe('ok');
    expect(judge(`OK | ${"a'' ".repeat(50_000)}\n`).outcome).toBe('ok');
  });

  it.each([
    ['OK\n', 4, 'plugin-status'],
    ['OK\n', 255, 'plugin-killed'],
    ['OK\n', 139, 'plugin-killed'],
    ['OK\n', 126, 'tool-missing'],
    ['OK\n', 127, 'tool-missing'],
    ['', 0, 'no-output'],
    ['  \n\n', 0, 'no-output'],
    ['| a=1\n', 0, 'no-output'],
    ['', 2, 'no-output'],
  ])('makes nothing of %j with status %i', (said, status, reason) => {
    expect(judge(said, status)).toMatchObject({ outcome: 'unknown', reason });
  });

  it.each(['', 'OK\n', 'plugin\t/a\nOK\n', 'plugin\t/a\nOK\nstatus\t0 \n'])(
    'does not take %j for an answer',
    (said) => {
      expect(() => judgeOutput(kind, said, { command })).toThrow();
    },
  );

  it('puts own limits on the numbers', () => {
    const said = 'fine | rta=30ms;100 used=60%';

    expect(judge(said, 0, { warning: { rta: 20 }, critical: { used: '50%' } })).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: 'used 60 %, limit 50 %; rta 30 ms, limit 20 ms',
      metrics: [{ warning: '0.02' }, { critical: '0.5' }],
    });
    expect(judge(said, 0, { critical: { rta: '20us' } }).reason).toBe('above-critical');
    expect(judge(said, 1, { critical: { rta: 40 } })).toMatchObject({ outcome: 'warning', summary: 'fine' });
  });

  it('knows nothing of a number that is not there or has another unit', () => {
    expect(judge('fine | a=1', 0, { warning: { b: 1 } })).toMatchObject({ outcome: 'unknown', reason: 'no-number' });
    expect(judge('fine | a=U', 0, { warning: { a: 1 } }).summary).toBe('the plugin does not know its value of a');
    expect(judge('fine | a=1ms', 0, { warning: { a: '1GiB' } })).toMatchObject({
      outcome: 'unknown',
      reason: 'wrong-unit',
    });
    expect(judge('fine | constructor=1', 0).outcome).toBe('ok');
  });

  it('refuses a relative path, a secret plugin, and limits of no unit', () => {
    const problems = (given: object) => kind.validate?.(withDefaults(kind, { command, ...given })) ?? [];

    expect(problems({ command: ['./check_x'] })).toMatchObject([{ path: ['command', 0] }]);
    expect(problems({ command: [new Secret('env:X', 'value')] })).toMatchObject([{ path: ['command', 0] }]);
    expect(problems({ warning: { a: '1x' }, critical: { a: '5s', b: '${{ vars.b }}' } })).toMatchObject([
      { path: ['warning', 'a'] },
    ]);
  });
});

describeWith(
  'check.plugin on this machine',
  ['check_load', 'check_dummy', 'check_procs', 'dash', 'bash', 'busybox'],
  () => {
    const look = (given: object, shell: string) => judgeOutput(kind, runProbe(kind, given, shell), given);
    const plugin = (name: string, text: string) => {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${text}\n`);
      chmodSync(path, 0o755);
      return path;
    };

    it.each(Object.keys(shells))('runs Debian’s plugins with %s', (shell) => {
      const load = look({ command: ['check_load', '-w', '9999,9999,9999', '-c', '9999,9999,9999'] }, shell);

      expect(load).toMatchObject({
        outcome: 'ok',
        metrics: [{ name: 'load1' }, { name: 'load5' }, { name: 'load15' }],
      });
      expect(look({ command: ['check_dummy', '2', 'a  "b" $(c)'] }, shell)).toMatchObject({
        outcome: 'failed',
        summary: 'CRITICAL: a  "b" $(c)',
      });
      expect(look({ command: ['check_procs', '-c', '99999:'] }, shell)).toMatchObject({
        outcome: 'failed',
        metrics: [{ name: 'procs', critical: '99999:' }],
      });
    });

    it.each(Object.keys(shells))('gives it its environment with %s', (shell) => {
      const path = plugin('env', 'echo "$WORD"; exit 1');

      expect(look({ command: [path], env: { WORD: `it's "x" $HOME` } }, shell)).toMatchObject({
        outcome: 'warning',
        summary: `it's "x" $HOME`,
      });
    });

    it.each(Object.keys(shells))('tells a missing plugin from one that cannot start or crashes, with %s', (shell) => {
      const bad = join(folder, 'plain');
      writeFileSync(bad, 'echo no');

      expect(runProbe(kind, { command: ['check_no_such'] }, shell).exitStatus).toBe(127);
      expect(runProbe(kind, { command: ['echo'] }, shell).exitStatus).toBe(127);
      expect(runProbe(kind, { command: [join(folder, 'none')] }, shell).exitStatus).toBe(127);
      expect(runProbe(kind, { command: [bad] }, shell).exitStatus).toBe(77);
      expect(look({ command: [plugin('killed', 'echo OK; kill -9 $$')] }, shell).reason).toBe('plugin-killed');
      expect(look({ command: [plugin('silent', 'echo trouble >&2; exit 1')] }, shell)).toMatchObject({
        reason: 'no-output',
        summary: 'the plugin said nothing, exit status 1: trouble',
      });
    });
  },
);
