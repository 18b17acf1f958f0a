import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const judge = (entry: string, given: object = {}) => judgeOutput(kind, `group\t${entry}\n`, { name: 'sudo', ...given });

describe('check.group', () => {
  it('reads a Debian 12 host', () => {
    const said = fixture('debian12-adm.txt', import.meta.url);

    expect(judgeOutput(kind, said, { name: 'adm', gid: 4 })).toMatchObject({ outcome: 'ok' });
    expect(judgeOutput(kind, said, { name: 'adm', gid: 5 })).toMatchObject({ outcome: 'failed', reason: 'wrong-id' });
  });

  it('wants members, and no others when it should be only these', () => {
    expect(judge('sudo:x:27:alice,bob', { members: ['alice'] }).summary).toBe('group sudo has id 27, alice, bob');
    expect(judge('sudo:x:27:alice,bob', { members: ['alice'], only: true })).toMatchObject({
      outcome: 'failed',
      reason: 'unexpected-member',
      summary: 'group sudo has other members: bob',
    });
    expect(judge('sudo:x:27:', { members: ['alice'] })).toMatchObject({ reason: 'member-missing' });
    expect(judge('sudo:x:27:', { members: [], only: true }).summary).toBe('group sudo has id 27, no members');
    expect(kind.validate?.(withDefaults(kind, { name: 'sudo', only: true }))).toHaveLength(1);
  });

  it('tells present from absent', () => {
    expect(judgeOutput(kind, 'absent\t\n', { name: 'sudo' }).reason).toBe('group-absent');
    expect(judgeOutput(kind, 'absent\t\n', { name: 'sudo', state: 'absent' }).outcome).toBe('ok');
    expect(judge('sudo:x:27:', { state: 'absent' }).reason).toBe('group-present');
  });

  it.each(['', 'group\tsudo:x\n', 'group\tsudo:x::\n'])('does not take %j for an entry', (said) => {
    expect(() => judgeOutput(kind, said, { name: 'sudo' })).toThrow();
  });

  it.each(Object.keys(shells))('looks at this machine with %s', (shell) => {
    const judged = (name: string) => judgeOutput(kind, runProbe(kind, { name }, shell), { name, gid: 0 }).reason;

    expect(judged('root')).toBe('ok');
    expect(judged('no-such-group')).toBe('group-absent');
    expect(judged('0')).toBe('group-absent');
  });

  it('reads the file of a host without getent', () => {
    const run = (name: string) =>
      spawnSync('/bin/busybox', ['sh', '-c', kind.probe.text, 'sh', name], {
        env: { PATH: '/nowhere' },
        encoding: 'utf8',
      });

    expect(run('root').stdout).toBe('group\troot:x:0:\n');
    expect(run('no-such-group').stdout).toBe('absent\t\n');
  });
});
