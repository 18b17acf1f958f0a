import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { servers } from '../../../../test/support/servers.js';
import { readServer } from './ask.js';
import { decodeReply, encodeName, encodeQuestion } from './message.js';
import kind from './step.js';

const zone = (serial: number) => `
$TTL 300
@ IN SOA ns1.lab.test. admin.lab.test. ${serial} 3600 600 86400 60
@ NS ns1
@ MX 10 Mail.lab.test.
@ CAA 0 issue "letsencrypt.org"
@ TXT "v=spf1 mx " "-all"
ns1 A 127.0.0.1
mail A 192.0.2.25
www 60 A 192.0.2.10
www A 192.0.2.11
www AAAA 2001:db8::10
alias CNAME www
old DNAME new.lab.test.
sip NAPTR 10 100 "s" "SIP+D2U" "" _sip._udp.lab.test.
_ldap._tcp SRV 0 5 389 mail
mail SSHFP 4 2 ${'ab'.repeat(32)}
_443._tcp TLSA 3 1 1 ${'cd'.repeat(32)}
${Array.from({ length: 30 }, (_, index) => `big TXT "${String(index).padStart(2, '0')}${'x'.repeat(200)}"`).join('\n')}
10 PTR www.lab.test.
1.0.0.0 PTR www.lab.test.
`;

