import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate } from '../../../test/support/certificates.js';
import { describeWith } from '../../../test/support/needs.js';
import { say, withDefaults } from '../../../test/support/probe.js';
import { servers } from '../../../test/support/servers.js';
import { Secret } from '../../secrets/secret.js';
import type { Dial } from '../step.js';
import http from './http/step.js';
import tls from './tls/step.js';

const dial: Dial = async ({ address, port }) => {
  const socket = connect(port, address);
  await once(socket, 'connect');
  return socket;
};

describeWith('a client certificate', ['openssl'], () => {
  const server = makeCertificate();
  const client = makeCertificate();
  const stranger = makeCertificate();
  const both = join(client.certFile, '../both.pem');
  const locked = join(client.certFile, '../locked.key');
  const own: Server[] = [];
  const programs = servers();
  const ca = server.certFile;
  const known = { certificate: client.certFile, key: client.keyFile };
  const wants = { key: server.key, cert: server.cert, ca: client.cert, requestCert: true, rejectUnauthorized: true };

  async function listen(one: Server): Promise<number> {
    own.push(one);
    one.on('tlsClientError', () => {});
    one.listen(0, '127.0.0.1');
    await once(one, 'listening');
    return (one.address() as AddressInfo).port;
  }

  async function look(kind: typeof http | typeof tls, given: object, from: 'host' | 'controller' = 'controller') {
    const params = withDefaults(kind, { ca, ...given });
    const signal = AbortSignal.timeout(20_000);
    const host = { name: 'www.test', address: '127.0.0.1' };
    const data = await kind.call(params, { host, signal, ...(from === 'host' && { dial }) });
    return { data, ...kind.judge(data as never, params, { host: 'web1', now: new Date() }) };
  }

  let port: number;
  let oldPort: number;
  let webPort: number;
  beforeAll(async () => {
    writeFileSync(both, Buffer.concat([client.key, client.cert]));
    say('openssl', 'pkey', '-in', client.keyFile, '-aes256', '-passout', 'pass:hunter2', '-out', locked);
    port = await listen(createServer(wants));
    oldPort = await listen(createServer({ ...wants, maxVersion: 'TLSv1.2' }));
    webPort = await listen(createSecureServer(wants, (_, response) => response.end('{"state": "up"}')));
  });
  afterAll(async () => {
    for (const one of own) one.close();
    await programs.stop();
    for (const one of [server, client, stranger]) one.remove();
  });

  it.each(['controller', 'host'] as const)('lets check.http in, from the %s', async (from) => {
    const url = `https://127.0.0.1:${webPort}/`;

    expect(await look(http, { url, ...known, json: [{ at: 'state', equals: 'up' }] }, from)).toMatchObject({
      outcome: 'ok',
    });
    expect(await look(http, { url }, from)).toMatchObject({
      outcome: 'failed',
      reason: 'client-certificate',
      summary: `${url} the server wants a client certificate`,
    });
    const refused = await look(http, { url, certificate: stranger.certFile, key: stranger.keyFile }, from);
    // Node cuts the connection; others say why.
    expect(refused).toMatchObject({ outcome: 'failed' });
  });

  it.each(['controller', 'host'] as const)('lets check.tls in, from the %s', async (from) => {
    for (const one of [port, oldPort]) {
      expect((await look(tls, { port: one, ...known }, from)).outcome).toBe('ok');
      const refused = await look(tls, { port: one, certificate: stranger.certFile, key: stranger.keyFile }, from);
      expect(refused).toMatchObject({ outcome: 'failed' });
    }
  });

  it('shows it to openssl s_server, too', async () => {
    const verifying = await programs.freePort();
    const options = ['-Verify', '1', '-verify_return_error', '-CAfile', client.certFile, '-quiet'];
    const files = ['-cert', server.certFile, '-key', server.keyFile];
    await programs.start('openssl', ['s_server', '-accept', String(verifying), ...files, ...options], verifying);

    expect((await look(tls, { port: verifying, ...known })).outcome).toBe('ok');
    expect(await look(tls, { port: verifying, certificate: stranger.certFile, key: stranger.keyFile })).toMatchObject({
      outcome: 'failed',
      reason: 'client-certificate',
    });
  });

  it('takes the key from a secret, or from the file of the certificate', async () => {
    const key = new Secret('env:KEY', readFileSync(client.keyFile, 'utf8'));
    const fromSecret = await look(tls, { port, certificate: client.certFile, key });

    expect(fromSecret.outcome).toBe('ok');
    expect(JSON.stringify(fromSecret)).not.toContain('PRIVATE KEY');
    expect((await look(tls, { port, certificate: both })).outcome).toBe('ok');
  });

  it.each([
    ['no file', { certificate: '/no/such.pem' }, '/no/such.pem cannot be read (ENOENT)'],
    [
      'the key of another',
      { certificate: client.certFile, key: stranger.keyFile },
      'the key is not the one of the certificate',
    ],
    ['no key', { certificate: client.certFile }, 'there is no private key in PEM'],
    ['no certificate', { certificate: client.keyFile }, 'there is no certificate in PEM'],
    ['a key with a passphrase', { certificate: client.certFile, key: locked }, 'the key has a passphrase'],
    [
      'a secret that is none',
      { certificate: client.certFile, key: new Secret('env:KEY', 'hunter2') },
      'there is no private key in PEM',
    ],
  ])('says what is wrong with %s and never what is in it', async (_, given, message) => {
    const url = `https://127.0.0.1:${webPort}/`;
    for (const call of [() => look(tls, { port, ...given }), () => look(http, { url, ...given })]) {
      const error = await call().then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      expect(error?.message).toContain(message);
      expect(error?.message).not.toContain('hunter2');
    }
  });
});
