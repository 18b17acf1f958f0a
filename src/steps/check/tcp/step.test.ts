import { afterAll, expect, it } from 'vitest';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import kind from './step.js';

describeWith('check.tcp', ['redis-server'], () => {
  const local = servers();
  afterAll(() => local.stop());

  it('measures a connection', async () => {
    const port = await local.listen(() => {});
    const { outcome, summary, metrics } = await look(kind, { port });

    expect({ outcome, summary }).toEqual({
      outcome: 'ok',
      summary: expect.stringMatching(/^127\.0\.0\.1:\d+ connects in [\d.]+ m?s$/),
    });
    expect(metrics).toMatchObject([{ name: 'connect', unit: 'seconds' }]);
  });

  it('talks with a real redis-server', async () => {
    const port = await local.freePort();
    await local.start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], port);

    expect(await look(kind, { port, send: 'PING\r\n', expect: '^\\+PONG' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringContaining('says "+PONG", connects in'),
    });
    expect(await look(kind, { port, send: 'NONSENSE\r\n', expect: '^-ERR', 'expect-lacks': 'unknown' })).toMatchObject({
      outcome: 'failed',
      reason: 'match',
    });
  });

  it('reads on until all patterns have come', async () => {
    const port = await local.listen((socket) => {
      socket.write('one\n');
      setTimeout(() => socket.write('two\n'), 50);
    });

    expect((await look(kind, { port, expect: ['one', 'two'] })).outcome).toBe('ok');
    expect(await look(kind, { port, expect: ['one', 'three'], deadline: '300ms' })).toMatchObject({
      outcome: 'failed',
      reason: 'no-match',
      summary: expect.stringContaining('says "one two", without /three/'),
    });
  });

  it.each([
    ['mute', 'timeout'],
    ['cut at once', 'connection-reset'],
    ['garbage', 'no-match'],
    ['a web server', 'no-match'],
    ['a slow drip', 'no-match'],
    ['endless', 'no-match'],
  ])('fails for a server that is %s', async (fault, reason) => {
    const port = await local.listen(faults[fault] as never);
    const { outcome, reason: told, data } = await look(kind, { port, expect: '^SSH-', deadline: '400ms' });

    expect(outcome).toBe('failed');
    // An empty answer of a server that closes is no words at all.
    expect([reason, 'no-match']).toContain(told);
    expect(data.answer?.length).toBeLessThanOrEqual(500);
  });

  it('keeps control characters of a server out of the summary', async () => {
    const port = await local.listen((socket) => socket.end('a\u001b[2Jb\u202ec\r\n'));

    expect((await look(kind, { port, expect: 'a' })).summary).toContain('says "a [2Jb c"');
  });

  it('fails where nothing listens, and for an unknown name', async () => {
    expect(await look(kind, { port: await local.freePort() })).toMatchObject({
      outcome: 'failed',
      reason: 'connect-refused',
      metrics: [],
    });
    expect((await look(kind, { port: 1, address: 'no.such.name.invalid' })).outcome).not.toBe('ok');
  });

  it('puts limits on the time of the connection', async () => {
    const port = await local.listen(() => {});

    expect(await look(kind, { port, critical: '@0:60s' })).toMatchObject({ outcome: 'failed' });
    expect(await look(kind, { port, warning: '@0:60s' })).toMatchObject({ outcome: 'warning' });
  });

  it('stops when the step is stopped', async () => {
    const port = await local.listen(() => {});

    await expect(look(kind, { port, expect: 'x' }, AbortSignal.timeout(100))).rejects.toThrow();
    await expect(look(kind, { port }, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });

  it('refuses what would look at nothing', () => {
    expect(kind.validate?.(withDefaults(kind, { port: 1, 'expect-lacks': 'x' }))).toHaveLength(1);
    expect(kind.validate?.(withDefaults(kind, { port: 1, expect: '(' }))).toHaveLength(1);
  });
});
