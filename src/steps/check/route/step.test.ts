import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const routes = (...lines: readonly string[]) =>
  `order\tlittle\n${lines.map((line) => `route\t${line}\n`).join('')}end\t\n`;

describe('check.route', () => {
  it('reads a Debian 12 host, IPv4 and IPv6', () => {
    const v4 = fixture('debian12-ipv4.txt', import.meta.url);
    const v6 = fixture('debian12-ipv6.txt', import.meta.url);

    expect(judgeOutput(kind, v4, { gateway: '192.0.2.1', interface: 'eth0' })).toMatchObject({
      outcome: 'ok',
      summary: 'default route (ipv4) leads over 192.0.2.1 on eth0',
    });
    expect(judgeOutput(kind, v6, { family: 'ipv6', gateway: 'fd00:0::1' })).toMatchObject({
      outcome: 'ok',
      summary: 'default route (ipv6) leads over fd00::1 on eth0',
    });
  });

  it('takes the route with the lowest metric', () => {
    const said = routes('wlan0 0100000A 0003 600', 'eth0 0200000A 0003 100');

    expect(judgeOutput(kind, said).summary).toBe('default route (ipv4) leads over 10.0.0.2 on eth0, before 1 more');
    expect(judgeOutput(kind, said, { gateway: '10.0.0.1' })).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-gateway',
      summary: 'default route (ipv4) leads over 10.0.0.2 on eth0, should lead over 10.0.0.1',
    });
    expect(judgeOutput(kind, said, { interface: 'wlan0' }).reason).toBe('wrong-interface');
  });

  it('does not take "unreachable" for a route', () => {
    const said = routes(`lo ${'0'.repeat(32)} 00200200 ffffffff`);

    expect(judgeOutput(kind, said, { family: 'ipv6' }).reason).toBe('no-default-route');
    expect(judgeOutput(kind, said, { family: 'ipv6', state: 'absent' }).outcome).toBe('ok');
  });

  it('does not take a black hole for a route', () => {
    const said = fixture('debian12-blackhole.txt', import.meta.url);

    expect(judgeOutput(kind, said).reason).toBe('no-default-route');
    expect(judgeOutput(kind, said, { state: 'absent' }).outcome).toBe('ok');
  });

  it('fails where a black hole comes before the gateway', () => {
    const said = routes('* 00000000 0001 10', 'eth0 0100000A 0003 100');

    expect(judgeOutput(kind, said)).toMatchObject({
      outcome: 'failed',
      reason: 'no-default-route',
      summary: 'the default route (ipv4) refuses every packet (unreachable, blackhole)',
    });
    expect(judgeOutput(kind, routes('eth0 0100000A 0003 0', '* 00000000 0001 10')).summary).toBe(
      'default route (ipv4) leads over 10.0.0.1 on eth0',
    );
  });

  it('does not take the IPv6 route of another table, such as a tunnel has, for that of the host', () => {
    const family = 'ipv6';
    const tunnel = fixture('debian12-ipv6-other-table.txt', import.meta.url);
    const shared = fixture('debian12-ipv6-next-hops.txt', import.meta.url);

    expect(judgeOutput(kind, tunnel, { family }).reason).toBe('no-default-route');
    expect(judgeOutput(kind, shared, { family }).summary).toBe(
      'default route (ipv6) leads over fd00:9::1 on eth0, before 1 more',
    );
  });

  it('fails where the interface of the route has no link', () => {
    const said = fixture('debian12-no-link.txt', import.meta.url);

    expect(judgeOutput(kind, said, { gateway: '10.9.0.1' })).toMatchObject({
      outcome: 'failed',
      reason: 'no-link',
      summary: 'default route (ipv4) leads over 10.9.0.1 on eth0, which has no link',
    });
    expect(judgeOutput(kind, said.replace('lowerlayerdown', 'up')).outcome).toBe('ok');
    expect(judgeOutput(kind, said.replace('lowerlayerdown', 'unknown')).outcome).toBe('ok');
  });

  it('knows a route without a gateway', () => {
    expect(judgeOutput(kind, routes('ppp0 00000000 0001 0')).summary).toBe('default route (ipv4) leads over ppp0');
    expect(judgeOutput(kind, routes('ppp0 00000000 0001 0'), { state: 'absent' }).reason).toBe('route-present');
  });

  it.each(['', routes('eth0'), routes('eth0 zz 0003 0')])('does not take %j for routes', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(Object.keys(shells))('looks at this machine with %s', (shell) => {
    for (const family of ['ipv4', 'ipv6'])
      expect(['ok', 'no-default-route']).toContain(
        judgeOutput(kind, runProbe(kind, { family }, shell), { family }).reason,
      );
  });
});