describeWith('check.dns with BIND', ['named', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-dns-'));
  const local = servers();
  let one: string;
  let other: string;

  async function startNamed(name: string, serial: number): Promise<string> {
    const port = await local.freePort();
    const zoneFile = join(folder, `${name}.zone`);
    const config = join(folder, `${name}.conf`);
    writeFileSync(zoneFile, zone(serial));
    const zones = [
      'lab.test',
      '2.0.192.in-addr.arpa',
      '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    ];
    writeFileSync(
      config,
      `options { directory "${folder}"; pid-file none; session-keyfile none; listen-on port ${port} { 127.0.0.1; };
        listen-on-v6 { none; }; recursion no; dnssec-validation no; minimal-responses yes; };
      controls { };
      ${zones.map((zoneName) => `zone "${zoneName}" { type primary; file "${zoneFile}"; check-names ignore; };`).join('\n')}\n`,
    );
    await local.start('named', ['-g', '-n', '1', '-c', config], port);
    return `127.0.0.1:${port}`;
  }

  beforeAll(async () => {
    one = await startNamed('one', 2026010201);
    other = await startNamed('other', 2026010202);
  });

  afterAll(async () => {
    await local.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (name: string, given: object = {}) => look(kind, { name, servers: [one], ...given });

  it('tells the records, the time and the smallest time to live', async () => {
    const { outcome, summary, metrics } = await ask('www.lab.test');

    expect({ outcome, summary }).toEqual({
      outcome: 'ok',
      summary: expect.stringMatching(
        /^www\.lab\.test A: 127\.0\.0\.1:\d+ says 192\.0\.2\.10, 192\.0\.2\.11 in [\d.]+ m?s$/,
      ),
    });
    expect(metrics).toMatchObject([
      { name: 'time', unit: 'seconds' },
      { name: 'ttl', value: expect.any(Number) },
    ]);
  });

  it.each([
    ['WWW.Lab.Test.', 'A', ['192.0.2.11']],
    ['www.lab.test', 'AAAA', ['2001:DB8:0:0::10']],
    ['lab.test', 'MX', ['10 mail.lab.test.']],
    ['lab.test', 'NS', ['ns1.lab.test']],
    ['lab.test', 'CAA', ['0 issue "letsencrypt.org"']],
    ['lab.test', 'TXT', ['"v=spf1 mx -all"']],
    ['lab.test', 'SOA', ['ns1.lab.test admin.lab.test 2026010201 3600 600 86400 60']],
    ['_ldap._tcp.lab.test', 'SRV', ['0 5 389 mail.lab.test']],
    ['mail.lab.test', 'SSHFP', [`4 2 ${'AB'.repeat(32)}`]],
    ['_443._tcp.lab.test', 'TLSA', [`3 1 1 ${'cd'.repeat(32)}`]],
    ['alias.lab.test', 'CNAME', ['www.lab.test']],
    ['old.lab.test', 'DNAME', ['new.lab.test']],
    ['sip.lab.test', 'NAPTR', ['10 100 "s" "SIP+D2U" "" _sip._udp.lab.test']],
    ['alias.lab.test', 'A', ['192.0.2.10']],
    ['192.0.2.10', 'PTR', ['www.lab.test']],
    ['big.lab.test', 'TXT', [`07${'x'.repeat(200)}`]],
  ])('finds %s %s', async (name, type, answers) => {
    expect(await ask(name, { type, answers })).toMatchObject({ outcome: 'ok' });
  });

  it('turns an IPv6 address round', async () => {
    const { data } = await ask('2001:db8::1', { type: 'PTR' });

    expect(data.name).toBe('1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa');
  });

  it('fails for a name or a record that is not there', async () => {
    expect(await ask('gone.lab.test')).toMatchObject({
      outcome: 'failed',
      reason: 'dns-rcode',
      summary: expect.stringContaining('answers NXDOMAIN, should be NOERROR'),
    });
    expect(await ask('mail.lab.test', { type: 'AAAA' })).toMatchObject({ outcome: 'failed', reason: 'no-records' });
    expect(await ask('www.other.test')).toMatchObject({
      outcome: 'failed',
      summary: expect.stringContaining('REFUSED'),
    });
  });

  it('can want that there is nothing', async () => {
    expect((await ask('gone.lab.test', { rcode: 'NXDOMAIN' })).outcome).toBe('ok');
    expect((await ask('www.lab.test', { rcode: 'NXDOMAIN' })).outcome).toBe('failed');
    expect((await ask('mail.lab.test', { type: 'AAAA', answers: [] })).outcome).toBe('ok');
    expect(await ask('mail.lab.test', { answers: [] })).toMatchObject({ outcome: 'failed', reason: 'extra-record' });
  });

  it('compares with the expected records', async () => {
    const answers = ['192.0.2.10'];

    expect(await ask('www.lab.test', { answers: ['192.0.2.99'] })).toMatchObject({
      outcome: 'failed',
      reason: 'missing-record',
      summary: expect.stringContaining('says 192.0.2.10, 192.0.2.11, not 192.0.2.99'),
    });
    expect(await ask('www.lab.test', { answers, exact: true })).toMatchObject({ reason: 'extra-record' });
    expect((await ask('www.lab.test', { answers: ['192.0.2.11', ...answers], exact: true })).outcome).toBe('ok');
  });

  it('compares servers with each other', async () => {
    const both = { type: 'SOA', servers: [one, other] };

    expect(await ask('lab.test', both)).toMatchObject({
      outcome: 'failed',
      reason: 'servers-differ',
      summary: expect.stringMatching(/2026010201 .* 2026010202 /),
    });
    expect((await ask('lab.test', { ...both, agree: false })).outcome).toBe('ok');
    expect((await ask('www.lab.test', { servers: [one, other] })).summary).toContain('2 servers say 192.0.2.10');
  });

  it('fails when one of several servers is down, and says which', async () => {
    const dead = `127.0.0.1:${await local.freePort()}`;

    expect(await ask('www.lab.test', { servers: [one, dead], deadline: '1s' })).toMatchObject({
      outcome: 'failed',
      reason: 'connect-refused',
      summary: expect.stringContaining(`${dead}: the connection was refused`),
    });
  });

  it('does not call an answer proven that the server has not validated', async () => {
    expect(await ask('www.lab.test', { authenticated: true })).toMatchObject({ reason: 'not-authenticated' });
  });

  it('puts limits on the time', async () => {
    expect(await ask('www.lab.test', { critical: '@0:60s' })).toMatchObject({ outcome: 'failed' });
    expect(await ask('www.lab.test', { warning: '@0:60s' })).toMatchObject({ outcome: 'warning' });
  });
});

describe('check.dns with a server that is wrong', () => {
  const sockets: Socket[] = [];
  const local = servers();

  afterAll(async () => {
    for (const socket of sockets) socket.close();
    await local.stop();
  });

  /** A server that makes its reply from the question. */
  async function serve(reply: (question: Buffer) => Buffer | undefined): Promise<string> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    socket.on('message', (question, { port, address }) => {
      const message = reply(question);
      if (message) socket.send(message, port, address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return `127.0.0.1:${socket.address().port}`;
  }

  const ask = (server: string) => look(kind, { name: 'www.lab.test', servers: [server], deadline: '600ms' });

  /** Question with the flags of an answer, and these records. */
  const answer = (question: Buffer, records: Buffer, count = 1, flags = 0x8180) => {
    const message = Buffer.concat([question.subarray(0, question.length - 11), records]);
    message.writeUInt16BE(flags, 2);
    message.writeUInt16BE(count, 6);
    message.writeUInt16BE(0, 10);
    return message;
  };
  const address = Buffer.from('c00c00010001000000050004c0000201', 'hex');

  const stranger = Buffer.concat([encodeName('evil.test'), address.subarray(2)]);
  const chaos = Buffer.from('c00c00010003000000050004c0000201', 'hex');

  it('reads a right answer', async () => {
    expect((await ask(await serve((question) => answer(question, address)))).outcome).toBe('ok');
  });

  it('asks again when a datagram is lost', async () => {
    let count = 0;
    const server = await serve((question) => (count++ === 0 ? undefined : answer(question, address)));

    expect((await look(kind, { name: 'www.lab.test', servers: [server], deadline: '3s' })).outcome).toBe('ok');
  });

  it('asks a server that knows no EDNS without it', async () => {
    const server = await serve((question) =>
      question.readUInt16BE(10) === 1
        ? answer(question, Buffer.alloc(0), 0, 0x8181)
        : answer(Buffer.concat([question, Buffer.alloc(11)]), address),
    );

    expect(await look(kind, { name: 'www.lab.test', servers: [server], answers: ['192.0.2.1'] })).toMatchObject({
      outcome: 'ok',
    });
  });

  it.each<[string, (question: Buffer) => Buffer | undefined, string]>([
    ["another name's record", (question) => answer(question, stranger), 'no-records'],
    ['a record of another class', (question) => answer(question, chaos), 'no-records'],
    ['mute', () => undefined, 'timeout'],
    ['noise', () => Buffer.alloc(300, 7), 'timeout'],
    ['an echo', (question) => question, 'timeout'],
    [
      'an answer with another number',
      (question) => Buffer.concat([Buffer.from([question.readUInt8(0) ^ 1]), answer(question, address).subarray(1)]),
      'timeout',
    ],
    [
      'an answer to another name',
      (question) => {
        const message = answer(question, address);
        message.write('xxx', 13);
        return message;
      },
      'timeout',
    ],
    ['an answer that is cut off', (question) => answer(question, address.subarray(0, 13)), 'protocol-error'],
    ['fewer records than it says', (question) => answer(question, address, 60_000), 'protocol-error'],
    [
      'a name in circles',
      (question) => answer(question, Buffer.from('c01e00010001000000050004c0000201', 'hex')),
      'protocol-error',
    ],
    [
      'an address of three bytes',
      (question) => answer(question, Buffer.from('c00c00010001000000050003c00002', 'hex')),
      'protocol-error',
    ],
    [
      'a truncated answer and no TCP',
      (question) => answer(question, address.subarray(0, 5), 1, 0x8380),
      'connect-refused',
    ],
    ['no server at all', (question) => answer(question, Buffer.alloc(0), 0, 0x8182), 'dns-rcode'],
  ])('fails for %s', async (_, reply, reason) => {
    expect(await ask(await serve(reply))).toMatchObject({ outcome: 'failed', reason });
  });

  it('survives every way to cut and to change a reply', () => {
    const question = { id: 77, name: 'www.lab.test', type: 'SOA', recursion: true } as const;
    const soa = Buffer.from(`c00c00060001000000050016c010c00c${'00000001'.repeat(5).slice(0, 36)}`, 'hex');
    const whole = answer(encodeQuestion(question), soa);
    for (let at = 0; at < whole.length; at += 1) {
      for (const value of [0, 1, 0x3f, 0x40, 0xc0, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = value;
        for (const message of [changed, changed.subarray(0, at)]) {
          try {
            decodeReply(message, question);
          } catch (error) {
            expect((error as Error).constructor.name).toBe('BadMessage');
          }
        }
      }
    }
  });

  it('stops when the step is stopped', async () => {
    const server = await serve(() => undefined);

    await expect(look(kind, { name: 'www.lab.test', servers: [server] }, AbortSignal.timeout(100))).rejects.toThrow();
  });

  it('reads servers with and without a port', () => {
    expect(['10.0.0.1', '10.0.0.1:99', '::1', '[::1]:99', 'ns1.test'].map(readServer)).toEqual([
      { address: '10.0.0.1', port: 53 },
      { address: '10.0.0.1', port: 99 },
      { address: '::1', port: 53 },
      { address: '::1', port: 99 },
      { address: 'ns1.test', port: 53 },
    ]);
  });

  it('refuses what is no name', () => {
    for (const name of ['a..b', 'x'.repeat(64), `${'a.'.repeat(140)}b`, 'a b', ''])
      expect(() => encodeName(name)).toThrow(RangeError);
    expect(encodeName('.')).toEqual(Buffer.from([0]));
    expect(encodeName('bücher.test').toString('latin1')).toContain('xn--bcher-kva');
    expect(kind.validate?.(withDefaults(kind, { name: 'a..b' }))).toMatchObject([{ path: ['name'] }]);
    expect(kind.validate?.(withDefaults(kind, { name: 'a', rcode: 'NXDOMAIN', answers: ['x'] }))).toHaveLength(1);
    expect(kind.validate?.(withDefaults(kind, { name: 'a', servers: ['1.2.3.4:0'] }))).toHaveLength(1);
  });
});
