import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import { readAllowed } from './allowed.js';
import kind from './step.js';

const sockets = (...lines: readonly string[]) => `order\tlittle\n${lines.join('\n')}\nend\t\n`;
const ssh = 'tcp\t00000000:0016';
const sshSix = 'tcp\t00000000000000000000000000000000:0016';
const postgres = 'tcp\t0100007F:1538';
const exporter = 'tcp\t0500000A:238C';
const dns = 'udp\t00000000:0035';

describe('check.listening', () => {
  it('reads a Debian 12 host', () => {
    const said = fixture('debian12.txt', import.meta.url);

    expect(judgeOutput(kind, said, { allow: [22] })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^nothing listens but what may \(\d+ sockets\)$/),
    });
    expect(judgeOutput(kind, said, { allow: [80] })).toMatchObject({
      outcome: 'failed',
      reason: 'unexpected-port',
      summary: expect.stringContaining('tcp/0.0.0.0:22'),
    });
  });

  it('names what is not on the list', () => {
    const { summary, findings } = judgeOutput(kind, sockets(ssh, sshSix, exporter), { allow: [] });

    expect(summary).toBe('should not listen: tcp/0.0.0.0:22, tcp/[::]:22, tcp/10.0.0.5:9100');
    expect(findings?.map(({ subject }) => subject)).toEqual(['tcp/0.0.0.0:22', 'tcp/[::]:22', 'tcp/10.0.0.5:9100']);
  });

  it.each([
    [[22, 9100], 'ok'],
    [['tcp/22', '9000-9200'], 'ok'],
    [['any:22', '10.0.0.5:9100'], 'ok'],
    [['udp/22', 9100], 'unexpected-port'],
    [['loopback:22', 9100], 'unexpected-port'],
    [['any:22', '10.0.0.6:9100'], 'unexpected-port'],
  ])('allows %j: %s', (allow, reason) => {
    expect(judgeOutput(kind, sockets(ssh, sshSix, exporter), { allow }).reason).toBe(reason);
  });

  it('looks at loopback only when asked', () => {
    expect(judgeOutput(kind, sockets(postgres), { allow: [] }).outcome).toBe('ok');
    expect(judgeOutput(kind, sockets(postgres), { allow: [], loopback: true }).outcome).toBe('failed');
    expect(judgeOutput(kind, sockets(postgres), { allow: ['loopback:5432'], loopback: true }).outcome).toBe('ok');
  });

  it('tells the protocols apart', () => {
    expect(judgeOutput(kind, sockets(dns), { allow: ['tcp/53'] }).outcome).toBe('failed');
    expect(judgeOutput(kind, sockets(dns), { allow: ['udp/any:53'] }).outcome).toBe('ok');
  });

  it.each(['0', '70000', '90-80', 'http', 'sctp/80', '::1:80', '22,80'])('refuses %s on the list', (text) => {
    expect(readAllowed(text)).toBeUndefined();
    expect(kind.validate?.(withDefaults(kind, { allow: [22, text] }))).toMatchObject([{ path: ['allow', 1] }]);
  });

  it.each(['', 'order\tlittle\n', sockets('tcp\t0:16'), sockets('tcp\t00000000:x')])(
    'does not take %j for a list',
    (said) => {
      expect(() => judgeOutput(kind, said, { allow: [] })).toThrow();
    },
  );

  it.each(Object.keys(shells))('finds a server of this machine with %s', async (shell) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const given = { allow: [], protocols: ['tcp', 'udp'] };
      const { sockets: found } = kind.parse(runProbe(kind, given, shell), withDefaults(kind, given));

      expect(found).toContainEqual({ protocol: 'tcp', address: '127.0.0.1', port });
    } finally {
      server.close();
    }
  });
});
