import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

describe('check.uptime', () => {
  it('reads a Debian 12 host', () => {
    const { outcome, summary } = judgeOutput(kind, fixture('debian12.txt', import.meta.url));

    expect(outcome).toBe('ok');
    expect(summary).toMatch(/^started [\d.]+ (min|h|d) ago$/);
  });

  it('finds a host that was just restarted, and one that never is', () => {
    expect(judgeOutput(kind, 'uptime\t60.5\n', { warning: '10m:' })).toMatchObject({
      outcome: 'warning',
      reason: 'below-warning',
      summary: 'started 60.5 s ago, at least 10 min',
    });
    expect(judgeOutput(kind, 'uptime\t34560000\n', { critical: '365d' })).toMatchObject({
      outcome: 'failed',
      summary: 'started 400 d ago, limit 365 d',
    });
  });

  it.each(['', 'uptime\t\n', 'boot\tx\n'])('does not take %j for a time', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow('uptime is not a number');
  });

  it.each(Object.keys(shells))('measures this machine with %s', (shell) => {
    const { uptime, boot } = kind.parse(runProbe(kind, {}, shell), withDefaults(kind));

    expect(uptime).toBeGreaterThan(0);
    expect(boot).toMatch(/^[\da-f-]{36}$/);
  });
});
