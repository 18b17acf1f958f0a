import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/result/result.schema.js';
import { makeCertificate, type TestCertificate } from '../support/certificates.js';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project, stepOf } from '../support/opsctl.js';
import { servers } from '../support/servers.js';
import { type Sshd, type SshdUser, startSshd } from '../support/sshd.js';
import { inShell } from './shell.js';

const shipped = join(import.meta.dirname, '../../runbooks');

const shippedProject = (files: Readonly<Record<string, string>> = {}): Project => {
  const project = makeProject(files);
  cpSync(shipped, join(project.folder, 'runbooks'), { recursive: true });
  return project;
};

/** Outcome and reason of every step, loop items by their name. */
function outcomes(result: RunResult, host = result.hosts[0]?.name): Readonly<Record<string, string>> {
  const steps = result.hosts.find(({ name }) => name === host)?.steps ?? [];
  return Object.fromEntries(
    steps.map(({ step, item, outcome, reason }) => [
      item === undefined ? step : `${step} ${item}`,
      reason === outcome ? outcome : `${outcome} ${reason}`,
    ]),
  );
}

describe('runbooks/', () => {
  const files = readdirSync(shipped).filter((file) => file.endsWith('.yaml'));

  it.each(files)('%s says at its top what it is for', (file) => {
    const text = execFileSync('head', ['-n', '40', join(shipped, file)], { encoding: 'utf8' });

    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/schemas\/runbook\.schema\.json\n/);
    expect(text).toMatch(/^description: ./m);
  });
});

describe('runbooks/capacity.yaml', () => {
  it('foretells what fills up, from what earlier runs measured', async () => {
    const project = shippedProject({});
    const run = async (...params: string[]) => {
      const more = params.flatMap((param) => ['-p', param]);
      const ended = await project.run(['run', 'runbooks/capacity.yaml', '-o', 'json', '--tags', 'tables', ...more]);
      if (!ended.stdout) throw new Error(ended.stderr);
      return ended.json();
    };

    const first = await run('over=10s');
    expect(stepOf(first, 'local', 'threads').summary).toContain('too few earlier runs for a trend');
    for (let round = 0; round < 4; round++) {
      await run('over=10s');
      await sleep(350);
    }
    const last = await run('over=10s', 'warning=3000000000w:', 'critical=0:');
    expect(stepOf(last, 'local', 'threads')).toMatchObject({ outcome: expect.stringMatching(/^(ok|warning)$/) });
    expect(stepOf(last, 'local', 'threads').summary).not.toContain('too few');
    project.remove();
  });

  it('measures this machine without parameters', async () => {
    const project = shippedProject({});
    const result = (await project.run(['run', 'runbooks/capacity.yaml', '-o', 'json'])).json();
    expect(result.hosts[0]?.steps.map(({ outcome }) => outcome)).not.toContain('unknown');
    expect((await project.run(['run', 'runbooks/capacity.yaml', '-p', 'over=soon'])).stderr).toContain('over');
    project.remove();
  });
});

