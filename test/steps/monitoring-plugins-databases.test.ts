import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { Secret } from '../../src/secrets/secret.js';
import { type Comparison, compare, compareDifferences } from '../support/monitoring-plugins.js';
import { describeWith } from '../support/needs.js';
import { servers } from '../support/servers.js';

const folder = mkdtempSync(join(tmpdir(), 'opsctl-plugins-'));
const local = servers();
const ports = { postgres: 0, mysql: 0, closed: 0 };
type Server = keyof typeof ports;
type Says = Comparison['says'];

const login = (user = 'monitor', word = 'hunter2') => ({ user, password: secret(word), tls: false });
const secret = (word: string) => new Secret('env:PASSWORD', word);

const pgsql = (
  fault: string,
  says: Says,
  args: readonly string[] = [],
  given: object = {},
  which: Server = 'postgres',
): Comparison => ({
  ...{ plugin: 'check_pgsql', fault, says, kind: 'check.postgres' },
  args: () => [
    '-H',
    '127.0.0.1',
    '-P',
    String(ports[which]),
    '-l',
    'monitor',
    '-p',
    'hunter2',
    '-d',
    'postgres',
    ...args,
  ],
  given: () => ({ address: '127.0.0.1', port: ports[which], ...login(), ...given }),
});
const mysql = (
  fault: string,
  says: Says,
  args: readonly string[] = [],
  given: object = {},
  which: Server = 'mysql',
): Comparison => ({
  ...{ plugin: 'check_mysql', fault, says, kind: 'check.mysql' },
  args: () => ['-H', '127.0.0.1', '-P', String(ports[which]), '-u', 'monitor', '-p', 'hunter2', ...args],
  given: () => ({ address: '127.0.0.1', port: ports[which], ...login(), ...given }),
});
const query = (fault: string, says: Says, sql: string, [warning, critical]: readonly [string, string]): Comparison => ({
  ...mysql(fault, says, ['-d', 'shop', '-q', sql, '-w', warning, '-c', critical], {
    ...{ database: 'shop', query: sql, 'query-warning': warning, 'query-critical': critical },
  }),
  plugin: 'check_mysql_query',
});
const ask = (warning: string, critical: string) => ({
  query: 'SELECT 7',
  'query-warning': warning,
  'query-critical': critical,
});

const comparisons: readonly Comparison[] = [
  pgsql('lets the user in', 'OK'),
  pgsql('a wrong password', 'CRITICAL', ['-p', 'x'], { password: secret('x') }),
  pgsql('a database that is not there', 'CRITICAL', ['-d', 'none'], { database: 'none' }),
  pgsql('nobody there', 'CRITICAL', [], {}, 'closed'),
  pgsql('slow', 'WARNING', ['-w', '0', '-c', '9'], { warning: '0s', critical: '9s' }),
  pgsql('a number as it should be', 'OK', ['-q', 'SELECT 7', '-W', '8', '-C', '9'], ask('8', '9')),
  pgsql('a number that is high', 'WARNING', ['-q', 'SELECT 7', '-W', '5', '-C', '9'], ask('5', '9')),
  pgsql('a number that is too high', 'CRITICAL', ['-q', 'SELECT 7', '-W', '4', '-C', '5'], ask('4', '5')),
  pgsql('a query without rows', 'WARNING', ['-q', 'SELECT 1 WHERE false', '-C', '5'], {
    query: 'SELECT 1 WHERE false',
    'query-critical': '5',
  }),
  pgsql('a query with a mistake', 'CRITICAL', ['-q', 'SELECT nothing', '-C', '5'], {
    query: 'SELECT nothing',
    'query-critical': '5',
  }),
  mysql('lets the user in', 'OK'),
  mysql('a wrong password', 'CRITICAL', ['-p', 'x'], { password: secret('x') }),
  mysql('nobody there', 'CRITICAL', [], {}, 'closed'),
  mysql('a database that is not there', 'CRITICAL', ['-d', 'none'], { database: 'none' }),
  mysql('no replica, where one is wanted', 'WARNING', ['-S'], { role: 'replica' }),
  query('a number as it should be', 'OK', 'SELECT COUNT(*) FROM jobs', ['5', '9']),
  query('a number that is high', 'WARNING', 'SELECT COUNT(*) FROM jobs', ['2', '9']),
  query('a number that is too high', 'CRITICAL', 'SELECT COUNT(*) FROM jobs', ['1', '2']),
  query('no rows', 'WARNING', 'SELECT size FROM jobs WHERE false', ['5', '9']),
  query('no number', 'CRITICAL', 'SELECT state FROM jobs LIMIT 1', ['5', '9']),
  query('a table that is not there', 'CRITICAL', 'SELECT 1 FROM nothing', ['5', '9']),
];

