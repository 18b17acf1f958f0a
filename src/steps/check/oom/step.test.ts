import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

describe('check.oom', () => {
  it('reads a Debian 12 host', () => {
    expect(judgeOutput(kind, fixture('debian12.txt', import.meta.url))).toMatchObject({
      outcome: 'ok',
      summary: 'no process was killed for lack of memory since the start',
    });
  });

  it('only reports the number until there is a limit', () => {
    expect(judgeOutput(kind, 'kills\t3\n').outcome).toBe('ok');
    expect(judgeOutput(kind, 'kills\t1\n', { warning: 0 })).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: '1 process was killed for lack of memory since the start, limit 0',
    });
  });

  it('takes the number of a container for the container', () => {
    expect(judgeOutput(kind, 'kills\t7\ncontainer\t0\n', { critical: 0 })).toMatchObject({
      outcome: 'ok',
      summary: 'no process was killed for lack of memory in this container since its start',
      metrics: [
        { name: 'kills', value: 0 },
        { name: 'machine-kills', value: 7 },
      ],
    });
  });

  it.each(['', 'kills\t\n', 'container\t1\n'])('does not take %j for a number', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(Object.keys(shells))('counts on this machine with %s', (shell) => {
    expect(judgeOutput(kind, runProbe(kind, {}, shell)).metrics?.[0]?.value).toBeGreaterThanOrEqual(0);
  });
});
