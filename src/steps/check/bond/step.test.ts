import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const read = (name: string) => fixture(`${name}.txt`, import.meta.url);

/** Runs the probe where /proc holds nothing but these bonds. */
function runWith(bonds: Readonly<Record<string, string>> | null, name: string, shell = 'dash') {
  const [program = 'sh', ...options] = shells[shell] ?? [];
  const prepare = [
    'mount -t tmpfs none /proc',
    ...(bonds ? ['mkdir -p /proc/net'] : []),
    ...Object.entries(bonds ?? {}).map(
      ([bond, said]) =>
        `mkdir -p /proc/net/bonding; printf %s '${said.replaceAll("'", '')}' >/proc/net/bonding/${bond}`,
    ),
    'shift; "$@"',
  ].join('\n');
  const result = spawnSync('unshare', [
    '-m',
    ...['sh', '-euc', prepare, 'sh', '--'],
    ...[program, ...options, '-c', kind.probe.text, 'sh', name],
  ]);
  return { stdout: result.stdout, stderr: result.stderr, exitStatus: result.status ?? -1 };
}

const file = (name: string) => read(name).split('\n').slice(1, -2).join('\n').concat('\n');

describeWith('check.bond', ['unshare', 'root', 'dash', 'bash', 'busybox'], () => {
  it('warns when a link is down, though the bond works', () => {
    expect(judgeOutput(kind, read('active-backup'))).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: 'bond0 has 1 of 2 links down: eth1 (down), limit 0',
    });
    expect(judgeOutput(kind, read('active-backup'), { warning: 1 })).toMatchObject({
      outcome: 'ok',
      summary: 'bond0 has 1 of 2 links up (active-backup), eth0 carries the traffic',
      metrics: expect.arrayContaining([
        { name: 'links-down{bond0}', value: 1, unit: 'count', warning: '1', min: 0, max: 2 },
      ]),
    });
  });

  it('wants as many links up, and as few failures, as it is told', () => {
    expect(judgeOutput(kind, read('active-backup'), { 'critical-up': '2:' })).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
    });
    expect(judgeOutput(kind, read('arp'), { 'critical-failures': 0 })).toMatchObject({
      outcome: 'failed',
      summary: 'eth0 of bond2 went down once, limit 0',
    });
  });

  it('fails when the switch does not speak LACP', () => {
    const judged = judgeOutput(kind, read('lacp'));

    expect(judged).toMatchObject({ outcome: 'failed', reason: 'no-lacp-partner' });
    expect(judged.summary).toMatch(/^bond0 has no LACP partner: does the switch speak LACP on these ports\?/);
  });

  it('finds a link that is up in an aggregator of its own, also without the details that only root sees', () => {
    const up = read('lacp')
      .replaceAll('MII Status: down', 'MII Status: up')
      .replace('00:00:00:00:00:00', '02:0:0:0:0:1');
    const hidden = up.replace(/^System priority[\s\S]*?\n\n/m, '\n');

    expect(judgeOutput(kind, up)).toMatchObject({ outcome: 'failed', reason: 'link-apart' });
    expect(judgeOutput(kind, hidden)).toMatchObject({ outcome: 'failed', reason: 'link-apart' });
    expect(judgeOutput(kind, hidden.replaceAll('Aggregator ID: 2', 'Aggregator ID: 1'))).toMatchObject({
      outcome: 'ok',
      summary: 'bond0 has 2 of 2 links up (802.3ad), its LACP partner is shown to root alone',
    });
  });

  it('finds a link that is up in no aggregator', () => {
    const none = read('lacp')
      .replaceAll('MII Status: down', 'MII Status: up')
      .replace('00:00:00:00:00:00', '02:0:0:0:0:1')
      .replace('Aggregator ID: 1', 'Aggregator ID: N/A');

    expect(judgeOutput(kind, none)).toMatchObject({
      outcome: 'failed',
      reason: 'link-apart',
      summary: 'eth0 of bond0 is up but carries nothing: it is in another aggregator, or in none',
    });
  });

  it('warns about a bond that never notices a dead link', () => {
    expect(judgeOutput(kind, read('round-robin-unwatched'))).toMatchObject({
      outcome: 'warning',
      reason: 'not-monitored',
    });
    expect(judgeOutput(kind, read('arp')).outcome).toBe('ok');
  });

  it('compares mode, links and the active link', () => {
    const given = { name: 'bond2', mode: '802.3ad', links: ['eth1', 'eth2'], active: 'eth0' };

    expect(
      judgeOutput(kind, read('arp'), { mode: 'active-backup', links: ['eth1', 'eth0'], active: 'eth1' }).outcome,
    ).toBe('ok');
    expect(judgeOutput(kind, read('arp'), given)).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-mode',
      summary: 'bond2 has mode active-backup, should have 802.3ad; bond2 lacks eth2; bond2 also has eth0; and 1 more',
    });
  });

  it('fails for a bond that is down', () => {
    const down = read('round-robin-unwatched').replaceAll('MII Status: up', 'MII Status: down');

    expect(judgeOutput(kind, down)).toMatchObject({ outcome: 'failed', reason: 'bond-down' });
  });

  it.each([
    '',
    'bond\tbond0\n',
    'bond\tbond0\n\nend\t\n',
    read('arp').replace('fault-tolerance (active-backup)', 'something new'),
    read('arp').replace('Link Failure Count: 1\n', ''),
    read('arp').replaceAll('MII Status: up', ''),
  ])('does not take %j for a bond', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(Object.keys(shells))('reads one bond or all of them from /proc/net/bonding with %s', (shell) => {
    const bonds = { bond0: file('active-backup'), bond2: file('arp') };

    const one = runWith(bonds, 'bond2', shell);
    const all = runWith(bonds, '', shell);
    const absent = runWith(bonds, 'bond9', shell);

    expect(judgeOutput(kind, one).outcome).toBe('ok');
    expect(judgeOutput(kind, all).metrics?.map(({ name }) => name)).toContain('links-up{bond2}');
    expect(judgeOutput(kind, all).outcome).toBe('warning');
    expect(judgeOutput(kind, absent, { name: 'bond9' })).toMatchObject({ outcome: 'failed', reason: 'bond-absent' });
  });

  it.each(Object.keys(shells))('is skipped on a host without bonds, and unknown without /proc, with %s', (shell) => {
    expect(runWith({}, '', shell).exitStatus).toBe(78);
    expect(runWith(null, '', shell).exitStatus).toBe(69);
  });
});
