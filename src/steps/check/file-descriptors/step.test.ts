import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const system = 'system\t5000\t0\t100000\n';
const nginx = (lines: string) => `${system}${lines}end\t\n`;

describe('check.file-descriptors', () => {
  it('reads a Debian 12 host', () => {
    expect(judgeOutput(kind, fixture('debian12-cron.txt', import.meta.url), { process: 'cron' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^\d+ of \d+ files are open \([\d.]+ %\), cron [\d.]+ % of its own at most$/),
    });
  });

  it('warns before the system runs out', () => {
    expect(judgeOutput(kind, 'system\t80\t5\t100\n')).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: 'the system has 75 of 100 files open (75 %), limit 70 %',
    });
  });

  it('takes the fullest process of the program', () => {
    const said = nginx(
      'process\t7 100 1024 524288 files\nprocess\t8 1000 1024 524288 files\nprocess\t9 9 unlimited unlimited files\n',
    );

    expect(judgeOutput(kind, said, { process: 'nginx' })).toMatchObject({
      outcome: 'failed',
      summary: 'nginx (process 8) has 1000 of 1024 files open (97.7 %), limit 90 %',
    });
  });

  it('fails when the program does not run', () => {
    expect(judgeOutput(kind, nginx(''), { process: 'nginx' }).reason).toBe('process-absent');
  });

  it.each(['', 'system\t1\t2\n', 'system\t1\t0\t0\n', system])('does not take %j for numbers', (said) => {
    expect(() => judgeOutput(kind, said, { process: 'nginx' })).toThrow();
  });

  it.each(Object.keys(shells))('counts the files of a process of this machine with %s', async (shell) => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      await new Promise((resolve) => child.once('spawn', resolve));
      const output = runProbe(kind, { process: 'sleep' }, shell);
      const { processes } = kind.parse(output, { process: 'sleep', warning: 1, critical: 1 });

      expect(processes.find(({ pid }) => pid === child.pid)?.open).toBeGreaterThanOrEqual(3);
    } finally {
      child.kill();
    }
  });
});
