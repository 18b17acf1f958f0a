import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withBrokenDate } from '../../../../test/support/certificates.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { handshakes } from './handshake.js';
import kind from './step.js';

describeWith('check.tls', ['openssl'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-tls-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const servers: Server[] = [];

  /** A certificate for www.test from our authority; `from` and `to` are days from now. */
  function issue(name: string, from: number, to: number, subject = 'www.test') {
    const day = (offset: number) =>
      new Date(Date.now() + offset * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
    writeFileSync(at(`${name}.ext`), `subjectAltName=DNS:${subject}\n`);
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${subject}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    writeFileSync(at('ca.index'), '');
    writeFileSync(
      at('ca.conf'),
      '[ca]\ndefault_ca=d\n[d]\ndatabase=ca.index\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n',
    );
    openssl(
      'ca',
      '-batch',
      '-config',
      'ca.conf',
      '-cert',
      'ca.pem',
      '-keyfile',
      'ca.key',
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
      '-notext',
      '-startdate',
      day(from),
      '-enddate',
      day(to),
      '-extfile',
      `${name}.ext`,
    );
  }

  async function serve(name: string, options: TlsOptions = {}): Promise<number> {
    const server = createServer({
      key: readFileSync(at(`${name}.key`)),
      cert: readFileSync(at(`${name}.pem`)),
      ...options,
    });
    server.on('tlsClientError', () => {});
    return await listen(server);
  }

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function look(port: number, given: object = {}) {
    const params = withDefaults(kind, { port, servername: 'www.test', ca: at('ca.pem'), ...given });
    const host = { name: 'web1', address: '127.0.0.1' };
    const data = await kind.call(params, { host, signal: AbortSignal.timeout(20_000) });
    return kind.judge(data, params, { host: 'web1', now: new Date() });
  }

  beforeAll(() => {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '3650',
      '-subj',
      '/CN=Test Root',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    issue('good', -10, 80);
    issue('expired', -90, -2);
    issue('five-days', -85, 5);
    issue('short', -1, 5);
    issue('future', 2, 90);
  });

  afterAll(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is content with a valid certificate of a trusted authority', async () => {
    const judgement = await look(await serve('good'));

    expect(judgement).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/certificate expires in (80|79\.\d) d, TLSv1\.3$/),
    });
    expect(judgement.metrics?.[0]).toMatchObject({ name: 'certificate', unit: 'seconds', warning: '2592000:' });
  });

  it('fails for an expired certificate', async () => {
    expect(await look(await serve('expired'))).toMatchObject({
      outcome: 'failed',
      reason: 'certificate-expired',
      summary: expect.stringMatching(/certificate expired (2|48) (d|h) ago$/),
    });
  });

  it('fails for five days of ninety, not for five days of six', async () => {
    expect(await look(await serve('five-days'))).toMatchObject({ outcome: 'failed', reason: 'below-critical' });
    expect(await look(await serve('short'))).toMatchObject({ outcome: 'ok' });
  });

  it('takes limits in days', async () => {
    const port = await serve('good');

    expect(await look(port, { warning: '81d:', critical: 10 / 1 })).toBeDefined();
    expect(await look(port, { warning: '81:', critical: '30d:' })).toMatchObject({ outcome: 'warning' });
    expect(kind.validate?.(withDefaults(kind, { warning: 30 }))).toMatchObject([
      { hint: 'write "30:" for at least 30' },
    ]);
  });

  it('fails for a certificate that is not valid yet', async () => {
    expect(await look(await serve('future'))).toMatchObject({ outcome: 'failed', reason: 'certificate-not-yet-valid' });
  });

  it('fails for the wrong name and says for which it is', async () => {
    expect(await look(await serve('good'), { servername: 'api.test' })).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-name',
      summary: expect.stringContaining('the certificate is for www.test, not for api.test'),
    });
  });

  it('does not mind an old certificate of a root that is trusted itself', async () => {
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', '-x509', ...ec, '-days', '30', '-subj', '/CN=Old Root', '-keyout', 'old.key', '-out', 'old.pem');
    openssl('req', '-new', '-key', 'ca.key', '-subj', '/CN=Test Root', '-out', 'cross.csr');
    const signed = ['x509', '-req', '-in', 'cross.csr', '-CA', 'old.pem', '-CAkey', 'old.key', '-set_serial', '7'];
    openssl(...signed, '-days', '-1', '-out', 'cross.pem');
    const port = await serve('good', { cert: `${readFileSync(at('good.pem'))}${readFileSync(at('cross.pem'))}` });

    expect(await look(port)).toMatchObject({ outcome: 'ok' });
    // Who trusts the old root alone needs it.
    expect(await look(port, { ca: at('old.pem') })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringContaining('intermediate certificate Test Root expired'),
    });
  });

  it('fails for a certificate whose dates are none', async () => {
    const port = await serve('good', { cert: withBrokenDate(readFileSync(at('good.pem'))) });

    expect(await look(port)).toMatchObject({ outcome: 'failed', reason: 'bad-certificate' });
  });

  it('fails for a name that its authority may not give', async () => {
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
    const only = ['-addext', 'nameConstraints=critical,permitted;DNS:elsewhere.test'];
    openssl('req', '-x509', ...ec, ...only, '-subj', '/CN=Narrow', '-keyout', 'narrow.key', '-out', 'narrow.pem');
    openssl('req', '-new', '-key', 'good.key', '-subj', '/CN=www.test', '-out', 'www.csr');
    const signed = ['x509', '-req', '-in', 'www.csr', '-CA', 'narrow.pem', '-CAkey', 'narrow.key', '-days', '20'];
    openssl(...signed, '-set_serial', '9', '-extfile', 'good.ext', '-out', 'www.pem');
    const port = await serve('good', { cert: readFileSync(at('www.pem')) });

    expect(await look(port, { ca: at('narrow.pem') })).toMatchObject({
      outcome: 'failed',
      reason: 'chain-invalid',
      summary: expect.stringContaining('may not certify such a name'),
    });
  });

  it('fails for an authority that is not trusted', async () => {
    expect(await look(await serve('good'), { ca: undefined })).toMatchObject({
      outcome: 'failed',
      reason: 'unknown-ca',
    });
  });

  it('fails for a self-signed certificate', async () => {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '90',
      '-subj',
      '/CN=www.test',
      '-addext',
      'subjectAltName=DNS:www.test',
      '-keyout',
      'self.key',
      '-out',
      'self.pem',
    );

    expect(await look(await serve('self'))).toMatchObject({ outcome: 'failed', reason: 'self-signed' });
  });

  it('fails for an old protocol', async () => {
    const port = await serve('good', {
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });

    expect(await look(port)).toMatchObject({
      outcome: 'failed',
      reason: 'old-protocol',
      summary: expect.stringContaining('offers TLSv1.1 at best, at least TLSv1.2'),
    });
  });

  it('fails for a server that speaks something else, is mute, or is not there', async () => {
    const plain = await listen(
      createTcpServer((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))),
    );
    const mute = await listen(createTcpServer(() => {}));
    const gone = createTcpServer();
    const closed = await listen(gone);
    gone.close();
    await once(gone, 'close');

    expect(await look(plain)).toMatchObject({ outcome: 'failed', reason: 'tls-failed' });
    expect(await look(mute, { deadline: '300ms' })).toMatchObject({ outcome: 'failed', reason: 'timeout' });
    expect(await look(closed)).toMatchObject({ outcome: 'failed', reason: 'connect-refused' });
  });

  it('holds names, issuer and key against what they must be', async () => {
    const port = await serve('good');

    expect(
      (await look(port, { names: ['WWW.test'], issuer: '^Test Root$', 'key-type': '^ec prime256v1$' })).outcome,
    ).toBe('ok');
    expect(await look(port, { names: ['www.test', 'api.test'] })).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-name',
      summary: expect.stringContaining('the certificate is not for api.test'),
    });
    expect(await look(port, { issuer: 'Encrypt' })).toMatchObject({ outcome: 'failed', reason: 'wrong-issuer' });
    expect(await look(port, { 'key-type': '^rsa' })).toMatchObject({
      reason: 'wrong-key',
      summary: expect.stringContaining('the key is ec prime256v1, which does not match /^rsa/'),
    });
  });

  it('knows names below a wildcard', async () => {
    issue('wild', -10, 80, '*.lab.test');
    const port = await serve('wild');
    const wild = (...names: string[]) => look(port, { servername: 'a.lab.test', names });

    expect((await wild('b.lab.test', '*.lab.test')).outcome).toBe('ok');
    expect((await wild('lab.test')).reason).toBe('wrong-name');
    expect((await wild('a.b.lab.test')).reason).toBe('wrong-name');
  });

  it('finds the one bad server behind a name', async () => {
    const port = await serve('good');
    const context = (name: string) => ({ key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) });
    const bad = createServer(context('expired'));
    servers.push(bad);
    const target = { address: '', port, servername: 'www.test', ca: at('ca.pem'), identity: undefined, seconds: 5 };
    const both = async () => {
      const found = await handshakes(['127.0.0.1', '127.0.0.2'], target, AbortSignal.timeout(20_000));
      const data = { servername: 'www.test', port, servers: found };
      return kind.judge(data, withDefaults(kind), { host: 'web1', now: new Date() });
    };

    expect(await both()).toMatchObject({
      outcome: 'failed',
      reason: 'connect-refused',
      summary: `www.test:${port} at 127.0.0.2: the connection was refused`,
    });
    bad.listen(port, '127.0.0.2');
    await once(bad, 'listening');
    expect(await both()).toMatchObject({
      outcome: 'failed',
      reason: 'certificate-expired',
      summary: expect.stringContaining(`www.test:${port} at 127.0.0.2 certificate expired`),
    });
    bad.setSecureContext(context('short'));
    expect(await both()).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/ \(2 addresses, 2 certificates\) certificate expires in (5|4\.\d+) d/),
    });
  });

  it('looks up all addresses of a name', async () => {
    const every = { 'every-address': true };

    expect((await look(await serve('good'), { ...every, address: 'localhost' })).outcome).not.toBe('unknown');
    expect((await look(443, { ...every, address: 'no-such-name.invalid' })).outcome).not.toBe('ok');
  });

  it('stops when the step is stopped', async () => {
    const mute = await listen(createTcpServer(() => {}));
    const params = withDefaults(kind, { port: mute });
    const call = kind.call(params, { host: { name: 'a', address: '127.0.0.1' }, signal: AbortSignal.timeout(100) });

    await expect(call).rejects.toThrow();
  });
});
