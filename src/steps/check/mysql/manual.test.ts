import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../../test/support/certificates.js';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { servers } from '../../../../test/support/servers.js';
import { Secret } from '../../../secrets/secret.js';
import kind from './step.js';

/** A server as the manual of MySQL 8.4 describes it: its login, and its words for replication. */
describeWith('check.mysql with the words of MySQL', ['openssl'], () => {
  const local = servers();
  const nonce = 'abcdefghijklmnopqrst';
  let certificate: TestCertificate;

  beforeAll(() => {
    certificate = makeCertificate();
  });

  afterAll(async () => {
    await local.stop();
    certificate.remove();
  });

  const packet = (number: number, ...parts: readonly (string | Buffer)[]) => {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1')));
    const head = Buffer.alloc(4);
    head.writeUIntLE(body.length, 0, 3);
    head[3] = number;
    return Buffer.concat([head, body]);
  };
  const done = (number: number) => packet(number, '\0\0\0\x02\0\0\0');
  const text = (value: string | null) => (value === null ? '\xfb' : String.fromCharCode(value.length) + value);
  const table = (row: Readonly<Record<string, string | null>>) => {
    const names = Object.keys(row);
    const columns = names.map((name, index) =>
      packet(2 + index, `\x03def\0\0\0${text(name)}${text(name)}\x0c\x2d\0\xff\0\0\0\xfd\0\0\0\0\0`),
    );
    const after = names.length + 2;
    const rows = packet(after + 1, Object.values(row).map(text).join(''));
    const end = '\xfe\0\0\x02\0';
    return Buffer.concat([
      packet(1, String.fromCharCode(names.length)),
      ...columns,
      packet(after, end),
      rows,
      packet(after + 2, end),
    ]);
  };
  const sha = (...parts: readonly (string | Buffer)[]) => {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  /** What the client shows to know the password, without telling it. */
  const token = (password: string) => {
    const mask = sha(sha(sha(password)), nonce);
    return Buffer.from(sha(password).map((byte, index) => byte ^ (mask[index] ?? 0)));
  };

  const answers: readonly (readonly [begin: string, answer: Buffer])[] = [
    ['SELECT VERSION()', table({ version: '8.4.3', max: '151', only: '1' })],
    ['SHOW GLOBAL STATUS', table({ Variable_name: 'Threads_connected', Value: '3' })],
    [
      'SHOW REPLICA STATUS',
      table({
        Replica_IO_Running: 'Yes',
        Replica_SQL_Running: 'Yes',
        Last_Errno: '0',
        Seconds_Behind_Source: '7',
        Last_IO_Errno: '0',
        Last_SQL_Errno: '0',
        Channel_Name: 'main',
      }),
    ],
    ['SET SESSION max_execution_time = ', done(1)],
    ['SET SESSION sql_select_limit = 1001', done(1)],
    ['START TRANSACTION READ ONLY', done(1)],
    ['SELECT 5', table({ value: '5' })],
    ['ROLLBACK', done(1)],
  ];

  /** Says in the clear what is said before TLS; `known` is a password that the server has in its cache. */
  async function start(known: boolean, asked: string[]): Promise<number> {
    return await local.listen((socket) => {
      const flags = '\xff\xff\x2d\x02\0\xff\xde\x15';
      socket.write(
        packet(0, `\x0a8.4.3\0\x01\0\0\0abcdefgh\0${flags}${'\0'.repeat(10)}ijklmnopqrst\0caching_sha2_password\0`),
      );
      socket.once('data', (request) => {
        // The first words of TLS may have come with it.
        socket.pause();
        socket.unshift(request.subarray(36));
        const { cert, key } = certificate;
        const secured: Duplex = new TLSSocket(socket, { isServer: true, cert, key });
        secured.on('error', () => {});
        secured.on('data', (message: Buffer) => {
          const number = message[3] ?? 0;
          const body = message.subarray(4);
          if (number === 2) secured.write(packet(3, `\xfecaching_sha2_password\0${nonce}\0`));
          else if (number === 4 && !body.equals(token('hunter2')))
            secured.write(packet(5, "\xff\x15\x04#28000Access denied for user 'monitor'"));
          else if (number === 4 && known) secured.write(Buffer.concat([packet(5, '\x01\x03'), done(6)]));
          else if (number === 4) secured.write(packet(5, '\x01\x04'));
          else if (number === 6) secured.write(body.toString() === 'hunter2\0' ? done(7) : packet(7, '\xff\x15\x04no'));
          else if (body[0] === 3) {
            // In front of it are the numbers of query attributes, which are none.
            asked.push(body.toString('utf8', body[1] === 0 ? 3 : 1));
            const answer = answers.find(([begin]) => asked.at(-1)?.startsWith(begin));
            secured.write(answer?.[1] ?? packet(1, '\xff\x28\x04#42000You have an error'));
          }
        });
      });
    });
  }

  const ask = (port: number, given: object = {}) =>
    look(kind, { port, user: 'monitor', password: new Secret('env:P', 'hunter2'), ca: certificate.certFile, ...given });

  it.each([
    ['is in the cache of the server', true],
    ['must be told under TLS', false],
  ])('logs in with a password that %s, and reads the state', async (_, known) => {
    const asked: string[] = [];
    const port = await start(known, asked);

    expect(
      await ask(port, { role: 'replica', 'read-only': true, 'lag-warning': '5s', query: 'SELECT 5', equals: 5 }),
    ).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: expect.stringContaining('is 7 s behind main, limit 5 s'),
      metrics: [{ name: 'connections', value: 3 / 151 }, { name: 'lag{main}', value: 7 }, { name: 'time' }],
    });
    expect(asked.map((sql) => sql.replace(/\d{2,}$/, 'N'))).toEqual([
      'SELECT VERSION(), @@global.max_connections, @@global.read_only',
      "SHOW GLOBAL STATUS LIKE 'Threads_connected'",
      'SHOW REPLICA STATUS',
      'SET SESSION max_execution_time = N',
      'SET SESSION sql_select_limit = N',
      'START TRANSACTION READ ONLY',
      'SELECT 5',
      'ROLLBACK',
    ]);
  });

  it('is refused with a wrong password, and tells it to nobody that is not trusted', async () => {
    const asked: string[] = [];
    const port = await start(false, asked);

    expect(await ask(port, { password: 'wrong' })).toMatchObject({ outcome: 'unknown', reason: 'auth-failed' });
    expect(await ask(port, { ca: undefined })).toMatchObject({ outcome: 'failed', reason: 'self-signed' });
    expect(asked).toEqual([]);
  });
});
