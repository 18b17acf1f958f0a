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

describeWith('check.ntp', ['chronyd', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-ntp-'));
  const sockets: Socket[] = [];
  const local = servers();

  afterAll(async () => {
    for (const socket of sockets) socket.close();
    await local.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function serve(reply: (question: Buffer) => Buffer | undefined): Promise<number> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    socket.on('message', (question, { port, address }) => {
      const message = reply(question);
      if (message) socket.send(message, port, address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket.address().port;
  }

  /** chronyd on a free port, which leaves the clock of this machine alone. */
  async function startChrony(name: string, lines: string): Promise<number> {
    const port = await local.freePort();
    const config = join(folder, `${name}.conf`);
    writeFileSync(
      config,
      `port ${port}\nbindaddress 127.0.0.1\ncmdport 0\nbindcmdaddress /\npidfile ${folder}/${name}.pid\nallow 127.0.0.0/8\n${lines}\n`,
    );
    await local.start('chronyd', ['-d', '-x', '-u', 'root', '-f', config], async () => {
      const { data } = await look(kind, { port, deadline: '1s' });
      return data.reply !== null;
    });
    return port;
  }

  /** The reply of a sound server whose clock is this many seconds ahead. */
  function answer(question: Buffer, { ahead = 0, stratum = 2, first = 0x24, refid = 'GPS\0' } = {}): Buffer {
    const message = Buffer.alloc(48);
    message[0] = first;
    message[1] = stratum;
    message.write(refid, 12, 'latin1');
    question.copy(message, 24, 40, 48);
    const now = Date.now() / 1000 + 2_208_988_800 + ahead;
    for (const at of [32, 40]) {
      message.writeUInt32BE(Math.floor(now) % 0x100000000, at);
      message.writeUInt32BE(Math.floor((now % 1) * 0x100000000), at + 4);
    }
    return message;
  }

  it('measures a real time server', async () => {
    const port = await startChrony('sound', 'local stratum 3');
    const { outcome, summary, metrics, data } = await look(kind, { port, warning: '5s', critical: '10s' });

    expect({ outcome, summary }).toEqual({
      outcome: 'ok',
      summary: expect.stringMatching(/^127\.0\.0\.1:\d+ is .* (ahead|behind) \(± .*\), stratum 3$/),
    });
    expect(Math.abs(data.reply?.offset ?? 99)).toBeLessThan(5);
    expect(metrics?.map(({ name }) => name)).toEqual(['offset', 'delay', 'stratum']);
    expect(await look(kind, { port, 'max-stratum': 2 })).toMatchObject({ outcome: 'failed', reason: 'stratum' });
  });

  it('fails for a real time server that has no source', async () => {
    const port = await startChrony('lost', '');

    expect(await look(kind, { port })).toMatchObject({ outcome: 'failed', reason: 'not-synchronised', metrics: [] });
  });

  it.each([
    [400, 'failed', 'above-critical', 'is 6.67 min ahead'],
    [-400, 'failed', 'above-critical', 'is 6.67 min behind'],
    [20, 'warning', 'above-warning', 's ahead'],
    [0, 'ok', 'ok', 'stratum 2'],
  ])('judges a clock that is %d s ahead', async (ahead, outcome, reason, text) => {
    const port = await serve((question) => answer(question, { ahead }));

    expect(await look(kind, { port, warning: '10s', critical: '60s' })).toMatchObject({
      outcome,
      reason,
      summary: expect.stringContaining(text),
    });
  });

  it('knows the time after 2036', async () => {
    const year2040 = 2_208_988_800 - Date.now() / 1000;
    const port = await serve((question) => answer(question, { ahead: year2040 }));

    expect((await look(kind, { port })).data.reply?.offset).toBeCloseTo(year2040, -1);
  });

  it('blames a clock that no way there explains', () => {
    const reply = { offset: 0.3, delay: 0.7, stratum: 2, unsynchronised: false, leap: 0, kiss: '' } as const;
    const params = withDefaults(kind, { warning: '10:', critical: '60' });

    expect(kind.judge({ subject: 'a', failure: null, reply }, params, { host: 'a', now: new Date() })).toMatchObject({
      outcome: 'warning',
    });
  });

  it('does not blame a clock for a slow way', async () => {
    const port = await serve((question) => answer(question));
    const reply = { offset: 0.3, delay: 0.7, stratum: 2, unsynchronised: false, leap: 0, kiss: '' } as const;
    const params = withDefaults(kind, { port });

    expect(kind.judge({ subject: 'a', failure: null, reply }, params, { host: 'a', now: new Date() })).toMatchObject({
      outcome: 'unknown',
      reason: 'too-slow',
    });
  });

  it.each<[string, (question: Buffer) => Buffer | undefined, string]>([
    ['mute', () => undefined, 'timeout'],
    ['noise', () => Buffer.alloc(90, 9), 'timeout'],
    ['an echo', (question) => question, 'timeout'],
    ['half a reply', (question) => answer(question).subarray(0, 40), 'timeout'],
    ['an answer to another question', (question) => answer(question).fill(1, 24, 32), 'timeout'],
    ['a kiss of death', (question) => answer(question, { stratum: 0, refid: 'RATE' }), 'refused'],
    ['an alarm', (question) => answer(question, { first: 0xe4 }), 'not-synchronised'],
    ['stratum 16', (question) => answer(question, { stratum: 16 }), 'not-synchronised'],
    ['no time at all', (question) => answer(question).fill(0, 32), 'not-synchronised'],
  ])('fails for %s', async (_, reply, reason) => {
    expect(await look(kind, { port: await serve(reply), deadline: '500ms' })).toMatchObject({
      outcome: 'failed',
      reason,
    });
  });

  it('stops when the step is stopped', async () => {
    const port = await serve(() => undefined);

    await expect(look(kind, { port }, AbortSignal.timeout(100))).rejects.toThrow();
    expect(kind.validate?.(withDefaults(kind, { warning: '5 apples' }))).toHaveLength(1);
  });
});
