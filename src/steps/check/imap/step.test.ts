import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createSecureServer, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../../test/support/certificates.js';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { faults, servers } from '../../../../test/support/servers.js';
import kind from './step.js';

/** As Dovecot 2.3 says it. */
const greeting =
  '* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS LOGINDISABLED] Dovecot (Debian) ready.\r\n';
const before =
  '* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS LOGINDISABLED\r\ncap OK Pre-login capabilities listed, post-login capabilities have more.\r\n';
const after =
  '* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN\r\ncap OK Pre-login capabilities listed, post-login capabilities have more.\r\n';

describeWith('check.imap', ['openssl'], () => {
  const local = servers();
  const secure = createSecureServer({});
  let certificate: TestCertificate;
  let ca: string;

  beforeAll(async () => {
    certificate = makeCertificate();
    ca = certificate.certFile;
    secure.setSecureContext(certificate);
    secure.on('tlsClientError', () => {});
    secure.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      socket.write(greeting);
      socket.on('data', () => socket.write(after));
    });
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
  });

  afterAll(async () => {
    secure.close();
    await local.stop();
    certificate.remove();
  });

  /** Speaks STARTTLS for real. */
  const starttls = (socket: Socket) => {
    socket.write(greeting);
    socket.on('data', function answer(line: Buffer) {
      if (!line.toString().startsWith('sta ')) return void socket.write(before);
      socket.write('sta OK Begin TLS negotiation now.\r\n');
      socket.off('data', answer);
      const { cert, key } = certificate;
      const secured = new TLSSocket(socket, { isServer: true, cert, key });
      secured.on('error', () => {});
      secured.on('data', () => secured.write(after));
    });
  };
  const talk = (answers: Readonly<Record<string, string>>) =>
    local.listen((socket) => {
      socket.write(answers.hello ?? greeting);
      socket.on('data', (line) => socket.write(answers[line.toString().slice(0, 3)] ?? ''));
    });

  it('starts TLS in the connection', async () => {
    const port = await local.listen(starttls);

    expect(
      await look(kind, { port, ca, greeting: 'Dovecot', capabilities: ['imap4rev1', 'AUTH=PLAIN'] }),
    ).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/answers in .*, certificate expires in .* d, TLSv1\.3$/),
    });
    expect(await look(kind, { port })).toMatchObject({ outcome: 'failed', reason: 'self-signed' });
    // What is offered before TLS does not count after it.
    expect(await look(kind, { port, ca, capabilities: ['LOGINDISABLED'] })).toMatchObject({ reason: 'no-capability' });
  });

  it('speaks TLS from the beginning', async () => {
    const { port } = secure.address() as AddressInfo;

    expect(await look(kind, { port, ca, tls: 'implicit' })).toMatchObject({ outcome: 'ok' });
    expect(await look(kind, { port, ca, tls: 'implicit', servername: 'mx.test' })).toMatchObject({
      reason: 'wrong-name',
    });
  });

  it('goes without TLS when told so, and not otherwise', async () => {
    const port = await talk({ cap: after });

    expect((await look(kind, { port, tls: 'none' })).outcome).toBe('ok');
    expect(await look(kind, { port })).toMatchObject({ outcome: 'failed', reason: 'no-starttls' });
  });

  it.each([
    ['says good-bye', { hello: '* BYE Too many connections\r\n' }, 'imap-refused'],
    ['says good-bye later', { cap: '* BYE Internal error\r\n' }, 'imap-refused'],
    ['knows no command', { cap: 'cap BAD what?\r\n' }, 'imap-refused'],
    ['has no capabilities', { cap: 'cap OK done\r\n' }, 'protocol-error'],
    ['refuses TLS', { cap: before, sta: 'sta NO not now\r\n' }, 'imap-refused'],
    ['injects words before TLS', { cap: before, sta: 'sta OK go\r\n* CAPABILITY EVIL\r\n' }, 'protocol-error'],
    ['answers another command', { cap: 'xyz OK\r\n' }, 'protocol-error'],
    ['never ends its answer', { cap: '* X\r\n'.repeat(500) }, 'protocol-error'],
  ])('fails for a server that %s', async (_, answers, reason) => {
    expect(await look(kind, { port: await talk(answers), ca, deadline: '500ms' })).toMatchObject({
      outcome: 'failed',
      reason,
    });
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const port = await local.listen(faults[fault] as never);

    for (const tls of ['starttls', 'implicit', 'none'])
      expect((await look(kind, { port, tls, deadline: '300ms' })).outcome).toBe('failed');
  });
});
