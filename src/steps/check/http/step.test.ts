import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withBrokenDate } from '../../../../test/support/certificates.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { Secret } from '../../../secrets/secret.js';
import kind from './step.js';

describeWith('check.http', ['openssl'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-http-'));
  const ca = join(folder, 'cert.pem');
  const servers: (Server | TcpServer)[] = [];
  let base: string;
  let secure: string;

  const answer: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    switch (pathname) {
      case '/health':
        return response.setHeader('content-type', 'application/json').end('{"status": "up"}\n');
      case '/missing':
        return response.writeHead(404).end('not here');
      case '/moved':
        return response.writeHead(302, { location: '/health' }).end();
      case '/loop':
        return response.writeHead(301, { location: '/loop' }).end();
      case '/away':
        return response.writeHead(307, { location: `${secure}/headers` }).end();
      case '/ftp':
        return response.writeHead(301, { location: 'ftp://x/' }).end();
      case '/headers':
        return response.end(JSON.stringify(request.headers));
      case '/api':
        return response
          .writeHead(200, {
            'Content-Type': 'application/json',
            'X-Powered-By': 'test',
            'Set-Cookie': ['a=1', 'b=hunter2'],
          })
          .end(
            '{"state": "up", "queue": {"length": 120}, "nodes": [{"ok": true}, {"ok": false}], "password": "hunter2"}',
          );
      case '/packed': {
        const encoding = new URL(request.url ?? '', 'http://x').searchParams.get('by') ?? '';
        const pack = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }[encoding];
        const body = pack?.('a stack trace') ?? 'whatever';
        return response.writeHead(200, { 'content-encoding': encoding }).end(request.method === 'HEAD' ? '' : body);
      }
      case '/wide':
        response.setHeader('content-type', 'text/html; charset="UTF-16LE"');
        return response.end(Buffer.from('a stack trace', 'utf16le'));
      case '/slow':
        return void setTimeout(() => response.end('late'), 250);
      case '/endless':
        response.write('x');
        return;
      case '/huge':
        return response.end('start '.padEnd(1_200_000, 'x'));
      default:
        return request.socket.destroy();
    }
  };

  async function listen(server: Server | TcpServer): Promise<number> {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function look(url: string, given: object = {}) {
    const params = withDefaults(kind, { url, ...given });
    const host = { name: 'web1', address: '127.0.0.1' };
    const data = await kind.call(params, { host, signal: AbortSignal.timeout(20_000) });
    return { data, ...kind.judge(data, params, { host: 'web1', now: new Date() }) };
  }

  beforeAll(async () => {
    const key = join(folder, 'key.pem');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '30',
        '-subj',
        '/CN=www.test',
        '-addext',
        'subjectAltName=DNS:www.test,IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        ca,
      ],
      { stdio: 'ignore' },
    );
    base = `http://127.0.0.1:${await listen(createServer(answer))}`;
    secure = `https://127.0.0.1:${await listen(createSecureServer({ key: readFileSync(key), cert: readFileSync(ca) }, answer))}`;
  });

  afterAll(() => {
    for (const server of servers) {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true });
  });

  it('measures a healthy answer', async () => {
    const { outcome, summary, metrics, data } = await look(`${base}/health`, { body: '"status":\\s*"up"' });

    expect(outcome).toBe('ok');
    expect(summary).toMatch(/\/health answers 200 in [\d.]+ m?s$/);
    expect(metrics?.map(({ name }) => name)).toEqual(['total', 'dns', 'connect', 'first-byte', 'size']);
    expect(data).toMatchObject({ status: 200, contentType: 'application/json', remote: '127.0.0.1', size: 17 });
  });

  it('judges status and body', async () => {
    expect(await look(`${base}/missing`)).toMatchObject({
      outcome: 'failed',
      reason: 'http-status',
      summary: expect.stringContaining('answers 404, should be 200-299'),
    });
    expect((await look(`${base}/missing`, { status: [404] })).outcome).toBe('ok');
    expect((await look(`${base}/health`, { body: 'down' })).reason).toBe('no-match');
    expect((await look(`${base}/health`, { 'body-lacks': ['nope', 'up'] })).reason).toBe('match');
  });

  it('follows redirects, as many as it may', async () => {
    expect(await look(`${base}/moved`)).toMatchObject({ outcome: 'ok', data: { redirects: [`${base}/health`] } });
    expect((await look(`${base}/moved`, { redirects: 0, status: [302] })).outcome).toBe('ok');
    expect(await look(`${base}/loop`)).toMatchObject({ outcome: 'failed', reason: 'too-many-redirects' });
    expect((await look(`${base}/ftp`)).reason).toBe('bad-redirect');
  });

  it('judges where redirects lead', async () => {
    const moved = (given: object) => look(`${base}/moved`, given);

    expect((await moved({ 'redirect-to': '/health$' })).outcome).toBe('ok');
    expect(
      (await moved({ redirects: 0, status: [302], 'redirect-to': '^http://127.0.0.1:\\d+/health$' })).outcome,
    ).toBe('ok');
    expect(await moved({ 'redirect-to': '^https:' })).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-redirect',
      summary: expect.stringMatching(/redirects to http:\S+\/health, which does not match \/\^https:\//),
    });
    expect(await look(`${base}/health`, { 'redirect-to': 'health' })).toMatchObject({ reason: 'no-redirect' });
  });

  it('judges the headers of the answer', async () => {
    const api = (given: object) => look(`${base}/api`, given);

    expect((await api({ 'response-headers': { 'content-TYPE': ['^application/', 'json$'] } })).outcome).toBe('ok');
    expect((await api({ 'response-headers-lack': ['Server'] })).outcome).toBe('ok');
    expect(await api({ 'response-headers': { 'Content-Type': 'html' } })).toMatchObject({
      outcome: 'failed',
      reason: 'header-mismatch',
      summary: expect.stringContaining('has a header Content-Type "application/json" that does not match /html/'),
    });
    expect(await api({ 'response-headers': { 'Strict-Transport-Security': '.' } })).toMatchObject({
      reason: 'header-absent',
    });
    expect(await api({ 'response-headers-lack': ['x-powered-by'] })).toMatchObject({ reason: 'header-present' });
    const cookie = await api({ 'response-headers': { 'Set-Cookie': 'HttpOnly' } });
    expect(cookie.reason).toBe('header-mismatch');
    expect(JSON.stringify(cookie)).not.toContain('hunter2');
  });

  it('judges values in a JSON body and measures them', async () => {
    const api = (...json: object[]) => look(`${base}/api`, { json });
    const length = { at: 'queue.length', range: '0:1000' };

    const good = await api({ at: '/state', equals: 'up' }, length, { at: 'error', state: 'absent' });
    expect(good).toMatchObject({ outcome: 'ok', summary: expect.stringMatching(/answers 200 in/) });
    expect(good.metrics?.find(({ name }) => name === 'queue.length')).toMatchObject({ value: 120, critical: '1000' });
    expect(await api({ ...length, warning: '0:100' })).toMatchObject({
      outcome: 'warning',
      reason: 'out-of-range',
      summary: expect.stringContaining('queue.length is 120, limit 100'),
      metrics: expect.arrayContaining([expect.objectContaining({ name: 'queue.length', warning: '100' })]),
    });
    expect(await api({ at: 'queue.length', range: '0:100' })).toMatchObject({ outcome: 'failed' });
    expect(await api({ at: 'nodes.*.ok', equals: true })).toMatchObject({ outcome: 'failed', reason: 'not-equal' });
    expect(await api({ at: 'gone' })).toMatchObject({ outcome: 'failed', reason: 'absent' });
    const hidden = await api({ at: 'password', matches: '^x' });
    expect(hidden.outcome).toBe('failed');
    expect(JSON.stringify(hidden)).not.toContain('hunter2');
    expect(await look(`${base}/moved`, { redirects: 0, status: [302], json: [{ at: 'a' }] })).toMatchObject({
      outcome: 'failed',
      reason: 'not-json',
    });
    expect(await look(`${base}/huge`, { json: [{ at: 'a' }] })).toMatchObject({
      outcome: 'unknown',
      reason: 'too-large',
    });
  });

  it('sends headers and secrets, but not to another server', async () => {
    const headers = { 'X-One': 'one', Authorization: new Secret('env:TOKEN', 'hunter2') };
    const bodyHas = (...body: string[]) => ({ headers, ca, body });

    expect((await look(`${base}/headers`, bodyHas('"x-one":"one"', 'hunter2'))).outcome).toBe('ok');
    const away = await look(`${base}/away`, { headers, ca, 'body-lacks': ['hunter2', 'x-one'] });
    expect(away).toMatchObject({ outcome: 'ok', data: { redirects: [`${secure}/headers`] } });
    expect(JSON.stringify(away)).not.toContain('hunter2');
  });

  it('has its own connection and no proxy', async () => {
    process.env.http_proxy = 'http://127.0.0.1:1';
    try {
      expect((await look(`${base}/headers`, { body: '"connection":"close"' })).outcome).toBe('ok');
    } finally {
      delete process.env.http_proxy;
    }
  });

  it('connects elsewhere and keeps name and certificate', async () => {
    const url = secure.replace('127.0.0.1', 'www.test');

    expect(await look(`${url}/headers`, { address: '127.0.0.1', ca, body: '"host":"www\\.test' })).toMatchObject({
      outcome: 'ok',
      data: { certificate: { subject: 'www.test' } },
    });
    expect((await look(url.replace('www', 'api'), { address: '127.0.0.1', ca })).reason).toBe('wrong-name');
  });

  it('verifies certificates and reports how long they last', async () => {
    expect(await look(`${secure}/health`)).toMatchObject({ outcome: 'failed', reason: 'self-signed' });
    const { outcome, metrics } = await look(`${secure}/health`, { ca });
    expect(outcome).toBe('ok');
    expect(metrics?.find(({ name }) => name === 'certificate')?.value).toBeGreaterThan(29 * 86_400);
  });

  it('fails for a certificate whose dates are none', async () => {
    const odd = { key: readFileSync(join(folder, 'key.pem')), cert: withBrokenDate(readFileSync(ca)) };
    const port = await listen(createSecureServer(odd, answer));

    expect(await look(`https://127.0.0.1:${port}/health`, { ca })).toMatchObject({
      outcome: 'failed',
      reason: 'chain-invalid',
    });
  });

  it('puts limits on the whole time', async () => {
    expect(await look(`${base}/slow`, { warning: '100ms' })).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
    });
    expect(await look(`${base}/slow`, { critical: '100ms' })).toMatchObject({ outcome: 'failed' });
    expect(await look(`${base}/slow`, { 'critical-first-byte': '100ms' })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringMatching(/the first byte comes in \d+ ms, limit 100 ms$/),
    });
    expect((await look(`${base}/slow`, { 'critical-connect': '5s', 'critical-dns': '5s' })).outcome).toBe('ok');
    expect(await look(`${base}/health`, { 'warning-size': '1kB:' })).toMatchObject({ reason: 'below-warning' });
    expect(await look(`${secure}/health`, { ca, 'warning-certificate': '60:', 'critical-tls': '5s' })).toMatchObject({
      outcome: 'warning',
      summary: expect.stringContaining('certificate expires in 30 d, at least 60 d'),
    });
  });

  it('calls no answer a failure of the server', async () => {
    const gone = createTcpServer();
    const port = await listen(gone);
    gone.close();
    await once(gone, 'close');

    expect(await look(`http://127.0.0.1:${port}/`)).toMatchObject({
      outcome: 'failed',
      reason: 'connect-refused',
      metrics: [],
    });
    expect((await look(`${base}/reset`)).reason).toBe('connection-reset');
    expect((await look(`${base}/endless`, { deadline: '300ms' })).reason).toBe('timeout');
    const mute = await listen(createTcpServer(() => {}));
    expect((await look(`http://127.0.0.1:${mute}/`, { deadline: '300ms' })).reason).toBe('timeout');
  });

  it('reads a bounded part of a body', async () => {
    expect((await look(`${base}/huge`, { body: '^start' })).outcome).toBe('ok');
    expect(await look(`${base}/huge`, { body: 'end' })).toMatchObject({ outcome: 'unknown', reason: 'too-large' });
    expect((await look(`${base}/huge`)).data.size).toBe(1_048_576);
  });

  it('reads what a server compresses that nobody asked to', async () => {
    for (const encoding of ['gzip', 'deflate', 'br']) {
      const packed = (given: object) => look(`${base}/packed?by=${encoding}`, given);
      expect(await packed({ 'body-lacks': 'stack trace' })).toMatchObject({ outcome: 'failed', reason: 'match' });
      expect(await packed({ body: '^a stack trace$' })).toMatchObject({ outcome: 'ok', data: { size: 13 } });
      expect((await packed({ method: 'HEAD' })).outcome).toBe('ok');
    }
    expect(await look(`${base}/packed?by=zstd`, { 'body-lacks': 'stack' })).toMatchObject({
      outcome: 'unknown',
      reason: 'encoded',
    });
    expect((await look(`${base}/packed?by=zstd`)).outcome).toBe('ok');
    expect((await look(`${base}/wide`, { 'body-lacks': 'stack trace' })).reason).toBe('match');
  });

  it.each([
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'failed', 'protocol-error'],
    [
      'a 101 that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'failed',
      'http-status',
    ],
    [
      'a gzip that is none',
      'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello',
      'failed',
      'protocol-error',
    ],
    ['a body that is cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', 'failed', 'connection-reset'],
    [
      'chunks without an end',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'failed',
      'connection-reset',
    ],
    ['long headers', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 'unknown', 'too-large'],
  ])('judges an answer that is odd: %s', async (_, words, outcome, reason) => {
    const port = await listen(
      createTcpServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(words))),
    );

    expect(await look(`http://127.0.0.1:${port}/`)).toMatchObject({ outcome, reason });
  });

  it('stops when the step is stopped', async () => {
    const params = withDefaults(kind, { url: `${base}/endless` });
    const call = kind.call(params, { host: { name: 'a', address: '127.0.0.1' }, signal: AbortSignal.timeout(200) });

    await expect(call).rejects.toThrow();
  });

  it('refuses what cannot be', () => {
    const problems = (given: object) => kind.validate?.(withDefaults(kind, { url: 'https://a/', ...given }));

    expect(problems({ 'response-headers': { Server: ['ok', '('] } })).toMatchObject([
      { path: ['response-headers', 'Server', 1] },
    ]);
    expect(problems({ method: 'HEAD', json: [{ at: 'a' }] })).toMatchObject([{ path: ['json'] }]);
    expect(problems({ json: [{ at: 'a', state: 'absent', equals: 1 }] })).toMatchObject([
      { path: ['json', 0, 'state'] },
    ]);
    expect(problems({ key: 'key.pem' })).toMatchObject([{ hint: 'add certificate' }]);
    expect(problems({ 'critical-certificate': 14 })).toMatchObject([{ hint: 'write "14:" for at least 14' }]);
  });

  it.each([
    ['example.com/health', 'is not an http or https URL'],
    ['ftp://example.com/', 'is not an http or https URL'],
    ['https://me:secret@example.com/', 'a password in a URL'],
  ])('refuses %s before any contact', (url, what) => {
    expect(kind.validate?.(withDefaults(kind, { url }))).toMatchObject([{ what: expect.stringContaining(what) }]);
  });
});
