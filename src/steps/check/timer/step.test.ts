import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const read = (name: string) => fixture(`debian12-${name}.txt`, import.meta.url);

describe('check.timer', () => {
  it.each([
    ['good', 'ok', /^good\.timer last ran \d+ s ago, next in \d+ s$/],
    ['later', 'ok', /^later\.timer has never run, next in 38\.\d d$/],
    ['systemd-tmpfiles-clean', 'ok', /^systemd-tmpfiles-clean\.timer last ran 87 s ago$/],
    ['bad', 'unit-failed', /^bad\.timer started bad\.service, which failed \(exit-code, status 1\)$/],
    ['over', 'timer-over', /^over\.timer has no next time$/],
    ['ghost', 'timer-stopped', /^ghost\.timer is not active; starts ghost\.service, which does not exist$/],
    ['hidden', 'unit-not-loaded', /^hidden\.timer starts hidden\.service, which is masked$/],
    ['apt-daily', 'timer-stopped', /^apt-daily\.timer is not active$/],
    ['nope', 'timer-not-found', /^nope\.timer does not exist here/],
  ])('reads %s of a Debian 12 host: %s', (name, reason, summary) => {
    const judgement = judgeOutput(kind, read(name), { name });

    expect(judgement.reason).toBe(reason);
    expect(judgement.summary).toMatch(summary);
  });

  it('never calls a timer that does not exist a stopped one', () => {
    expect(judgeOutput(kind, read('nope'), { name: 'nope' }).outcome).toBe('unknown');
  });

  it('wants it to have run lately', () => {
    const late = read('good').replace('12:58:35', '02:58:35');

    expect(judgeOutput(kind, late, { name: 'good', 'warning-age': '9h', 'critical-age': '1d' })).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: 'good.timer last ran 10 h ago, limit 9 h',
    });
    expect(judgeOutput(kind, read('later'), { name: 'later', 'critical-age': '1d' })).toMatchObject({
      outcome: 'failed',
      reason: 'never-ran',
    });
  });

  it('takes no pattern for a name: systemctl would show several timers', () => {
    const properties = kind.params.properties as Readonly<Record<string, { readonly pattern?: string }>>;
    const name = new RegExp(properties.name?.pattern ?? 'x');

    for (const bad of ['*', 'backup*', 'apt-dail?', '[a-z]']) expect(bad).not.toMatch(name);
    expect('backup@nightly.timer').toMatch(name);
  });

  it('adds .timer to a short name', () => {
    expect(kind.args(withDefaults(kind, { name: 'backup' }))).toEqual(['backup.timer']);
    expect(kind.args(withDefaults(kind, { name: 'backup.timer' }))).toEqual(['backup.timer']);
  });

  it.each(['', 'Now=1\n', read('good').replace('12:58:35 UTC', 'noon'), read('good').split('== unit')[0] ?? ''])(
    'does not understand %j',
    (said) => {
      expect(() => judgeOutput(kind, said, { name: 'x' })).toThrow();
    },
  );

  it('says that it does not apply, or looks, on this machine', () => {
    expect([0, 78]).toContain(runProbe(kind, { name: 'x' }).exitStatus);
  });
});
