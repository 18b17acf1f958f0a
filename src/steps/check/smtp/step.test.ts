import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../../test/support/certificates.js';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import kind from './step.js';

describeWith('check.smtp', ['aiosmtpd', 'openssl'], () => {
  const local = servers();
  let certificate: TestCertificate;
  let ca: string;
  const ports = { starttls: 0, implicit: 0, none: 0 };

  async function startMail(...args: string[]): Promise<number> {
    const port = await local.freePort();
    await local.start('aiosmtpd', ['-n', '-l', `127.0.0.1:${port}`, ...args], port);
    return port;
  }

  beforeAll(async () => {
    certificate = makeCertificate();
    const { certFile, keyFile } = certificate;
    ca = certFile;
    ports.none = await startMail();
    ports.starttls = await startMail('--tlscert', certFile, '--tlskey', keyFile);
    ports.implicit = await startMail('--smtpscert', certFile, '--smtpskey', keyFile);
  });

  afterAll(async () => {
    await local.stop();
    certificate.remove();
  });

  /** A server that answers each line with the words that belong to it, as captured from a real one. */
  const talk = (answers: Readonly<Record<string, string>>) =>
    local.listen((socket) => {
      socket.write(answers.hello ?? '220 www.test ESMTP Postfix (Debian/GNU)\r\n');
      socket.on('data', (line) => socket.write(answers[line.toString().slice(0, 4)] ?? ''));
    });

  it.each(['starttls', 'implicit', 'none'] as const)('talks with a real server, tls: %s', async (tls) => {
    const { outcome, summary, metrics, data } = await look(kind, {
      port: ports[tls],
      tls,
      ca,
      capabilities: ['8bitmime'],
    });

    expect({ outcome, summary }).toEqual({
      outcome: 'ok',
      summary: expect.stringMatching(
        tls === 'none' ? /answers in [\d.]+ m?s$/ : /certificate expires in .* d, TLSv1\.3$/,
      ),
    });
    expect(metrics?.map(({ name }) => name)).toEqual(tls === 'none' ? ['time'] : ['time', 'certificate']);
    expect(data.greeting).toContain('SMTP');
  });

  it('judges greeting, extensions and time', async () => {
    const given = { port: ports.starttls, ca };

    expect((await look(kind, { ...given, greeting: 'SMTP' })).outcome).toBe('ok');
    expect(await look(kind, { ...given, greeting: 'Exim' })).toMatchObject({ outcome: 'failed', reason: 'no-match' });
    expect(await look(kind, { ...given, 'greeting-lacks': 'SMTP' })).toMatchObject({ reason: 'match' });
    expect(await look(kind, { ...given, capabilities: ['DSN'] })).toMatchObject({
      outcome: 'failed',
      reason: 'no-capability',
      summary: expect.stringContaining('does not offer DSN'),
    });
    expect(await look(kind, { ...given, critical: '@0:60s' })).toMatchObject({ outcome: 'failed' });
    expect(await look(kind, { ...given, warning: '@0:60s' })).toMatchObject({ outcome: 'warning' });
  });

  it('judges the certificate', async () => {
    const { starttls: port } = ports;

    expect(await look(kind, { port })).toMatchObject({ outcome: 'failed', reason: 'self-signed' });
    expect(await look(kind, { port, ca, servername: 'mx.test' })).toMatchObject({ reason: 'wrong-name' });
    expect(await look(kind, { port, ca, 'certificate-critical': '91d:' })).toMatchObject({ outcome: 'failed' });
    expect(await look(kind, { port, ca, 'certificate-warning': 91 })).toMatchObject({ outcome: 'ok' });
    expect(await look(kind, { port, ca, 'certificate-warning': '91:' })).toMatchObject({ outcome: 'warning' });
    expect(kind.validate?.(withDefaults(kind, { 'certificate-warning': 30 }))).toHaveLength(1);
  });

  it('wants STARTTLS unless it is told otherwise', async () => {
    expect(await look(kind, { port: ports.none })).toMatchObject({ outcome: 'failed', reason: 'no-starttls' });
    expect(await look(kind, { port: ports.none, tls: 'implicit' })).toMatchObject({ outcome: 'failed' });
    expect(await look(kind, { port: ports.implicit, tls: 'none', deadline: '500ms' })).toMatchObject({
      outcome: 'failed',
    });
  });

  it('reads extensions with arguments', async () => {
    const port = await talk({ EHLO: '250-www.test\r\n250-AUTH LOGIN PLAIN\r\n250 SIZE 10240000\r\n' });

    expect((await look(kind, { port, tls: 'none', capabilities: ['AUTH PLAIN', 'SIZE'] })).outcome).toBe('ok');
    expect((await look(kind, { port, tls: 'none', capabilities: ['AUTH CRAM-MD5'] })).outcome).toBe('failed');
  });

  it.each([
    ['is too busy', { hello: '421 4.3.2 All server ports are busy\r\n' }, 'smtp-refused', 'says 421 4.3.2 All server'],
    [
      'serves nobody',
      { hello: '554-No SMTP\r\n554 service here\r\n' },
      'smtp-refused',
      'says 554 No SMTP service here',
    ],
    ['refuses the name', { EHLO: '550 need a better name\r\n' }, 'smtp-refused', 'says 550'],
    ['refuses TLS', { EHLO: '250-a\r\n250 STARTTLS\r\n', STAR: '454 TLS not available\r\n' }, 'smtp-refused', '454'],
    ['mixes codes', { EHLO: '250-a\r\n550 b\r\n' }, 'protocol-error', 'two codes'],
    [
      'injects words before TLS',
      { EHLO: '250-a\r\n250 STARTTLS\r\n', STAR: '220 go\r\n250 evil\r\n' },
      'protocol-error',
      'in the clear',
    ],
    [
      'goes on in the clear',
      { EHLO: '250-a\r\n250 STARTTLS\r\n', STAR: '220 go\r\n', '\u0016\u0003\u0001': '' },
      'timeout',
      '',
    ],
    ['never ends its reply', { EHLO: '250-a\r\n'.repeat(300) }, 'protocol-error', 'more than 200 lines'],
    ['has an endless line', { EHLO: `250-${'a'.repeat(9_000)}` }, 'protocol-error', 'not a line'],
  ])('fails for a server that %s', async (_, answers, reason, text) => {
    expect(await look(kind, { port: await talk(answers), ca, deadline: '500ms' })).toMatchObject({
      outcome: 'failed',
      reason,
      summary: expect.stringContaining(text),
    });
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const port = await local.listen(faults[fault] as never);

    for (const tls of ['starttls', 'implicit', 'none'])
      expect((await look(kind, { port, tls, deadline: '300ms' })).outcome).toBe('failed');
  });

  it('stops when the step is stopped, in TLS too', async () => {
    const port = await local.listen(() => {});

    await expect(look(kind, { port }, AbortSignal.timeout(100))).rejects.toThrow();
    await expect(look(kind, { port, tls: 'implicit' }, AbortSignal.timeout(100))).rejects.toThrow();
  });
});
