import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../../test/support/certificates.js';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import { Secret } from '../../../secrets/secret.js';
import { beginScram } from './scram.js';
import kind from './step.js';

describeWith('check.postgres', ['pg_ctlcluster', 'openssl', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-postgres-'));
  const local = servers();
  const identity = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
  let certificate: TestCertificate;
  let ca: string;
  let programs: string;
  let port: number;
  let pid: number;

  const run = (program: string, ...args: string[]) =>
    execFileSync('setpriv', [...identity, join(programs, program), ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  const sql = (at: number, text: string) =>
    run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', folder, '-p', String(at), '-U', 'postgres', '-c', text).trim();

  async function startPostgres(data: string): Promise<[port: number, pid: number]> {
    const free = await local.freePort();
    const options = [
      `port=${free}`,
      `unix_socket_directories=${folder}`,
      'listen_addresses=127.0.0.1',
      'fsync=off',
      'max_connections=20',
      'max_prepared_transactions=2',
    ];
    const args = [...identity, join(programs, 'postgres'), '-D', data, ...options.flatMap((option) => ['-c', option])];
    const started = await local.start('setpriv', args, async () => {
      const { reason } = await look(kind, { port: free, tls: false, user: 'trusted' });
      return !['connect-refused', 'not-ready'].includes(reason);
    });
    return [free, started];
  }

  beforeAll(async () => {
    const [newest] = readdirSync('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
    programs = `/usr/lib/postgresql/${newest}/bin`;
    certificate = makeCertificate();
    ca = certificate.certFile;
    execFileSync('chown', ['postgres', folder]);
    const data = join(folder, 'primary');
    run('initdb', '-D', data, '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale', 'C');
    copyFileSync(certificate.keyFile, join(data, 'server.key'));
    copyFileSync(certificate.certFile, join(data, 'server.crt'));
    execFileSync('chown', ['postgres', join(data, 'server.key'), join(data, 'server.crt')]);
    execFileSync('chmod', ['600', join(data, 'server.key')]);
    writeFileSync(
      join(data, 'pg_hba.conf'),
      `local all all trust\nhost all trusted 127.0.0.1/32 trust\nlocal replication all trust\nhost replication trusted 127.0.0.1/32 trust
host all plain 127.0.0.1/32 password\nhost all old 127.0.0.1/32 md5\nhost all monitor,watcher,owner 127.0.0.1/32 scram-sha-256\n`,
    );
    writeFileSync(join(data, 'postgresql.auto.conf'), "ssl = on\narchive_mode = on\narchive_command = 'true'\n");
    [port, pid] = await startPostgres(data);
    sql(port, "CREATE ROLE monitor LOGIN PASSWORD 'hunter2'");
    sql(port, "CREATE ROLE plain LOGIN PASSWORD 'hunter2'");
    sql(port, "CREATE ROLE watcher LOGIN PASSWORD 'hunter2' IN ROLE pg_monitor");
    sql(port, "CREATE ROLE owner LOGIN SUPERUSER PASSWORD 'hunter2'");
    sql(port, 'CREATE ROLE trusted LOGIN REPLICATION');
    sql(port, "SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'hunter2'");
  });

  afterAll(async () => {
    await local.stop();
    certificate.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const password = new Secret('env:P', 'hunter2');
  const ask = (given: object = {}) => look(kind, { port, user: 'monitor', password, ca, ...given });

  it('logs in to a real server and tells its state', async () => {
    const inside = await ask({ role: 'primary' });

    expect(inside).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/ is a primary, uses [\d.]+ % of 20 connections, answers in [\d.]+ m?s$/),
      metrics: [{ name: 'connections', unit: 'ratio' }, { name: 'time' }],
    });
    expect(JSON.stringify(inside)).not.toContain('hunter2');
  });

  it.each([
    ['SCRAM without TLS', { tls: false }, 'ok', 'ok'],
    ['MD5', { user: 'old', tls: false }, 'ok', 'ok'],
    ['a plain password under TLS', { user: 'plain' }, 'ok', 'ok'],
    ['a plain password without TLS', { user: 'plain', tls: false }, 'unknown', 'insecure-login'],
    ['no password where none is needed', { user: 'trusted', password: undefined }, 'ok', 'ok'],
    ['no password where one is needed', { password: undefined }, 'unknown', 'auth-required'],
    ['a wrong password', { password: 'wrong' }, 'unknown', 'auth-failed'],
    ['an unknown user', { user: 'nobody' }, 'unknown', 'auth-failed'],
    ['an unknown database', { database: 'nothing' }, 'failed', 'no-database'],
    ['an authority that is not known', { ca: undefined }, 'failed', 'self-signed'],
    ['a certificate of another', { servername: 'x.test' }, 'failed', 'wrong-name'],
    ['the other role', { role: 'standby' }, 'failed', 'role'],
    ['too many connections', { 'connections-critical': '0.1%' }, 'failed', 'above-critical'],
    ['many connections', { 'connections-warning': '0.1%' }, 'warning', 'above-warning'],
    ['a slow answer', { critical: '@0:60s' }, 'failed', 'inside-critical'],
  ])('judges %s', async (_, given, outcome, reason) => {
    expect(await ask(given)).toMatchObject({ outcome, reason });
  });

  describe('with a query', () => {
    beforeAll(() => {
      sql(
        port,
        `CREATE TABLE jobs (state text, size int); GRANT SELECT ON jobs TO monitor; CREATE SEQUENCE numbers; CREATE TABLE hidden ();
        INSERT INTO jobs VALUES ('done', 1), ('done', 2), ('failed', 3), ('failed', 4), ('failed', NULL);
        CREATE FUNCTION change_it() RETURNS int LANGUAGE sql AS 'DELETE FROM jobs; SELECT 1'`,
      );
    });

    it.each([
      ['a number', "SELECT count(*) FROM jobs WHERE state = 'failed'", { 'query-critical': 10 }, 'ok', 'gives 3,'],
      ['too high a number', 'SELECT count(*) FROM jobs', { 'query-critical': 4 }, 'failed', 'gives 5, limit 4'],
      [
        'a number per row',
        'SELECT count(*), state FROM jobs GROUP BY 2',
        { 'query-warning': 2 },
        'warning',
        'failed is 3, limit 2',
      ],
      [
        'rows without a name',
        'SELECT size FROM jobs',
        { 'query-warning': 9 },
        'unknown',
        'gives 5 rows without a name',
      ],
      [
        'rows with one name',
        'SELECT size, state FROM jobs',
        { 'query-warning': 9 },
        'unknown',
        'gives 5 rows without a name',
      ],
      ['NULL', 'SELECT max(size) FROM jobs WHERE size > 9', { 'query-warning': 9 }, 'unknown', 'gives NULL'],
      ['no number', "SELECT 'NaN'::float", { 'query-warning': 9 }, 'unknown', '"NaN", not a number'],
      ['no rows', 'SELECT 1 FROM jobs WHERE size > 9', { 'query-warning': 9 }, 'unknown', 'finds no rows'],
      [
        'no rows where that is bad',
        'SELECT 1 FROM jobs WHERE size > 9',
        { empty: 'failed' },
        'failed',
        'finds no rows',
      ],
      ['the wanted truth', 'SELECT count(*) = 5 FROM jobs', { equals: true }, 'ok', 'gives true'],
      ['another truth', 'SELECT count(*) = 5 FROM jobs', { equals: false }, 'failed', 'gives "t", should be false'],
      ['NULL for a truth', 'SELECT max(size) > 1 FROM jobs WHERE size > 9', { equals: true }, 'unknown', 'gives NULL'],
      ['the wanted number', 'SELECT 5.0', { equals: 5 }, 'ok', 'gives 5'],
      ['a setting', 'SHOW ssl', { equals: 'on' }, 'ok', 'gives on'],
      ['a share', 'SELECT 0.5', { 'query-unit': 'ratio', 'query-critical': '40%' }, 'failed', 'gives 50 %, limit 40 %'],
      [
        'too many rows',
        'SELECT i, i FROM generate_series(1, 2000) i',
        { 'query-critical': 9000 },
        'unknown',
        'more than 1000 rows',
      ],
      [
        'too much',
        "SELECT i, repeat('x', 9000) FROM generate_series(1, 900) i",
        { 'query-critical': 9000 },
        'unknown',
        'gives more than is read',
      ],
      [
        'many rows',
        'SELECT i, i FROM generate_series(1, 1000) i',
        { 'query-critical': 9000 },
        'ok',
        'gives 1000 rows, 1 to 1000',
      ],
    ])('judges one that gives %s', async (_, query, given, outcome, text) => {
      expect(await ask({ query, ...given })).toMatchObject({ outcome, summary: expect.stringContaining(text) });
    });

    it('gives a metric for each row', async () => {
      const { metrics } = await ask({
        query: 'SELECT count(*), state FROM jobs GROUP BY 2 ORDER BY 2',
        'query-critical': 10,
      });

      expect(metrics?.slice(2)).toEqual([
        { name: 'value{done}', value: 2, unit: 'count', critical: '10' },
        { name: 'value{failed}', value: 3, unit: 'count', critical: '10' },
      ]);
    });

    it.each([
      ['changes rows through a function', 'SELECT change_it()', '25006'],
      ['changes rows in front of a SELECT', 'WITH gone AS (DELETE FROM jobs RETURNING 1) SELECT * FROM gone', '25006'],
      ['makes a table', 'SELECT * INTO copy FROM jobs', '25006'],
      ['counts a sequence on', "SELECT nextval('numbers')", '25006'],
      [
        'gives itself the right to write',
        "SELECT set_config('transaction_read_only', 'off', false), change_it()",
        '25001',
      ],
      ['is two', 'SELECT 1; COMMIT; DELETE FROM jobs', '42601'],
      ['ends the transaction', 'COMMIT', 'only reads'],
      ['starts a program', "COPY (SELECT 1) TO PROGRAM 'true'", 'only reads'],
      ['is misspelt', 'SELECT hunter2 FROM FROM', '42601'],
      ['names no table', 'SELECT 1 FROM hunter2', '42P01'],
      ['tells what it read', "SELECT 'hunter2'::int", '22P02'],
      ['may not be asked', 'SELECT 1 FROM hidden', 'may not read', 'monitor'],
    ])('does not carry out one that %s, and does not repeat it', async (_, query, text, user = 'owner') => {
      const { outcome, reason, summary } = await ask({ user, query, 'query-critical': 1 });

      expect({ outcome, reason }).toEqual({ outcome: 'unknown', reason: 'query-refused' });
      expect(summary).toContain(text);
      expect(summary).not.toContain('hunter2');
      expect(sql(port, 'SELECT count(*), (SELECT last_value FROM numbers) FROM jobs')).toBe('5|1');
    });

    it('lets the server end one that takes too long', async () => {
      expect(await ask({ query: 'SELECT pg_sleep(60)', equals: '', deadline: '1s' })).toMatchObject({
        outcome: 'unknown',
        reason: 'query-timeout',
      });
      expect(
        sql(port, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"),
      ).toBe('0');
    });
  });

  it('sees a transaction that stays open, with the right to', async () => {
    sql(port, "BEGIN; CREATE TABLE half (); PREPARE TRANSACTION 'half'");
    await sleep(20);

    expect(await ask({ user: 'watcher', 'transaction-critical': '10ms' })).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: expect.stringMatching(/has a transaction open for .*, limit 10 ms/),
    });
    sql(port, "ROLLBACK PREPARED 'half'");
    expect(await ask({ user: 'watcher', 'transaction-critical': '10s' })).toMatchObject({
      outcome: 'ok',
      metrics: [{}, { name: 'oldest-transaction', value: 0 }, {}],
    });
    expect(await ask({ 'transaction-critical': '10s' })).toMatchObject({ outcome: 'unknown', reason: 'no-permission' });
  });

  it('sees that the log cannot be archived', async () => {
    const until = async (outcome: string) => {
      for (let tries = 0; tries < 150 && (await ask()).outcome !== outcome; tries += 1) await sleep(100);
      return await ask();
    };
    sql(port, "ALTER SYSTEM SET archive_command = 'false'");
    sql(port, 'SELECT pg_reload_conf()');
    sql(port, 'SELECT pg_switch_wal()');

    expect(await until('failed')).toMatchObject({
      outcome: 'failed',
      reason: 'archiver',
      summary: expect.stringMatching(/cannot archive its log, \d+ (try has|tries have) failed$/),
    });
    expect(await ask({ archiver: 'warning' })).toMatchObject({ outcome: 'warning', reason: 'archiver' });
    expect(await ask({ archiver: 'ok' })).toMatchObject({ outcome: 'ok' });

    sql(port, "ALTER SYSTEM SET archive_command = 'true'");
    sql(port, 'SELECT pg_reload_conf()');
    expect(await until('ok')).toMatchObject({ outcome: 'ok' });
  });

  it('fails when there is no TLS, no connection left, and no server', async () => {
    const copy = await local.listen((socket) => socket.once('data', () => socket.write('N')));
    sql(port, 'ALTER ROLE monitor CONNECTION LIMIT 0');

    expect(await ask({ port: copy })).toMatchObject({ outcome: 'failed', reason: 'no-tls' });
    expect(await ask()).toMatchObject({ outcome: 'failed', reason: 'too-many-connections' });
    sql(port, 'ALTER ROLE monitor CONNECTION LIMIT -1');
    expect(await ask({ port: await local.freePort() })).toMatchObject({ outcome: 'failed', reason: 'connect-refused' });
  });

  it.each([
    ['injects words under the promise of TLS', true, 'SE', 'protocol-error'],
    ['is no database', true, 'H', 'protocol-error'],
    ['sends a message without end', false, 'R\xff\xff\xff\xff', 'protocol-error'],
    ['sends half a message', false, 'R\0\0\0\x08\0\0', 'timeout'],
    ['wants a login of the future', false, 'R\0\0\0\x08\0\0\0\x63', 'auth-required'],
    ['lets in without a query', false, 'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05IZ\0\0\0\x05I', 'protocol-error'],
    ['gives an empty row', false, 'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05ID\0\0\0\x06\0\0Z\0\0\0\x05I', 'protocol-error'],
    [
      'gives a row that is cut off',
      false,
      'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05ID\0\0\0\x0a\0\x04\0\0\0\x09Z\0\0\0\x05I',
      'protocol-error',
    ],
    ['is starting', false, 'E\0\0\0\x21C57P03\0Mthe system starts\0\0\0\0\0', 'not-ready'],
    ['proves nothing', false, 'R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0R\0\0\0\x08\0\0\0\0', 'untrusted-server'],
  ])('is not content with a server that %s', async (_, tls, words, reason) => {
    const server = await local.listen((socket) =>
      socket.once('data', () => socket.write(Buffer.from(words, 'latin1'))),
    );
    const judgement = await ask({ port: server, tls, deadline: '400ms' });

    expect(judgement.outcome).not.toBe('ok');
    expect(judgement.reason).toBe(reason);
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const server = await local.listen(faults[fault] as never);

    for (const tls of [true, false])
      expect((await ask({ port: server, tls, deadline: '300ms' })).outcome).toBe('failed');
  });

  it('does no endless sums for a server', async () => {
    const scram = beginScram('abc');

    await expect(scram.answer('r=abcdef,s=AAAA,i=900000000', 'x')).rejects.toThrow('wants 900000000 rounds');
    await expect(scram.answer('r=other,s=AAAA,i=4096', 'x')).rejects.toThrow('not SCRAM');
  });

  it('agrees with the example of RFC 7677', async () => {
    const scram = beginScram('rOprNGfwEbeRWgbNEkqO', 'user');
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';

    expect(await scram.answer(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, 'pencil')).toBe(
      `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    );
    scram.verify('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(() => scram.verify('v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toThrow('does not know the password');
  });

  it('measures the lag of a standby, and more of it when the primary is gone', async () => {
    const data = join(folder, 'standby');
    run(
      'pg_basebackup',
      '-D',
      data,
      '-R',
      '-X',
      'stream',
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-U',
      'trusted',
      '--no-sync',
    );
    const [standby] = await startPostgres(data);
    sql(port, 'CREATE TABLE change ()');
    const limits = { port: standby, role: 'standby', 'lag-critical': '60s' };
    for (let tries = 0; tries < 100 && (await ask(limits)).data.state?.lag !== 0; tries += 1) await sleep(100);

    expect(await ask(limits)).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/is a standby, .* is 0 s behind/),
    });

    const followed = { user: 'watcher', standbys: '1:', 'lag-critical': '60s', 'lag-bytes-critical': '1GiB' };
    expect(await ask(followed)).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/is a primary, .*, has 1 standby, answers/),
      metrics: expect.arrayContaining([
        expect.objectContaining({ name: 'lag-bytes{walreceiver 127.0.0.1}', unit: 'bytes' }),
        expect.objectContaining({ name: 'lag{walreceiver 127.0.0.1}', unit: 'seconds', critical: '60' }),
      ]),
    });
    expect(await ask({ ...followed, standbys: '2:' })).toMatchObject({ outcome: 'failed', reason: 'below-critical' });
    expect(await ask({ standbys: '1:' })).toMatchObject({ outcome: 'unknown', reason: 'no-permission' });
    expect(await ask({ 'lag-critical': '60s' })).toMatchObject({ outcome: 'unknown', reason: 'no-permission' });

    sql(standby, 'SELECT pg_wal_replay_pause()');
    sql(port, 'CREATE TABLE more AS SELECT i FROM generate_series(1, 10000) i');
    const paused = { ...followed, 'lag-bytes-critical': '100KiB' };
    for (let tries = 0; tries < 100 && (await ask(paused)).outcome !== 'failed'; tries += 1) await sleep(100);
    expect(await ask(paused)).toMatchObject({
      outcome: 'failed',
      summary: expect.stringMatching(/walreceiver 127\.0\.0\.1 has .* to replay, limit 100 KiB/),
    });
    expect(await ask({ port: standby, 'lag-bytes-critical': '100KiB' })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringMatching(/ has .* KiB to replay, limit 100 KiB/),
    });
    sql(standby, 'SELECT pg_wal_replay_resume()');

    process.kill(pid, 'SIGINT');
    for (let tries = 0; tries < 100 && ((await ask(limits)).data.state?.lag ?? 0) === 0; tries += 1) await sleep(100);
    const alone = await ask(limits);
    expect(alone.data.state?.lag).toBeGreaterThan(0);
    expect(await ask({ ...limits, 'lag-critical': '1ms' })).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
    });
    expect(await ask({ port: standby, 'lag-bytes-critical': '1GiB' })).toMatchObject({
      outcome: 'unknown',
      reason: 'no-lag',
    });
  });

  it('stops when the step is stopped', async () => {
    const mute = await local.listen(() => {});

    await expect(look(kind, { port: mute, user: 'a' }, AbortSignal.timeout(100))).rejects.toThrow();
    expect(kind.validate?.(withDefaults(kind, { user: 'a', 'lag-critical': 'x' }))).toHaveLength(1);
  });
});
