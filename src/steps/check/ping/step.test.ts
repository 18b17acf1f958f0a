import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, outputOf, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

describeWith('check.ping', ['ping', 'busybox', 'unshare', 'ip', 'root'], () => {
  const given = { address: '127.0.0.1', count: 1 };

  it.each(Object.keys(shells))('asks this machine with %s', (shell) => {
    expect(judgeOutput(kind, runProbe(kind, given, shell), given)).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^127\.0\.0\.1 answers 1 of 1 in [\d.]+ m?s on average$/),
      metrics: [
        { name: 'loss', value: 0, unit: 'ratio', warning: '0.4', critical: '0.8' },
        { name: 'time', unit: 'seconds' },
      ],
    });
  });

  /** The probe in a network of its own, set up by these lines. `tool` is the ping to use. */
  function inNetwork(address: string, tool: 'iputils' | 'busybox', setUp: string) {
    const own = tool === 'busybox' ? 'ping() { busybox ping "$@"; }\n' : '';
    const { stdout, stderr, status } = spawnSync(
      'unshare',
      ['--net', 'sh', '-c', `${setUp}\n${own}${kind.probe.text}`, 'sh', address, '1'],
      { env: { ...process.env, LC_ALL: 'C' } },
    );
    return { stdout, stderr, exitStatus: status ?? -1 };
  }
  const deaf = 'ip link set lo up; echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all';

  it.each(['iputils', 'busybox'] as const)(
    'fails without an answer, and without a way, with the ping of %s',
    (tool) => {
      const address = '127.0.0.9';
      const away = '192.0.2.9';

      expect(judgeOutput(kind, inNetwork(address, tool, deaf), { address })).toMatchObject({
        outcome: 'failed',
        reason: 'above-critical',
        summary: '127.0.0.9 answers 0 of 1, loss 100 %, limit 80 %',
        metrics: [{ name: 'loss', value: 1 }],
      });
      expect(judgeOutput(kind, inNetwork(away, tool, ':'), { address: away })).toMatchObject({
        outcome: 'failed',
        reason: 'network-unreachable',
      });
    },
  );

  it.each(['iputils', 'busybox'] as const)('cannot tell of a name that does not exist, with the ping of %s', (tool) => {
    const output = inNetwork('no.such.name.invalid', tool, ':');

    expect(output.exitStatus).toBe(69);
    expect(output.stderr.toString()).toContain('no.such.name.invalid');
    expect(output.stdout.toString()).toBe('');
  });

  it.each(['iputils.txt', 'busybox.txt'])('reads %s', (name) => {
    const data = kind.parse(outputOf(fixture(name, import.meta.url)), withDefaults(kind, given));

    expect(data).toMatchObject({ sent: 5, noRoute: false });
    expect(data.received).toBeGreaterThan(2);
    expect(data.time).toBeGreaterThan(0);
  });

  it('puts limits on loss and time', () => {
    const said = '5 packets transmitted, 2 received, 60% packet loss\nrtt min/avg/max/mdev = 10.0/20.0/30.0/1.0 ms\n';
    const judge = (limits: object) => judgeOutput(kind, said, { address: 'db1', ...limits });

    expect(judge({})).toMatchObject({ outcome: 'warning', summary: 'db1 answers 2 of 5, loss 60 %, limit 40 %' });
    expect(judge({ 'loss-critical': '50%' })).toMatchObject({ outcome: 'failed', reason: 'above-critical' });
    expect(judge({ critical: '15ms' })).toMatchObject({
      outcome: 'failed',
      summary: 'db1 answers 2 of 5 in 20 ms on average, limit 15 ms',
    });
    expect(judge({ 'loss-warning': '100%', warning: 1 })).toMatchObject({ outcome: 'ok' });
  });

  it('does not call a machine quick that never answered', () => {
    const off = { 'loss-warning': '100%', 'loss-critical': '100%', critical: '1s' };

    expect(
      judgeOutput(kind, '5 packets transmitted, 0 received, 100% packet loss\n', { address: 'db1', ...off }),
    ).toMatchObject({
      outcome: 'unknown',
      reason: 'no-answer',
    });
  });

  it.each([
    '',
    'PING x\n',
    '0 packets transmitted, 0 received\n',
    '5 packets transmitted, 5 received, 0% packet loss\n',
  ])('does not take %j for an answer', (said) => {
    expect(() => judgeOutput(kind, said, given)).toThrow('ping does not say');
  });
});
