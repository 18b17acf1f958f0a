import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const read = (name: string) => fixture(`${name}.txt`, import.meta.url);
const later = (said: string, seconds: number) =>
  said.replace(/^now\t(\d+)/m, (_, now: string) => `now\t${Number(now) + seconds}`);

describe('check.dhcp', () => {
  it.each([
    ['dnsmasq', '3 of 10 addresses of 10.77.0.100-10.77.0.109 are used'],
    ['isc', '4 of 10 addresses of 10.77.0.120-10.77.0.129 are used; 0 of 1 addresses of 10.77.0.140 are used'],
    ['kea', '4 of 10 addresses of 10.77.0.160-10.77.0.169 are used; 0 of 8 addresses of 10.77.0.176/29 are used'],
  ])('reads the leases and the ranges of %s', (name, summary) => {
    expect(judgeOutput(kind, read(name))).toMatchObject({ outcome: 'ok', summary });
  });

  it.each(['dnsmasq', 'isc', 'kea'])('does not count leases of %s that ended and are still in the file', (name) => {
    expect(judgeOutput(kind, later(read(name), 1000)).metrics?.[0]?.value).toBe(0);
  });

  it('judges how full a range is, and how many addresses are left', () => {
    expect(judgeOutput(kind, read('isc'), { warning: '30%' })).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: '4 of 10 addresses of 10.77.0.120-10.77.0.129 are used (40 %), limit 30 %',
      metrics: expect.arrayContaining([
        {
          name: 'used{10.77.0.120-10.77.0.129}',
          value: 0.4,
          unit: 'ratio',
          warning: '0.3',
          critical: '0.95',
          min: 0,
          max: 1,
        },
      ]),
    });
    expect(judgeOutput(kind, read('dnsmasq'), { 'critical-free': '8:' })).toMatchObject({
      outcome: 'failed',
      summary: '7 of 10 addresses of 10.77.0.100-10.77.0.109 are free, at least 8',
    });
  });

  it('takes ranges from the runbook instead', () => {
    expect(judgeOutput(kind, read('dnsmasq'), { ranges: ['10.77.0.0/24', '10.78.0.1-10.78.0.4'] }).summary).toBe(
      '4 of 256 addresses of 10.77.0.0/24 are used; 0 of 4 addresses of 10.78.0.1-10.78.0.4 are used',
    );
    expect(kind.validate?.({ ranges: ['10.0.0.9-10.0.0.1', '10.0.0.0/8'], warning: 1 } as never)).toMatchObject([
      { path: ['ranges', 0] },
    ]);
    expect(kind.validate?.({ file: '/x' } as never)).toMatchObject([{ path: ['file'] }]);
  });

  it('is unknown without a range', () => {
    expect(judgeOutput(kind, read('kea').replace(/^"pool".*\n/gm, ''))).toMatchObject({
      outcome: 'unknown',
      reason: 'no-ranges',
    });
  });

  it('takes the last word about an address, and counts declined ones as used', () => {
    const isc = (more: string) => read('isc').replace('== end\n', `lease 10.77.0.121 {\n${more}== end\n`);
    const kea = (line: string) => read('kea').replace('== end\n', `${line}\n== end\n`);
    const used = (said: string) => judgeOutput(kind, said).summary.split(' of ')[0];

    expect(used(isc('  ends 1 2026/11/23 14:50:00;\n  binding state free;\n'))).toBe('3');
    expect(used(isc('  ends never;\n  binding state active;\n'))).toBe('4');
    expect(used(isc('  ends epoch 1795445000; # Mon\n  binding state active;\n'))).toBe('3');
    expect(judgeOutput(kind, isc('  binding state abandoned;\n')).summary).toMatch(/ used, 1 of them declined; /);
    expect(used(kea('10.77.0.161,0,1795445375,0'))).toBe('3');
    expect(used(kea('10.77.0.161,120,1795445375,2'))).toBe('3');
    expect(used(kea('10.77.0.165,4294967295,1795445000,0'))).toBe('5');
    expect(judgeOutput(kind, kea('10.77.0.165,120,1795445375,1')).summary).toMatch(/^5 of 10 .*, 1 of them declined; /);
    expect(used(read('dnsmasq').replace('== end', '0 10.77.0.109\n== end'))).toBe('4');
  });

  it.each([
    '',
    read('isc').replace('== end\n', ''),
    read('isc').replace('14:52:30', 'noon'),
    read('isc').replace('lease 10.77.0.120 {\n', ''),
    read('kea').replace('address,valid_lifetime', 'address,hwaddr'),
    read('kea').replace('10.77.0.160,120', 'somewhere,120'),
    read('dnsmasq').replace('server\tdnsmasq', 'server\tudhcpd'),
  ])('does not take %#: %j for leases', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });
});

describeWith('check.dhcp on this machine', ['root', 'unshare', 'dash', 'bash', 'busybox'], () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-dhcp-'));
    chmodSync(folder, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it.each(Object.keys(shells))('takes ranges and addresses out of files, and no names, with %s', (shell) => {
    const given = {
      server: 'kea',
      file: write(
        'kea.csv',
        `address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n10.0.0.1,02:00:00:00:00:01,,4000,${Math.ceil(Date.now() / 1000) + 4000},1,0,0,secret,0,\n`,
      ),
      config: write('kea.conf', '{ "password": "secret", "pools": [ { "pool": "10.0.0.0/30" } ] # "pool": "no"\n}\n'),
    };
    write(
      'kea.csv.2',
      'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,\n10.0.0.2,a,,4000,9999999999,1,0,0,,0,\n',
    );

    const output = runProbe(kind, given, shell);

    expect(judgeOutput(kind, output, given).summary).toBe('2 of 4 addresses of 10.0.0.0/30 are used');
    expect(output.stdout.toString()).not.toContain('secret');
  });

  it.each(Object.keys(shells))('reads an empty file of ISC dhcpd and of dnsmasq with %s', (shell) => {
    const isc = {
      server: 'isc',
      file: write('empty', ''),
      config: write('isc.conf', 'pool { range 10.0.0.1 10.0.0.4; }'),
    };
    const dnsmasq = { ...isc, server: 'dnsmasq', config: write('dnsmasq.conf', 'dhcp-range=10.0.0.1,10.0.0.4\n') };

    for (const given of [isc, dnsmasq])
      expect(judgeOutput(kind, runProbe(kind, given, shell), given).summary).toBe(
        '0 of 4 addresses of 10.0.0.1-10.0.0.4 are used',
      );
  });

  it('says that there is no server, no file, or no permission', () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const file = join(closed, 'leases');
    writeFileSync(file, '');
    const as = (args: readonly string[], user = '65534') =>
      spawnSync('setpriv', ['--reuid', user, '--clear-groups', 'dash', '-c', kind.probe.text, 'sh', ...args]);
    const nothing = spawnSync('unshare', [
      '-m',
      'sh',
      '-euc',
      'mount -t tmpfs none /var/lib; shift; "$@"',
      'sh',
      '--',
      'dash',
      '-c',
      kind.probe.text,
      'sh',
      '',
      '',
      '',
    ]);

    expect(as(['isc', file, '']).status).toBe(77);
    expect(as(['isc', join(folder, 'nowhere'), '']).status).toBe(69);
    expect(nothing.status).toBe(78);
  });
});
