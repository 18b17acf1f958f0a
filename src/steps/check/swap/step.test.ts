import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const swap = (free: number, pages?: readonly [number, number]) =>
  `total\t1000\nfree\t${free}\n${pages ? `before\t${pages[0]}\nafter\t${pages[1]}\n` : ''}`;

describe('check.swap', () => {
  it('reads a Debian 12 host whose swap is unused', () => {
    expect(judgeOutput(kind, fixture('debian12-unused.txt', import.meta.url))).toMatchObject({
      outcome: 'ok',
      summary: '0 % of 64 MiB swap is in use',
    });
  });

  it('warns about swap that is read, not about swap that only holds something', () => {
    expect(judgeOutput(kind, swap(400, [10, 10]))).toMatchObject({
      outcome: 'ok',
      summary: '60 % of 1000 KiB swap is in use, nothing comes back from it',
    });
    expect(judgeOutput(kind, swap(400, [10, 15]))).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: '60 % of 1000 KiB swap is in use, limit 50 %',
    });
    expect(judgeOutput(kind, swap(400, [10, 10]), { idle: true }).outcome).toBe('warning');
  });

  it('warns when the kernel does not tell whether it is read', () => {
    expect(judgeOutput(kind, swap(400)).outcome).toBe('warning');
  });

  it('fails by its own limit, read or not', () => {
    expect(judgeOutput(kind, swap(10, [0, 0]), { critical: '95%' })).toMatchObject({ outcome: 'failed' });
  });

  it.each(['', 'total\t0\nfree\t0\n', 'total\t1\nfree\t2\n', 'total\t9\n', 'total\t\nfree\t\n'])(
    'does not take %j for a measurement',
    (said) => {
      expect(() => judgeOutput(kind, said)).toThrow();
    },
  );

  it.each(Object.keys(shells))('says that there is none, or measures it, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect([0, 78]).toContain(output.exitStatus);
    if (output.exitStatus === 78) expect(String(output.stderr)).toBe('there is no swap\n');
    else expect(kind.parse(output, withDefaults(kind)).total).toBeGreaterThan(0);
  });
});
