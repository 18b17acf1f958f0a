import { describe, expect, it } from 'vitest';
import { judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const loaded = (...profiles: readonly string[]) =>
  `enabled\tY\n${profiles.map((profile) => `profile\t${profile}\n`).join('')}end\t\n`;
const host = loaded(
  '/usr/sbin/mysqld (enforce)',
  'man_filter (complain)',
  '/opt/a (b)/c (kill)',
  'busybox (unconfined)',
);

describe('check.apparmor', () => {
  it('counts what is enforced', () => {
    expect(judgeOutput(kind, host)).toMatchObject({
      outcome: 'ok',
      summary: 'AppArmor: 2 of 4 profiles are enforced',
      metrics: [
        { name: 'enforced', value: 2 },
        { name: 'complaining', value: 1 },
      ],
    });
  });

  it('wants profiles to be loaded and enforced', () => {
    const judge = (...enforce: readonly string[]) => judgeOutput(kind, host, { enforce });

    expect(judge('/usr/sbin/mysqld', '/opt/a (b)/c').outcome).toBe('ok');
    expect(judge('nginx')).toMatchObject({ outcome: 'failed', reason: 'profile-absent' });
    expect(judge('man_filter')).toMatchObject({
      reason: 'profile-not-enforced',
      summary: 'AppArmor: man_filter is in mode complain, should be enforced',
    });
  });

  it('warns about profiles that only complain, when asked', () => {
    expect(judgeOutput(kind, host, { complain: false })).toMatchObject({
      outcome: 'warning',
      reason: 'profile-complains',
      summary: 'AppArmor: only complaining: man_filter',
    });
  });

  it('fails when it is off, or has no profiles', () => {
    expect(judgeOutput(kind, 'enabled\tN\n')).toMatchObject({ outcome: 'failed', reason: 'apparmor-off' });
    expect(judgeOutput(kind, loaded())).toMatchObject({ outcome: 'failed', reason: 'no-profiles' });
  });

  it.each(['', 'enabled\tY\n', 'enabled\tmaybe\n', loaded('nginx')])('does not take %j for an answer', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(Object.keys(shells))('looks at this machine, or says that it has none, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect([0, 69, 77, 78]).toContain(output.exitStatus);
    if (output.exitStatus === 0) expect(judgeOutput(kind, output).summary).toMatch(/^AppArmor/);
    if (output.exitStatus === 78) expect(String(output.stderr)).toBe('AppArmor is not part of this kernel\n');
  });
});
