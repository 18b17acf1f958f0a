import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
host all plain 127.0.0.1/32 password\nhost all old 127.0.0.1/32 md5\nhost all monitor 127.0.0.1/32 scram-sha-256\n`,
    );
    writeFileSync(join(data, 'postgresql.auto.conf'), 'ssl = on\n');
    [port, pid] = await startPostgres(data);
    sql(port, "CREATE ROLE monitor LOGIN PASSWORD 'hunter2'");
    sql(port, "CREATE ROLE plain LOGIN PASSWORD 'hunter2'");
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

    process.kill(pid, 'SIGINT');
    for (let tries = 0; tries < 100 && ((await ask(limits)).data.state?.lag ?? 0) === 0; tries += 1) await sleep(100);
    const alone = await ask(limits);
    expect(alone.data.state?.lag).toBeGreaterThan(0);
    expect(await ask({ ...limits, 'lag-critical': '1ms' })).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
    });
  });

  it('stops when the step is stopped', async () => {
    const mute = await local.listen(() => {});

    await expect(look(kind, { port: mute, user: 'a' }, AbortSignal.timeout(100))).rejects.toThrow();
    expect(kind.validate?.(withDefaults(kind, { user: 'a', 'lag-critical': 'x' }))).toHaveLength(1);
  });
});