describeWith('runbooks/linux-baseline.yaml', ['sshd', 'ssh-keygen', 'sudo', 'root'], () => {
  let project: Project;
  let sshd: Sshd;
  let user: SshdUser;

  beforeAll(async () => {
    sshd = await startSshd({ log: true });
    user = sshd.addUser({ sudoers: 'ALL=(ALL) NOPASSWD: ALL' });
    project = shippedProject({
      'opsctl.yaml': `inventory: inventory.yaml\nknown_hosts: ${sshd.knownHostsFile}\nstate: state\n`,
      'inventory.yaml': `hosts:\n  box: { address: 127.0.0.1, connect: { port: ${sshd.port}, user: ${user.name}, identity: ${sshd.identity} } }\n`,
    });
  });
  afterAll(async () => {
    project.remove();
    await sshd.stop();
  });

  const run = async (...args: string[]) => {
    const params = ['-p', `ssh_port=${sshd.port}`, '--skip-tags', 'updates'];
    const ended = await project.run(['run', 'runbooks/linux-baseline.yaml', '-o', 'json', ...params, ...args]);
    if (!ended.stdout) throw new Error(ended.stderr);
    return ended.json();
  };

  it('judges all of a host that is reached over SSH without root, in one exec', async () => {
    const before = sshd.counts();
    const result = await run();

    const found = outcomes(result);
    const { connections, channels } = sshd.counts();
    expect([connections - before.connections, channels - before.channels]).toEqual([1, 1]);
    expect(Object.keys(found).length).toBeGreaterThan(60);
    expect(Object.entries(found).filter(([, outcome]) => /^(unknown|unreachable|refused)/.test(outcome))).toEqual([]);
    expect(found).toMatchObject({
      ssh: 'ok',
      root: 'ok',
      only_root: 'ok',
      'account_files /etc/passwd': 'ok',
      'password_files /etc/shadow': 'ok',
      'temporary /tmp': 'ok',
      'devices /dev/null': 'ok',
      address_space: 'ok',
      empty_passwords: 'skipped condition',
    });
  });

  it('sees more as root, and only then', async () => {
    const result = await run('-p', 'privileged=true', '-p', 'firewall=true', '--tags', 'privileged');

    const found = outcomes(result);
    expect(Object.values(found).filter((outcome) => outcome.startsWith('unknown'))).toEqual([]);
    expect(found).toMatchObject({ empty_passwords: 'ok', 'rhosts /root/.rhosts': 'ok', root_home: 'ok' });
    expect(found.firewall).toMatch(/^(ok|failed)/);
  });

  it('finds what is wrong', async () => {
    const params = ['disk_critical=0%', 'disk_warning=0%', 'ports=[1]', 'resolve=no.such.name.invalid'];
    const result = await run(...params.flatMap((param) => ['-p', param]));

    expect(outcomes(result)).toMatchObject({
      disks: 'failed above-critical',
      listening: expect.stringMatching(/^failed/),
      resolve: expect.stringMatching(/^failed/),
    });
  });
});

describeWith('runbooks/web-endpoint.yaml and certificates.yaml', ['openssl'], () => {
  let project: Project;
  let certificate: TestCertificate;
  const web = {
    http: createHttpServer((_, response) => response.end('Fatal error: no database')),
    https: undefined as unknown as ReturnType<typeof createServer>,
  };
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

  beforeAll(async () => {
    certificate = makeCertificate();
    web.https = createServer({ cert: certificate.cert, key: certificate.key }, (_, response) =>
      response.end('Welcome'),
    );
    for (const server of [web.http, web.https])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    project = shippedProject({
      'web.yaml': `groups:\n  web:\n    hosts: [local1]\n    vars:\n      certificate_files: [${certificate.certFile}]\nhosts:\n  local1: { connect: { transport: local } }\n`,
    });
  });
  afterAll(() => {
    for (const server of [web.http, web.https]) server.close();
    project.remove();
    certificate.remove();
  });

  const run = async (runbook: string, ...args: string[]) => {
    const ended = await project.run(['run', `runbooks/${runbook}.yaml`, '-o', 'json', ...args]);
    if (!ended.stdout) throw new Error(ended.stderr);
    return outcomes(ended.json());
  };

  it('follow a good address from end to end', async () => {
    const url = `url=https://127.0.0.1:${portOf(web.https)}/health`;

    const found = await run('web-endpoint', '-p', url, '-p', 'body=(?i)welcome', '-p', `ca=${certificate.certFile}`);

    expect(found).toEqual({
      name: 'skipped condition',
      servers: 'skipped condition',
      connection: 'ok',
      certificate: 'ok',
      answer: 'ok',
      redirect: 'skipped condition',
    });
  });

  it('tell an address that answers with an error page, and one whose certificate nobody signed', async () => {
    const bad = await run('web-endpoint', '-p', `url=http://127.0.0.1:${portOf(web.http)}`);
    const unsigned = await run('web-endpoint', '-p', `url=https://127.0.0.1:${portOf(web.https)}/`);

    expect(bad).toMatchObject({
      connection: 'ok',
      certificate: 'skipped condition',
      answer: expect.stringMatching(/^failed/),
    });
    expect(unsigned).toMatchObject({
      connection: 'ok',
      certificate: expect.stringMatching(/^failed/),
      answer: expect.stringMatching(/^failed/),
    });
  });

  it('look at the certificates of servers and of files, of parameters and of the inventory', async () => {
    const server = `127.0.0.1:${portOf(web.https)}`;
    const endpoints = ['-p', `endpoints=["${server}"]`, '-p', `ca=${certificate.certFile}`];

    const found = await run('certificates', '-i', 'web.yaml', ...endpoints);
    const short = await run('certificates', '-i', 'web.yaml', ...endpoints, '-p', 'critical=100d:');
    const nothing = await run('certificates');

    expect(found).toEqual({ [`endpoints ${server}`]: 'ok', ports: 'skipped no-items', files: 'ok' });
    expect(short).toMatchObject({ [`endpoints ${server}`]: 'failed below-critical', files: 'failed below-critical' });
    expect(Object.values(nothing).every((outcome) => outcome.startsWith('skipped'))).toBe(true);
  });
});

