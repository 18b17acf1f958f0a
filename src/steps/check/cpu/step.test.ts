import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const looks = (after: string) => `first\tcpu  100 0 100 800 0 0 0 0 50 0\nsecond\tcpu  ${after}\n`;

describe('check.cpu', () => {
  it('reads a Debian 12 host', () => {
    expect(judgeOutput(kind, fixture('debian12.txt', import.meta.url), { warning: '100%' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^the processors work [\d.]+ % of the time$/),
    });
  });

  it('counts what was between the two looks, and waiting for a disk as idle', () => {
    const data = kind.parse(
      { stdout: Buffer.from(looks('140 10 120 810 10 5 5 0 90 0')), stderr: Buffer.alloc(0), exitStatus: 0 },
      withDefaults(kind),
    );

    expect(data).toEqual({ busy: 0.8, user: 0.5, system: 0.3, iowait: 0.1, steal: 0 });
  });

  it('warns and fails by its limits', () => {
    const busy = looks('195 0 100 805 0 0 0 0 0 0');

    expect(judgeOutput(kind, busy)).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: 'the processors work 95 % of the time, limit 90 %',
    });
    expect(judgeOutput(kind, busy, { critical: '94%' }).outcome).toBe('failed');
  });

  it('finds a hypervisor that gives the time to others', () => {
    expect(judgeOutput(kind, looks('100 0 100 860 0 0 0 40 0 0'), { 'critical-steal': '30%' })).toMatchObject({
      outcome: 'failed',
      summary: 'the hypervisor gives 40 % of the time to others, limit 30 %',
    });
  });

  it('takes a counter that goes back for no time', () => {
    expect(judgeOutput(kind, looks('150 0 100 790 0 0 0 0 0 0'), { warning: 100 }).metrics?.[0]?.value).toBe(1);
  });

  it('does not take processor times that go back by a lot for work', () => {
    const output = 'first\tcpu  5000 0 5000 900000 0 0 0 0 0 0\nsecond\tcpu  5010 0 5000 700000 0 0 0 0 0 0\n';

    expect(() => judgeOutput(kind, output)).toThrow('went back');
  });

  it.each(['', looks('100 0 100 800 0 0 0 0 0 0'), looks('a b c d'), 'first\tcpu 1 2 3 4\n'])(
    'does not take %j for a measurement',
    (said) => {
      expect(() => judgeOutput(kind, said)).toThrow();
    },
  );

  it.each(Object.keys(shells))('measures this machine with %s', (shell) => {
    const output = runProbe(kind, { seconds: 1 }, shell);
    const { busy } = kind.parse(output, withDefaults(kind));

    expect(busy).toBeGreaterThanOrEqual(0);
    expect(busy).toBeLessThanOrEqual(1);
  });
});
