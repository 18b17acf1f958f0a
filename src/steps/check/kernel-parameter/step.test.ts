import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const judge = (value: string, given: object) => judgeOutput(kind, `value\t${value}\n`, { name: 'a.b', ...given });

describe('check.kernel-parameter', () => {
  it('reads several numbers of a Debian 12 host', () => {
    const said = fixture('debian12-tcp_rmem.txt', import.meta.url);

    expect(judgeOutput(kind, said, { name: 'net.ipv4.tcp_rmem', value: ' 4096\t131072 33554432 ' })).toMatchObject({
      outcome: 'ok',
      summary: 'net.ipv4.tcp_rmem is 4096 131072 33554432',
    });
  });

  it('wants a value, written as a number or as text', () => {
    expect(judge('1', { value: 1 }).outcome).toBe('ok');
    expect(judge('1', { value: '0' })).toMatchObject({ reason: 'wrong-value', summary: 'a.b is 1, should be 0' });
  });

  it('wants a number inside its limits', () => {
    expect(judge('65530', { critical: '262144:' })).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
      summary: 'a.b is 65530, at least 262144',
    });
    expect(judge('cubic', { critical: '1:' })).toMatchObject({ outcome: 'unknown', reason: 'not-a-number' });
  });

  it('never calls a parameter right that does not exist', () => {
    expect(judgeOutput(kind, 'absent\t\n', { name: 'a.b' })).toMatchObject({
      outcome: 'unknown',
      reason: 'no-parameter',
    });
  });

  it('keeps the dots of a name with slashes', () => {
    const path = (name: string) => kind.args(withDefaults(kind, { name }));

    expect(path('net.ipv4.ip_forward')).toEqual(['net/ipv4/ip_forward']);
    expect(path('net/ipv4/conf/eth0.10/forwarding')).toEqual(['net/ipv4/conf/eth0.10/forwarding']);
  });

  it('does not take nothing for a value', () => {
    expect(() => judgeOutput(kind, '', { name: 'a.b' })).toThrow('the value is missing');
  });

  it.each(Object.keys(shells))('looks at this machine with %s', (shell) => {
    const run = (name: string) => runProbe(kind, { name }, shell);

    expect(judgeOutput(kind, run('kernel.ostype'), { name: 'kernel.ostype', value: 'Linux' }).outcome).toBe('ok');
    expect(judgeOutput(kind, run('kernel.nope'), { name: 'kernel.nope' }).reason).toBe('no-parameter');
    expect(run('net.ipv4').exitStatus).toBe(69);
  });
});
