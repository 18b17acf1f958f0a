import { describe, expect, it } from 'vitest';
import { judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

describe('check.entropy', () => {
  it('warns and fails when little is left', () => {
    const judge = (bits: number) => judgeOutput(kind, `available\t${bits}\nsize\t4096\n`);

    expect(judge(3000)).toMatchObject({ outcome: 'ok', summary: '3000 of 4096 bits of randomness are available' });
    expect(judge(150).outcome).toBe('warning');
    expect(judge(60)).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
      summary: '60 of 4096 bits of randomness are available, at least 100',
    });
  });

  it('refuses a limit that looks the wrong way', () => {
    expect(kind.validate?.(withDefaults(kind, { warning: 200 }))).toMatchObject([{ path: ['warning'] }]);
  });

  it.each(['', 'available\t1\n', 'available\t\nsize\t4096\n'])('does not take %j for numbers', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(Object.keys(shells))('is skipped on a kernel that does not run out, or measures, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect([0, 78]).toContain(output.exitStatus);
    if (output.exitStatus === 0) expect(kind.parse(output, withDefaults(kind)).size).toBeGreaterThan(0);
    else expect(String(output.stderr)).toBe('the kernel does not run out of randomness (5.18 or newer)\n');
  });
});
