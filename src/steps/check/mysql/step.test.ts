import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
import kind from './step.js';

describeWith('check.mysql', ['mariadbd', 'openssl', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-mysql-'));
  const local = servers();
  let certificate: TestCertificate;
  let ca: string;
  let port: number;
  let replica: number;
  let primaryPid: number;

  const sql = (name: string, text: string, ...options: readonly string[]) =>
    execFileSync('mariadb', ['--no-defaults', ...options, '-uroot', '-S', join(folder, `${name}.sock`), '-BNe', text], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();

  async function startMaria(name: string, id: number): Promise<[port: number, pid: number]> {
    const free = await local.freePort();
    const started = await local.start(
      'mariadbd',
      [
        '--no-defaults',
        '--user=mysql',
        `--datadir=${join(folder, name)}`,
        `--socket=${join(folder, `${name}.sock`)}`,
        `--pid-file=${join(folder, `${name}.pid`)}`,
        `--port=${free}`,
        '--bind-address=127.0.0.1',
        `--server-id=${id}`,
        '--log-bin=changes',
        '--max-connections=20',
        '--innodb-buffer-pool-size=16M',
        '--innodb-flush-method=nosync',
        '--loose-feedback=off',
        '--plugin-load-add=auth_ed25519',
        `--ssl-cert=${join(folder, 'cert.pem')}`,
        `--ssl-key=${join(folder, 'key.pem')}`,
      ],
      free,
    );
    return [free, started];
  }

  beforeAll(async () => {
    certificate = makeCertificate();
    ca = certificate.certFile;
    cpSync(certificate.certFile, join(folder, 'cert.pem'));
    cpSync(certificate.keyFile, join(folder, 'key.pem'));
    for (const name of ['primary', 'second']) {
      mkdirSync(join(folder, name));
      execFileSync('chown', ['-R', 'mysql', folder]);
      const datadir = join(folder, name);
      const options = ['--user=mysql', '--skip-test-db', '--auth-root-authentication-method=normal'];
      execFileSync('mariadb-install-db', ['--no-defaults', `--datadir=${datadir}`, `--tmpdir=${datadir}`, ...options], {
        stdio: 'pipe',
      });
    }
    [port, primaryPid] = await startMaria('primary', 1);
    [replica] = await startMaria('second', 2);
    sql(
      'primary',
      `CREATE USER monitor@'%' IDENTIFIED BY 'hunter2'; GRANT REPLICA MONITOR ON *.* TO monitor@'%';
       CREATE USER plain@'%' IDENTIFIED BY 'hunter2'; CREATE USER open@'%';
       CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('hunter2');
       CREATE USER few@'%' IDENTIFIED BY 'hunter2' WITH MAX_USER_CONNECTIONS 1;
       CREATE USER strict@'%' IDENTIFIED BY 'hunter2' REQUIRE SSL;
       CREATE USER writer@'%' IDENTIFIED BY 'hunter2'; GRANT ALL ON *.* TO writer@'%';
       CREATE USER copy@'%' IDENTIFIED BY 'hunter2'; GRANT REPLICATION SLAVE ON *.* TO copy@'%';
       CREATE DATABASE shop; USE shop; CREATE TABLE jobs (state VARCHAR(20), size INT); GRANT SELECT ON shop.jobs TO monitor@'%';
       INSERT INTO jobs VALUES ('done', 1), ('done', 2), ('failed', 3), ('failed', 4), ('failed', NULL);
       CREATE SEQUENCE numbers; CREATE TABLE hidden (secret INT)`,
    );
    sql(
      'primary',
      'CREATE FUNCTION shop.change_it() RETURNS INT DETERMINISTIC BEGIN DELETE FROM shop.jobs; RETURN 1; END',
      '--delimiter=//',
    );
    sql(
      'second',
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${port}, MASTER_USER='copy', MASTER_PASSWORD='hunter2',
       MASTER_LOG_FILE='changes.000001', MASTER_LOG_POS=4, MASTER_CONNECT_RETRY=1; START SLAVE; SET GLOBAL read_only = 1`,
    );
    await eventually({ port: replica }, ({ outcome }) => outcome === 'ok');
  });

  afterAll(async () => {
    await local.stop();
    certificate.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const password = new Secret('env:P', 'hunter2');
  const ask = (given: object = {}) => look(kind, { port, user: 'monitor', password, ca, ...given });

  async function eventually(given: object, is: (answer: Awaited<ReturnType<typeof ask>>) => boolean) {
    for (let tries = 0; tries < 100; tries += 1) {
      const answer = await ask(given);
      if (is(answer)) return answer;
      await sleep(100);
    }
    return await ask(given);
  }

  it('logs in to a real server and tells its state', async () => {
    const inside = await ask({ role: 'primary', 'read-only': false });

    expect(inside).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/ is a primary, uses [\d.]+ % of 20 connections, answers in [\d.]+ m?s$/),
      metrics: [{ name: 'connections', unit: 'ratio' }, { name: 'time' }],
    });
    expect(inside.data.look?.state.version).toMatch(/MariaDB/);
    expect(JSON.stringify(inside)).not.toContain('hunter2');
  });

  it.each([
    ['a login without TLS', { tls: false }, 'ok', 'ok'],
    ['no password where none is needed', { user: 'open', password: undefined }, 'ok', 'ok'],
    ['no password where one is needed', { password: undefined }, 'unknown', 'auth-required'],
    ['a wrong password', { password: 'wrong' }, 'unknown', 'auth-failed'],
    ['an unknown user', { user: 'nobody' }, 'unknown', 'auth-failed'],
    ['a login that is not spoken here', { user: 'ed' }, 'unknown', 'auth-required'],
    ['a user who must use TLS', { user: 'strict', tls: false }, 'unknown', 'auth-failed'],
    ['a user who uses TLS', { user: 'strict' }, 'ok', 'ok'],
    ['an unknown database', { user: 'writer', database: 'nothing' }, 'failed', 'no-database'],
    ['a forbidden database', { user: 'plain', database: 'shop' }, 'unknown', 'no-permission'],
    ['an authority that is not known', { ca: undefined }, 'failed', 'self-signed'],
    ['a certificate of another', { servername: 'x.test' }, 'failed', 'wrong-name'],
    ['the other role', { role: 'replica' }, 'failed', 'role'],
    ['a role that may not be seen', { user: 'plain', role: 'primary' }, 'unknown', 'no-permission'],
    ['a lag that may not be seen', { user: 'plain', 'lag-critical': 60 }, 'unknown', 'no-permission'],
    ['a user without any right', { user: 'plain' }, 'ok', 'ok'],
    ['a server that lets users write', { 'read-only': true }, 'failed', 'read-only'],
    ['too many connections', { 'connections-critical': '0.1%' }, 'failed', 'above-critical'],
    ['many connections', { 'connections-warning': '0.1%' }, 'warning', 'above-warning'],
    ['a slow answer', { critical: '@0:60s' }, 'failed', 'inside-critical'],
  ])('judges %s', async (_, given, outcome, reason) => {
    expect(await ask(given)).toMatchObject({ outcome, reason });
  });

  it.each([
    ['a number', "SELECT count(*) FROM shop.jobs WHERE state = 'failed'", { 'query-critical': 10 }, 'ok', 'gives 3,'],
    ['too high a number', 'SELECT count(*) FROM shop.jobs', { 'query-critical': 4 }, 'failed', 'gives 5, limit 4'],
    [
      'a number per row',
      'SELECT count(*), state FROM shop.jobs GROUP BY state',
      { 'query-warning': 2 },
      'warning',
      'failed is 3, limit 2',
    ],
    [
      'rows without a name',
      'SELECT size FROM shop.jobs',
      { 'query-warning': 9 },
      'unknown',
      'gives 5 rows without a name',
    ],
    ['NULL', 'SELECT max(size) FROM shop.jobs WHERE size > 9', { 'query-warning': 9 }, 'unknown', 'gives NULL'],
    ['a text', 'SELECT state FROM shop.jobs LIMIT 1', { 'query-warning': 9 }, 'unknown', '"done", not a number'],
    ['no rows', 'SELECT 1 FROM shop.jobs WHERE size > 9', { 'query-warning': 9 }, 'unknown', 'finds no rows'],
    ['no rows where that is well', 'SELECT 1 FROM shop.jobs WHERE size > 9', { empty: 'ok' }, 'ok', 'finds no rows'],
    ['the wanted text', 'SELECT state FROM shop.jobs LIMIT 1', { equals: 'done' }, 'ok', 'gives done'],
    ['another text', 'SELECT state FROM shop.jobs LIMIT 1', { equals: 'open' }, 'failed', '"done", should be open'],
    ['the wanted truth', 'SELECT count(*) = 5 FROM shop.jobs', { equals: true }, 'ok', 'gives true'],
    [
      'bytes',
      'SELECT sum(size), state FROM shop.jobs GROUP BY 2',
      { 'query-unit': 'KiB', 'query-critical': '5' },
      'failed',
      'failed is 7 KiB, limit 5 KiB',
    ],
    ['words of the server', "SHOW GLOBAL STATUS LIKE 'Uptime'", { equals: 'Uptime' }, 'ok', 'gives Uptime'],
    [
      'too much',
      "SELECT seq, repeat('x', 9000) FROM seq_1_to_900",
      { 'query-critical': 9000 },
      'unknown',
      'gives more than is read',
    ],
    [
      'too many rows',
      'SELECT seq, seq FROM seq_1_to_2000',
      { 'query-critical': 9000 },
      'unknown',
      'more than 1000 rows',
    ],
    ['many rows', 'SELECT seq, seq FROM seq_1_to_900', { 'query-critical': 9000 }, 'ok', 'gives 900 rows, 1 to 900'],
  ])('judges a query that gives %s', async (_, query, given, outcome, text) => {
    expect(await ask({ user: 'writer', database: 'shop', query, ...given })).toMatchObject({
      outcome,
      summary: expect.stringContaining(text),
    });
  });

  it('gives a metric for each row', async () => {
    const query = 'SELECT count(*), state FROM shop.jobs GROUP BY state';
    const { metrics } = await ask({ query, 'query-critical': 10 });

    expect(metrics?.slice(2)).toEqual([
      { name: 'value{done}', value: 2, unit: 'count', critical: '10' },
      { name: 'value{failed}', value: 3, unit: 'count', critical: '10' },
    ]);
  });

  it.each([
    ['changes rows through a function', 'SELECT shop.change_it()', '1792'],
    ['counts a sequence on', 'SELECT NEXT VALUE FOR shop.numbers', '1792'],
    ['is two', 'SELECT 1; DELETE FROM shop.jobs', '1064'],
    ['begins with a change', 'DELETE FROM shop.jobs', 'only reads'],
    ['hides the change behind a comment', '/* SELECT */ DELETE FROM shop.jobs', 'only reads'],
    ['writes a file', "SELECT 'x' INTO OUTFILE '/tmp/opsctl-never'", 'only reads'],
    ['is misspelt', 'SELECT hunter2 FROM FROM', '1064'],
    ['names no table', 'SELECT 1 FROM shop.hunter2', '1146'],
    ['may not be asked', 'SELECT 1 FROM mysql.global_priv', 'may not read', 'monitor'],
  ])('does not carry out a query that %s, and does not repeat it', async (_, query, text, user = 'writer') => {
    const { outcome, reason, summary } = await ask({ user, query, 'query-critical': 1 });

    expect({ outcome, reason }).toEqual({ outcome: 'unknown', reason: 'query-refused' });
    expect(summary).toContain(text);
    expect(summary).not.toContain('hunter2');
    expect(sql('primary', 'SELECT count(*) FROM shop.jobs')).toBe('5');
  });

  it('lets the server end a query that takes too long', async () => {
    const query = 'SELECT count(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b';

    expect(await ask({ user: 'writer', database: 'shop', query, 'query-critical': 1, deadline: '1s' })).toMatchObject({
      outcome: 'unknown',
      reason: 'query-timeout',
    });
    expect(
      sql('primary', "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%seq_1_to_1000000 a%'"),
    ).toBe('1');
  });

  it('fails when there is no TLS, no connection left, and no server', async () => {
    const busy = await Promise.all(
      Array.from({ length: 6 }, () => ask({ user: 'few', query: 'SELECT sleep(1)', empty: 'ok' })),
    );

    expect(busy.map(({ outcome, reason }) => `${outcome} ${reason}`)).toContain('failed too-many-connections');
    sql('primary', 'SET GLOBAL max_connections = 10');
    const many = await Promise.all(
      Array.from({ length: 14 }, () => ask({ query: 'SELECT sleep(1)', empty: 'ok', 'connections-critical': '200%' })),
    );
    sql('primary', 'SET GLOBAL max_connections = 20');
    expect(many.map(({ outcome, reason }) => `${outcome} ${reason}`)).toContain('failed too-many-connections');
    expect(await ask({ port: await local.freePort() })).toMatchObject({ outcome: 'failed', reason: 'connect-refused' });
  });

  /** A packet of a server. */
  const packet = (number: number, body: string) => {
    const bytes = Buffer.from(`\0\0\0\0${body}`, 'latin1');
    bytes.writeUIntLE(bytes.length - 4, 0, 3);
    bytes[3] = number;
    return bytes;
  };
  const greeting = (flags = 0xffff, plugin = 'mysql_native_password') => {
    const low = String.fromCharCode(flags & 255, flags >> 8);
    return packet(
      0,
      `\x0a8.4.0\0\x01\0\0\0abcdefgh\0${low}\xff\x02\0\xff\xdf\x15${'\0'.repeat(10)}ijklmnopqrst\0${plugin}\0`,
    );
  };

  it.each([
    ['does not speak TLS', true, [greeting(0xf7ff)], 'no-tls'],
    ['talks on in the clear', true, [Buffer.concat([greeting(), packet(1, '\0\0\0\x02\0\0\0')])], 'protocol-error'],
    ['is full', true, [packet(0, '\xff\x10\x04Too many connections')], 'too-many-connections'],
    [
      'does not like our address',
      true,
      [packet(0, "\xff\x6a\x04Host 'web1' is not allowed to connect")],
      'host-refused',
    ],
    ['lies about a length', false, [Buffer.from('ffffff000a', 'hex')], 'protocol-error'],
    ['counts wrong', false, [greeting(), packet(7, '\0\0\0\x02\0\0\0')], 'protocol-error'],
    ['sends half a packet', false, [greeting().subarray(0, 20)], 'timeout'],
    ['wants the password in the clear', false, [greeting(), packet(2, '\xfemysql_clear_password\0')], 'insecure-login'],
    [
      'gives a key of its own',
      false,
      [
        greeting(),
        packet(2, '\xfecaching_sha2_password\0abcdefghijklmnopqrst\0'),
        packet(4, '\x01\x04'),
        packet(6, '\x01-----BEGIN PUBLIC KEY-----'),
      ],
      'insecure-login',
    ],
    [
      'gives an old key of its own',
      false,
      [
        greeting(),
        packet(2, '\xfesha256_password\0abcdefghijklmnopqrst\0'),
        packet(4, '\x01-----BEGIN PUBLIC KEY-----'),
      ],
      'insecure-login',
    ],
    [
      'wants a file',
      false,
      [greeting(), packet(2, '\0\0\0\x02\0\0\0'), packet(1, '\xfb/etc/passwd'), packet(3, '\0\0\0\x02\0\0\0')],
      'protocol-error',
    ],
    [
      'gives no state',
      false,
      [greeting(), packet(2, '\0\0\0\x02\0\0\0'), packet(1, '\0\0\0\x02\0\0\0'), packet(1, '\0\0\0\x02\0\0\0')],
      'protocol-error',
    ],
    ['leaves', false, [greeting(), packet(2, '\xff\x1d\x04Server shutdown in progress')], 'not-ready'],
  ])('is not content with a server that %s', async (_, tls, packets, reason) => {
    const told: Buffer[] = [];
    const server = await local.listen((socket) => {
      const rest = [...packets];
      const next = () => {
        const one = rest.shift();
        if (one) socket.write(one);
      };
      next();
      socket.on('data', (data) => {
        told.push(data);
        next();
      });
    });
    const judgement = await ask({ port: server, tls, deadline: '600ms' });

    expect(judgement.outcome).not.toBe('ok');
    expect(judgement.reason).toBe(reason);
    expect(Buffer.concat(told).toString('latin1')).not.toMatch(/hunter2|root:/);
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const server = await local.listen(faults[fault] as never);

    for (const tls of [true, false])
      expect((await ask({ port: server, tls, deadline: '300ms' })).outcome).toBe('failed');
  });

  it('judges a replica, one that has stopped, and one that has lost its primary', async () => {
    const limits = { port: replica, role: 'replica', 'read-only': true, 'lag-critical': '60s' };

    expect(await ask(limits)).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/is a read-only replica, .*, is 0 s behind, answers in/),
      metrics: [{ name: 'connections' }, { name: 'lag', value: 0, unit: 'seconds' }, { name: 'time' }],
    });
    expect(await ask({ ...limits, role: 'primary' })).toMatchObject({ outcome: 'failed', reason: 'role' });

    sql('second', 'STOP SLAVE SQL_THREAD');
    expect(await ask(limits)).toMatchObject({ outcome: 'failed', reason: 'replication' });
    sql('second', 'START SLAVE SQL_THREAD; STOP SLAVE IO_THREAD');
    expect(await ask({ port: replica })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringContaining('has stopped to fetch the changes'),
    });
    sql('second', 'START SLAVE; SET SQL_LOG_BIN = 0; DROP DATABASE shop');
    sql('primary', 'INSERT INTO shop.jobs VALUES ("hunter2", 1)');
    const broken = await eventually({ port: replica }, ({ summary }) => summary.includes('(error 1'));
    expect(broken.summary).toMatch(/has stopped to make the changes \(error 1\d+\)/);
    expect(broken.summary).not.toContain('hunter2');

    const table = 'CREATE DATABASE shop; CREATE TABLE shop.jobs (state VARCHAR(20), size INT)';
    sql('second', `STOP SLAVE; SET SQL_LOG_BIN = 0; ${table}; START SLAVE`);
    expect(await eventually(limits, ({ outcome }) => outcome === 'ok')).toMatchObject({ outcome: 'ok' });
    process.kill(primaryPid, 'SIGTERM');
    const alone = await eventually({ port: replica }, ({ summary }) => summary.includes('lost its primary'));
    expect(alone).toMatchObject({
      outcome: 'failed',
      summary: expect.stringMatching(/has lost its primary.* \(error/),
    });
  });

  it('stops when the step is stopped', async () => {
    const mute = await local.listen(() => {});

    await expect(look(kind, { port: mute, user: 'a' }, AbortSignal.timeout(100))).rejects.toThrow();
  });

  it.each([
    [{ 'lag-critical': 'x' }, 'lag-critical'],
    [{ 'query-critical': 1 }, 'query-critical'],
    [{ query: 'DELETE FROM jobs', 'query-critical': 1 }, 'query'],
    [{ query: 'SELECT 1' }, 'query'],
    [{ query: 'SELECT 1', equals: 1, 'query-warning': 2 }, 'equals'],
  ])('refuses %j', (given, path) => {
    expect(kind.validate?.(withDefaults(kind, { user: 'a', ...given }))).toMatchObject([{ path: [path] }]);
  });
});
