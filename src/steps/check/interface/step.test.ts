import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const said = ({ operstate = 'up', flags = '0x1003', packets = 1000, errors = 0, more = '' } = {}) =>
  `operstate\t${operstate}\nflags\t${flags}\nmtu\t1500\nrx_packets\t${packets}\ntx_packets\t0\nrx_errors\t${errors}\ntx_errors\t0\nrx_dropped\t3\ntx_dropped\t0\n${more}`;
const judge = (output: string, given: object = {}) => judgeOutput(kind, output, { name: 'eth0', ...given });

describe('check.interface', () => {
  it.each([
    ['debian12-lo', { name: 'lo', addresses: ['127.0.0.1', '::1/128'] }, 'ok', 'lo is up, 127.0.0.1/8, ::1/128'],
    ['debian12-down', { name: 'veth1' }, 'interface-down', 'veth1 is down, should be up'],
    ['debian12-down', { name: 'veth1', state: 'down' }, 'ok', 'veth1 is down'],
    ['debian12-no-link', { name: 'veth0' }, 'interface-down', /^veth0 is without a link \(\w+\), should be up$/],
  ] as const)('reads %s: %j is %s', (file, given, reason, summary) => {
    const judgement = judgeOutput(kind, fixture(`${file}.txt`, import.meta.url), given);

    expect(judgement.reason).toBe(reason);
    if (typeof summary === 'string') expect(judgement.summary).toBe(summary);
    else expect(judgement.summary).toMatch(summary);
  });

  it('wants addresses, with or without the length of the network', () => {
    const more = 'address\t10.0.0.5/24\naddress\tfd00::5/64\n';

    expect(judge(said({ more }), { addresses: ['10.0.0.5', 'fd00:0::5/64'] }).outcome).toBe('ok');
    expect(judge(said({ more }), { addresses: ['10.0.0.5/16'] })).toMatchObject({
      outcome: 'failed',
      reason: 'address-missing',
      summary: 'eth0 lacks 10.0.0.5/16, has 10.0.0.5/24, fd00::5/64',
    });
  });

  it('fails for an address that another machine was found to have', () => {
    const output = fixture('debian12-duplicate.txt', import.meta.url);

    expect(judge(output, { addresses: ['fd00:9::3'] }).outcome).toBe('ok');
    expect(judge(output, { addresses: ['fd00:9::2'] })).toMatchObject({
      outcome: 'failed',
      reason: 'address-duplicate',
      summary: 'eth0 cannot use fd00:9::2: another machine has it (dadfailed)',
    });
  });

  it('wants the MTU and the speed', () => {
    expect(judge(said(), { mtu: 9000 }).reason).toBe('wrong-mtu');
    expect(judge(said({ more: 'speed\t100\n' }), { speed: 1000 }).summary).toBe(
      'eth0 runs at 100 Mbit/s, should at 1000',
    );
    expect(judge(said({ more: 'speed\t-1\n' }), { speed: 1000 })).toMatchObject({ outcome: 'unknown' });
    expect(judge(said({ more: 'speed\t1000\n' }), { speed: 1000 }).summary).toBe('eth0 is up, 1000 Mbit/s');
  });

  it('warns when many packets have errors', () => {
    expect(judge(said({ errors: 20 }))).toMatchObject({
      outcome: 'warning',
      summary: 'eth0 had 20 errors in 1000 packets (2 %), limit 1 %',
    });
    expect(judge(said({ packets: 0 })).outcome).toBe('ok');
  });

  it('tells present from absent', () => {
    expect(judge('absent\t\n').reason).toBe('interface-absent');
    expect(judge('absent\t\n', { state: 'absent' }).outcome).toBe('ok');
    expect(judge(said(), { state: 'absent' }).reason).toBe('interface-present');
  });

  it.each(['', 'operstate\tup\n'])('does not take %j for an interface', (output) => {
    expect(() => judge(output)).toThrow();
  });

  it.each(Object.keys(shells))('looks at this machine with %s', (shell) => {
    const given = { name: 'lo', addresses: ['127.0.0.1/8'] };

    expect(judgeOutput(kind, runProbe(kind, given, shell), given).outcome).toBe('ok');
    expect(judge(String(runProbe(kind, { name: 'nope0' }, shell).stdout)).reason).toBe('interface-absent');
  });
});