const needs = ['root', 'check_ldap', 'pg_ctlcluster', 'mariadbd'] as const;
describeWith('monitoring plugins and the checks of databases', needs, () => {
  beforeAll(async () => {
    chmodSync(folder, 0o777);
    const [newest] = readdirSync('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
    const programs = `/usr/lib/postgresql/${newest}/bin`;
    const asPostgres = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
    const run = (program: string, ...args: string[]) =>
      execFileSync('setpriv', [...asPostgres, join(programs, program), ...args], { cwd: folder, stdio: 'pipe' });
    const data = join(folder, 'postgres');
    run('initdb', '-D', data, '-A', 'trust', '--no-sync', '--locale', 'C');
    writeFileSync(join(data, 'pg_hba.conf'), 'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n');
    ports.closed = await local.freePort();
    ports.postgres = await local.freePort();
    const options = [
      `port=${ports.postgres}`,
      `unix_socket_directories=${folder}`,
      'listen_addresses=127.0.0.1',
      'fsync=off',
    ];
    const psql = ['-XAtq', '-h', folder, '-p', String(ports.postgres), '-U', 'postgres', '-c'];
    await local.start(
      'setpriv',
      [...asPostgres, join(programs, 'postgres'), '-D', data, ...options.flatMap((option) => ['-c', option])],
      async () => {
        try {
          run('psql', ...psql, 'SELECT 1');
          return true;
        } catch {
          return false;
        }
      },
    );
    run('psql', ...psql, "CREATE ROLE monitor LOGIN PASSWORD 'hunter2'");

    const store = join(folder, 'mysql');
    mkdirSync(store);
    execFileSync('chown', ['mysql', store]);
    execFileSync(
      'mariadb-install-db',
      [
        '--no-defaults',
        `--datadir=${store}`,
        `--tmpdir=${store}`,
        '--user=mysql',
        '--skip-test-db',
        '--auth-root-authentication-method=normal',
      ],
      { stdio: 'pipe' },
    );
    ports.mysql = await local.freePort();
    const socket = join(folder, 'mysql.sock');
    await local.start(
      'mariadbd',
      `--no-defaults --user=mysql --datadir=${store} --socket=${socket} --pid-file=${folder}/mysql.pid --port=${ports.mysql} --bind-address=127.0.0.1 --innodb-buffer-pool-size=16M --loose-feedback=off`.split(
        ' ',
      ),
      ports.mysql,
    );
    const sql =
      "CREATE USER monitor@'%' IDENTIFIED BY 'hunter2'; GRANT REPLICA MONITOR ON *.* TO monitor@'%'; CREATE DATABASE shop; USE shop; CREATE TABLE jobs (state VARCHAR(20), size INT); INSERT INTO jobs VALUES ('done', 1), ('done', 2), ('open', 3); GRANT SELECT ON shop.* TO monitor@'%';";
    execFileSync('mariadb', ['--no-defaults', '-uroot', '-S', socket, '-e', sql], { stdio: 'pipe' });
  });
  afterAll(async () => {
    await local.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  compare(comparisons);
  compareDifferences(comparisons);
});
