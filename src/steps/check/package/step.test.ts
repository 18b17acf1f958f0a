import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const dpkg = (lines: string) => `manager\tdpkg\n${lines}end\t\n`;

describe('check.package', () => {
  it.each([
    ['debian12-dpkg', { name: 'bash' }, 'ok', /^bash 5\.2\.15-2\+b\d+ is installed$/],
    ['debian12-dpkg', { name: 'bash', state: 'absent' }, 'package-present', /^bash .* is installed, should not$/],
    ['debian12-dpkg-removed', { name: 'left' }, 'package-absent', 'left is not installed'],
    ['debian12-dpkg-unpacked', { name: 'half' }, 'package-broken', 'half 1.0 is not installed to the end'],
    ['debian12-dpkg-absent', { name: 'telnetd', state: 'absent' }, 'ok', 'telnetd is not installed'],
    ['rpm-4.18', { name: 'sample', version: '1:2.0', 'at-least': '1:1.9' }, 'ok', 'sample 1:2.0-3 is installed'],
    ['debian11-dpkg-1.20', { name: 'libc6', 'at-least': '2.31-13' }, 'ok', 'libc6 2.31-13+deb11u11 is installed'],
    ['debian13-dpkg-1.22', { name: 'libc6', 'at-least': '2.41' }, 'ok', 'libc6 2.41-12+deb13u5 is installed'],
    ['rpm-4.20', { name: 'held', version: '2:1-1', 'at-least': '2:1', below: '3:0' }, 'ok', 'held 2:1-1 is installed'],
    ['rpm-4.20-tilde', { name: 'lib', 'at-least': '1.0~rc1', below: '1.0' }, 'ok', 'lib 0:1.0~rc1-1 is installed'],
    ['rpm-4.20-absent', { name: 'nothing', state: 'absent' }, 'ok', 'nothing is not installed'],
  ] as const)('reads %s: %j is %s', (file, given, reason, summary) => {
    const judgement = judgeOutput(kind, fixture(`${file}.txt`, import.meta.url), given);

    expect(judgement.reason).toBe(reason);
    if (typeof summary === 'string') expect(judgement.summary).toBe(summary);
    else expect(judgement.summary).toMatch(summary);
  });

  it('wants every version that is installed to be right', () => {
    const said = dpkg('package\tii \t2\tamd64\ncompare\tge\tyes\npackage\tii \t1\ti386\ncompare\tge\tno\n');

    expect(judgeOutput(kind, said, { name: 'x', 'at-least': '2' })).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-version',
      summary: 'x is 1, should have at least 2',
    });
  });

  it.each(['', 'manager\tdpkg\n', 'end\t\n', dpkg('package\tii \t2\tamd64\n')])(
    'does not take %j for an answer',
    (said) => {
      expect(() => judgeOutput(kind, said, { name: 'x', version: '2' })).toThrow();
    },
  );

  it.each(Object.keys(shells))('asks dpkg of this machine with %s', (shell) => {
    const judged = (given: { name: string; [key: string]: string }) =>
      judgeOutput(kind, runProbe(kind, given, shell), given).reason;

    expect(judged({ name: 'dpkg', 'at-least': '1.0~rc1', below: '1:0' })).toBe('ok');
    expect(judged({ name: 'dpkg', below: '1.0' })).toBe('wrong-version');
    expect(judged({ name: 'no-such-package' })).toBe('package-absent');
  });
});
