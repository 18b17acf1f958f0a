import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../../test/support/certificates.js';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import { Secret } from '../../../secrets/secret.js';
import { readInfo } from './protocol.js';
import kind from './step.js';

describeWith('check.redis', ['redis-server', 'openssl'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-redis-'));
  const local = servers();
  let certificate: TestCertificate;
  let plain: number;

  async function startRedis(...args: string[]): Promise<number> {
    const port = await local.freePort();
    await local.start(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...args],
      async () => !['connect-refused', 'loading'].includes((await look(kind, { port })).reason),
    );
    return port;
  }
  const cli = (port: number, ...words: string[]) =>
    execFileSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8' });

  beforeAll(async () => {
    certificate = makeCertificate();
    plain = await startRedis();
  });

  afterAll(async () => {
    await local.stop();
    certificate.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells role, memory and time of a real server', async () => {
    const { outcome, summary, metrics } = await look(kind, { port: plain, role: 'master' });

    expect({ outcome, summary }).toEqual({
      outcome: 'ok',
      summary: expect.stringMatching(/^127\.0\.0\.1:\d+ is a master, uses [\d.]+ [KM]iB, answers in [\d.]+ m?s$/),
    });
    expect(metrics?.map(({ name }) => name)).toEqual(['time', 'memory', 'replicas', 'unsaved']);
  });

  it('puts limits on memory, time and replicas', async () => {
    const small = await startRedis('--maxmemory', '100mb');

    expect((await look(kind, { port: small })).summary).toMatch(/uses [\d.]+ % of 100 MiB/);
    expect(await look(kind, { port: small, 'memory-critical': '0.01%' })).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
    });
    expect(await look(kind, { port: small, 'memory-warning': '0.01%' })).toMatchObject({ outcome: 'warning' });
    expect(await look(kind, { port: plain, warning: '@0:60s' })).toMatchObject({ outcome: 'warning' });
    expect(await look(kind, { port: plain, replicas: '1:' })).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
      summary: expect.stringContaining('has 0 replicas, at least 1'),
    });
  });

  it('logs in, and calls what it may not see unknown', async () => {
    const users = '--user monitor on >hunter3 -@all +ping +info --user blind on >hunter4 -@all +ping'.split(' ');
    const port = await startRedis('--requirepass', 'hunter2', ...users);
    const password = (value: string) => new Secret('env:P', value);

    expect(await look(kind, { port })).toMatchObject({ outcome: 'unknown', reason: 'auth-required' });
    expect(await look(kind, { port, password: password('wrong') })).toMatchObject({
      outcome: 'unknown',
      reason: 'auth-failed',
    });
    const inside = await look(kind, { port, password: password('hunter2') });
    expect(inside.outcome).toBe('ok');
    expect(JSON.stringify(inside)).not.toContain('hunter');
    expect((await look(kind, { port, user: 'monitor', password: password('hunter3') })).outcome).toBe('ok');
    expect(await look(kind, { port, user: 'blind', password: password('hunter4') })).toMatchObject({
      outcome: 'unknown',
      reason: 'no-permission',
    });
    expect(await look(kind, { port: plain, password: 'x' })).toMatchObject({
      outcome: 'unknown',
      reason: 'auth-failed',
    });
  });

  it('speaks TLS, and says no secret to a server that is not trusted', async () => {
    const port = await local.freePort();
    const { certFile, keyFile } = certificate;
    const tls = [
      '--tls-port',
      String(port),
      '--tls-cert-file',
      certFile,
      '--tls-key-file',
      keyFile,
      '--tls-ca-cert-file',
      certFile,
      '--tls-auth-clients',
      'no',
    ];
    await local.start(
      'redis-server',
      ['--port', '0', '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...tls],
      port,
    );

    expect((await look(kind, { port, tls: true, ca: certFile })).outcome).toBe('ok');
    expect(await look(kind, { port, tls: true })).toMatchObject({ outcome: 'failed', reason: 'self-signed' });
    expect(await look(kind, { port, tls: true, ca: certFile, servername: 'x.test' })).toMatchObject({
      reason: 'wrong-name',
    });
    expect((await look(kind, { port: plain, tls: true, ca: certFile, deadline: '1s' })).outcome).toBe('failed');
  });

  it('fails for a replica that has lost its master, and for the other role', async () => {
    const port = await startRedis('--replicaof', '127.0.0.1', String(await local.freePort()));

    expect(await look(kind, { port })).toMatchObject({ outcome: 'failed', reason: 'replication' });
    expect(await look(kind, { port, role: 'master' })).toMatchObject({ outcome: 'failed', reason: 'role' });
    cli(port, 'replicaof', 'no', 'one');
    expect((await look(kind, { port })).outcome).toBe('ok');
  });

  it('fails when the last snapshot failed', async () => {
    const gone = mkdtempSync(join(folder, 'gone-'));
    const port = await startRedis('--dir', gone);
    cli(port, 'set', 'key', 'value');
    // Its folder is gone from under it.
    rmSync(gone, { recursive: true });
    cli(port, 'bgsave');
    for (let tries = 0; tries < 100 && !cli(port, 'info').includes('bgsave_status:err'); tries += 1) await sleep(50);

    expect(await look(kind, { port })).toMatchObject({
      outcome: 'failed',
      reason: 'persistence',
      summary: expect.stringContaining('the last snapshot failed'),
    });
  });

  it('sees changes that no snapshot has', async () => {
    const port = await startRedis('--dir', mkdtempSync(join(folder, 'late-')));
    await sleep(1_100);
    const limits = { port, 'save-critical': '1s' };
    expect(await look(kind, limits)).toMatchObject({ outcome: 'ok' });

    cli(port, 'set', 'key', 'value');
    expect(await look(kind, limits)).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: expect.stringMatching(/has 1 change that no snapshot has had for .* s, limit 1 s/),
    });
    expect(await look(kind, { port, 'save-warning': '1s' })).toMatchObject({ outcome: 'warning' });

    cli(port, 'save');
    const saved = await look(kind, limits);
    expect(saved.outcome).toBe('ok');
    expect(saved.metrics?.at(-1)).toEqual({ name: 'unsaved', value: 0, unit: 'seconds', critical: '1', min: 0 });
  });

  it.each([
    ['is loading', '-LOADING Redis is loading the dataset in memory\r\n', 'failed', 'loading'],
    ['says something else', '+HELLO\r\n', 'failed', 'protocol-error'],
    ['has an error of its own', '-ERR proxy: no backend\r\n', 'failed', 'redis-error'],
    ['promises too much', '$999999999\r\n', 'failed', 'protocol-error'],
    ['promises more than it gives', '$20\r\nabc\r\n', 'failed', 'timeout'],
    ['answers with a list', '*1\r\n$4\r\nPONG\r\n', 'failed', 'protocol-error'],
    ['gives an empty INFO', '+PONG\r\n$0\r\n\r\n', 'unknown', 'protocol-error'],
  ])('is not content with a server that %s', async (_, words, outcome, reason) => {
    const port = await local.listen((socket) => void socket.write(words));

    expect(await look(kind, { port, deadline: '400ms' })).toMatchObject({ outcome, reason });
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const port = await local.listen(faults[fault] as never);

    for (const tls of [false, true])
      expect((await look(kind, { port, tls, password: 'x', deadline: '300ms' })).outcome).toBe('failed');
  });

  it('makes up nothing that INFO does not say', () => {
    expect(() => readInfo('role:master\r\nloading:0\r\n')).toThrow('INFO without used_memory');
    expect(() => readInfo('role:king\r\n')).toThrow('unknown role');
  });

  it('stops when the step is stopped', async () => {
    const port = await local.listen(() => {});

    await expect(look(kind, { port }, AbortSignal.timeout(100))).rejects.toThrow();
    expect(kind.validate?.(withDefaults(kind, { user: 'x' }))).toHaveLength(1);
  });
});
