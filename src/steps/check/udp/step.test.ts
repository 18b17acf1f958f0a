import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { servers } from '../../../../test/support/servers.js';
import kind from './step.js';

describeWith('check.udp', ['named', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-udp-'));
  const local = servers();
  const sockets: Socket[] = [];

  afterAll(async () => {
    for (const socket of sockets) socket.close();
    await local.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function serve(reply: (datagram: Buffer, count: number) => Buffer | string | undefined): Promise<number> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    let count = 0;
    socket.on('message', (datagram, { port, address }) => {
      const answer = reply(datagram, count++);
      if (answer !== undefined) socket.send(answer, port, address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket.address().port;
  }

  it('sends text and reads text', async () => {
    const port = await serve((datagram) => datagram);

    expect(await look(kind, { port, send: 'ping', expect: '^ping$' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^127\.0\.0\.1:\d+ says "ping" in [\d.]+ m?s$/),
      metrics: [{ name: 'time', unit: 'seconds' }],
    });
    expect(await look(kind, { port, send: 'ping', expect: 'pong' })).toMatchObject({
      outcome: 'failed',
      reason: 'no-match',
      summary: expect.stringContaining('says "ping", without /pong/'),
    });
    expect(await look(kind, { port, send: 'ping', 'expect-lacks': 'p' })).toMatchObject({ reason: 'match' });
    expect(await look(kind, { port, send: 'ping', warning: '@0:60s' })).toMatchObject({ outcome: 'warning' });
    expect(await look(kind, { port, send: 'ping', critical: '@0:60s' })).toMatchObject({ outcome: 'failed' });
  });

  it('talks in bytes with a real name server', async () => {
    const port = await local.freePort();
    const config = join(folder, 'named.conf');
    writeFileSync(
      config,
      `options { directory "${folder}"; pid-file none; session-keyfile none; listen-on port ${port} { 127.0.0.1; };
        listen-on-v6 { none; }; recursion no; dnssec-validation no; };\ncontrols { };\n`,
    );
    await local.start('named', ['-g', '-n', '1', '-c', config], port);
    const given = { port, 'send-hex': 'AB CD 00 00 00 01 00 00 00 00 00 00 00 00 02 00 01' };

    // Its own number, an answer, and REFUSED.
    expect(await look(kind, { ...given, 'expect-hex': '^abcd8[0-9a-f]{2}5' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringContaining('says 17 bytes in'),
    });
    expect((await look(kind, { ...given, 'expect-hex': '^abcd8[0-9a-f]{2}0' })).reason).toBe('no-match');
  });

  it('sends again when a datagram is lost', async () => {
    const port = await serve((datagram, count) => (count === 0 ? undefined : datagram));

    expect((await look(kind, { port, send: 'ping', deadline: '3s' })).outcome).toBe('ok');
  });

  it('fails for silence, for nobody, and for an empty answer that should say something', async () => {
    expect(await look(kind, { port: await serve(() => undefined), send: 'x', deadline: '300ms' })).toMatchObject({
      outcome: 'failed',
      reason: 'timeout',
    });
    expect(await look(kind, { port: await local.freePort(), send: 'x', deadline: '3s' })).toMatchObject({
      outcome: 'failed',
      reason: 'connect-refused',
    });
    expect((await look(kind, { port: await serve(() => ''), send: 'x', expect: '.' })).outcome).toBe('failed');
    expect((await look(kind, { port: 1, address: 'no.such.name.invalid', send: 'x' })).outcome).not.toBe('ok');
  });

  it('leaves aside what comes from another port', async () => {
    const stranger = createSocket('udp4');
    sockets.push(stranger);
    const asked = createSocket('udp4');
    sockets.push(asked);
    asked.on('message', (_, { port, address }) => stranger.send('ping', port, address));
    asked.bind(0, '127.0.0.1');
    await once(asked, 'listening');

    expect(await look(kind, { port: asked.address().port, send: 'x', deadline: '400ms' })).toMatchObject({
      reason: 'timeout',
    });
  });

  it('stops when the step is stopped', async () => {
    const port = await serve(() => undefined);

    await expect(look(kind, { port, send: 'x' }, AbortSignal.timeout(100))).rejects.toThrow();
    await expect(look(kind, { port, send: 'x' }, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });

  it('wants something to send', () => {
    expect(kind.validate?.(withDefaults(kind, { port: 1 }))).toHaveLength(1);
    expect(kind.validate?.(withDefaults(kind, { port: 1, send: 'a', 'send-hex': '00' }))).toHaveLength(1);
    expect(kind.validate?.(withDefaults(kind, { port: 1, send: 'a', expect: '(' }))).toHaveLength(1);
  });
});
