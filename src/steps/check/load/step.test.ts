import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

describe('check.load', () => {
  it('reads a Debian 12 host', () => {
    const judgement = judgeOutput(kind, fixture('debian12.txt', import.meta.url));

    expect(judgement).toMatchObject({ outcome: 'ok', summary: 'load 0.75 per processor over 5 min' });
  });

  it('warns and fails by the load per processor, not by the load', () => {
    const judge = (load: string, cores: number, given = {}) =>
      judgeOutput(kind, `load\t0.1 ${load} 9.0\ncores\t${cores}\n`, given);

    expect(judge('8.0', 8).outcome).toBe('ok');
    expect(judge('8.0', 4)).toMatchObject({ outcome: 'warning', reason: 'above-warning' });
    expect(judge('8.0', 2)).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: 'load 4 per processor over 5 min, limit 3',
    });
    expect(judge('0.1', 2, { minutes: 15 }).outcome).toBe('failed');
  });

  it('names the tasks that wait for a disk', () => {
    const { summary, metrics } = judgeOutput(kind, 'load\t9 9 9\ncores\t2\nblocked\t12\n');

    expect(summary).toBe('load 4.5 per processor over 5 min, limit 3, 12 tasks blocked on I/O');
    expect(metrics?.find(({ name }) => name === 'blocked')?.value).toBe(12);
  });

  it.each(['', 'load\t1 2\ncores\t2\n', 'load\t1 2 3\n', 'load\t1 2 3\ncores\t0\n', 'load\ta b c\ncores\t1\n', 'x\n'])(
    'does not take %j for a load',
    (said) => {
      expect(() => judgeOutput(kind, said)).toThrow();
    },
  );

  it.each(Object.keys(shells))('measures this machine with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect(output.exitStatus).toBe(0);
    expect(kind.parse(output, { warning: 1.5, critical: 3, minutes: 5 }).cores).toBeGreaterThan(0);
  });
});
