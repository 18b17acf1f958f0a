import { describe, expect, it } from 'vitest';
import { judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const judge = (mode: string, configured: string, given: object = {}) =>
  judgeOutput(kind, `mode\t${mode}\nconfigured\t${configured}\npolicy\ttargeted\n`, given);

describe('check.selinux', () => {
  it('wants it to enforce, now and after the next start', () => {
    expect(judge('enforcing', 'enforcing')).toMatchObject({
      outcome: 'ok',
      summary: 'SELinux is enforcing (targeted)',
    });
    expect(judge('enforcing', '').outcome).toBe('ok');
    expect(judge('permissive', 'enforcing')).toMatchObject({
      outcome: 'failed',
      reason: 'selinux-permissive',
      summary: 'SELinux is permissive, should be enforcing',
    });
    expect(judge('enforcing', 'disabled')).toMatchObject({
      outcome: 'failed',
      reason: 'selinux-configured',
      summary: 'SELinux will be disabled after the next start, should be enforcing',
    });
    expect(judge('disabled', 'disabled').summary).toBe('SELinux is disabled, should be enforcing');
  });

  it('takes another mode when asked', () => {
    expect(judge('permissive', 'permissive', { mode: 'permissive' }).outcome).toBe('ok');
    expect(judge('enforcing', 'Permissive', { mode: 'permissive' }).reason).toBe('selinux-enforcing');
  });

  it('wants a policy', () => {
    expect(judge('enforcing', 'enforcing', { policy: 'mls' }).reason).toBe('wrong-policy');
  });

  it.each(['', 'mode\t2\n', 'configured\tenforcing\n'])('does not take %j for a mode', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow('not a mode of SELinux');
  });

  it.each(Object.keys(shells))('looks at this machine, or says that it has none, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect([0, 78]).toContain(output.exitStatus);
    if (output.exitStatus === 0) expect(judgeOutput(kind, output).summary).toMatch(/^SELinux /);
    else expect(String(output.stderr)).toBe('SELinux is not part of this host\n');
  });
});