describeWith('runbooks/database-health.yaml', ['redis-server', 'pg_ctlcluster', 'mariadbd', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-databases-'));
  const local = servers();
  const ports = { redis: 0, postgres: 0, mysql: 0 };
  let project: Project;

  beforeAll(async () => {
    execFileSync('chmod', ['755', folder]);
    await startRedis();
    await startPostgres();
    await startMaria();
    const group = (name: keyof typeof ports, vars: string) =>
      `  ${name}: { hosts: ${name}1, vars: { database_port: ${ports[name]}, ${vars} } }\n`;
    const redis = group('redis', 'database_password: { secret: "env:REDIS" }, database_role: master');
    const postgres = group('postgres', 'database_role: primary');
    const mysql = group('mysql', 'database_password: { secret: "env:MYSQL" }');
    project = shippedProject({
      'inventory.yaml': `groups:\n${redis}${postgres}${mysql}hosts:\n${Object.keys(ports)
        .map((name) => `  ${name}1: { address: 127.0.0.1 }\n`)
        .join('')}`,
    });
  }, 120_000);
  afterAll(async () => {
    project?.remove();
    await local.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startRedis(): Promise<void> {
    ports.redis = await local.freePort();
    const args = ['--port', String(ports.redis), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
    await local.start('redis-server', [...args, '--requirepass', 'hunter22'], ports.redis);
  }

  async function startPostgres(): Promise<void> {
    const [newest] = readdirSync('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
    const programs = `/usr/lib/postgresql/${newest}/bin`;
    const data = join(folder, 'postgres');
    const as = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
    execFileSync('install', ['-d', '-o', 'postgres', data]);
    const initdb = [join(programs, 'initdb'), '-D', data, '-U', 'monitor', '-A', 'trust', '--no-sync', '--locale', 'C'];
    execFileSync('setpriv', [...as, ...initdb], { cwd: data, stdio: 'ignore' });
    ports.postgres = await local.freePort();
    const settings = [
      `port=${ports.postgres}`,
      `unix_socket_directories=${data}`,
      'listen_addresses=127.0.0.1',
      'fsync=off',
    ];
    const postgres = [join(programs, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    await local.start('setpriv', [...as, ...postgres], ports.postgres);
  }

  async function startMaria(): Promise<void> {
    const data = join(folder, 'mysql');
    execFileSync('install', ['-d', '-o', 'mysql', data]);
    // Temporary tables in /tmp would get in the way of another server that starts just now.
    const common = ['--no-defaults', '--user=mysql', `--datadir=${data}`, `--tmpdir=${data}`];
    execFileSync('mariadb-install-db', [...common, '--skip-test-db'], { stdio: 'ignore' });
    ports.mysql = await local.freePort();
    const socket = join(data, 'mysql.sock');
    const network = [
      `--socket=${socket}`,
      `--port=${ports.mysql}`,
      '--bind-address=127.0.0.1',
      `--pid-file=${data}/pid`,
    ];
    await local.start('mariadbd', [...common, ...network, '--innodb-flush-method=nosync'], ports.mysql);
    const user =
      "CREATE USER monitor@'127.0.0.1' IDENTIFIED BY 'hunter23'; GRANT PROCESS, REPLICATION CLIENT, SLAVE MONITOR ON *.* TO monitor@'127.0.0.1'";
    execFileSync('mariadb', ['--no-defaults', '-uroot', '-S', socket, '-e', user]);
  }

  const run = async (env: Readonly<Record<string, string>>, ...args: string[]) => {
    const command = [
      'run',
      'runbooks/database-health.yaml',
      '-i',
      'inventory.yaml',
      '-o',
      'json',
      '-p',
      'tls=false',
      ...args,
    ];
    const ended = await project.run(command, { env });
    if (!ended.stdout) throw new Error(ended.stderr);
    return ended.json();
  };
  const passwords = { REDIS: 'hunter22', MYSQL: 'hunter23' };

  it('asks every host what its group says, and nothing else', async () => {
    const result = await run(passwords);

    const asked = (host: string) =>
      Object.entries(outcomes(result, host)).filter(([, outcome]) => !outcome.startsWith('skipped'));
    expect(asked('redis1')).toEqual([
      ['redis_port', 'ok'],
      ['redis_login', 'ok'],
      ['redis_login_role', 'ok'],
    ]);
    expect(asked('postgres1')).toEqual([
      ['postgres_port', 'ok'],
      ['postgres', 'ok'],
      ['postgres_role', 'ok'],
    ]);
    expect(asked('mysql1')).toEqual([
      ['mysql_port', 'ok'],
      ['mysql', 'ok'],
    ]);
    expect(result.exit.code).toBe(0);
  });

  it('does not call a login that is refused healthy', async () => {
    const result = await run({ ...passwords, REDIS: 'wrong-one', MYSQL: 'wrong-one' });

    expect(outcomes(result, 'redis1').redis_login).toBe('unknown auth-failed');
    expect(outcomes(result, 'mysql1').mysql).toBe('unknown auth-failed');
    expect(result.exit.code).toBe(3);
  });

  it('takes one engine for all hosts', async () => {
    const result = await run(passwords, '-l', 'mysql1', '-p', 'engine=redis');

    const found = outcomes(result, 'mysql1');
    expect(found.mysql).toBe('skipped condition');
    expect(found.redis_port).toBe('ok');
    expect(found.redis_login).toMatch(/^(failed|unknown)/);
  });
});

describe('the commands that are shown for runbooks/', () => {
  const pages = [join(shipped, '../README.md'), ...readdirSync(shipped).map((file) => join(shipped, file))];
  const commands = pages
    .flatMap((page) => readFileSync(page, 'utf8').match(/(?<=^(# {3})?)(npx )?opsctl run runbooks\/.*$/gm) ?? [])
    // What a plan does not take: it writes no report and has no outcome.
    .map((line) => line.replace(/^(npx )?opsctl run/, 'plan').replace(/ (-o|--fail-on) \S+| --quiet/g, ''));
  let project: Project;
  beforeAll(() => {
    project = shippedProject({
      'opsctl.yaml': 'inventory: inventory.yaml\n',
      'inventory.yaml': `groups: { web: { hosts: [web1] }, db: { hosts: [db1, db2] }, prod: { groups: [web, db] } }\n`,
    });
  });
  afterAll(() => project.remove());

  it.each(commands)('%s', async (line) => {
    const ended = await inShell(project, `opsctl ${line}`);

    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
  });
});
