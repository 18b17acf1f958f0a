import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GossData, GossTest } from '../../src/steps/check/goss/step.js';
import { type BusyboxHost, busyboxNeeds, startBusyboxHost } from '../support/busybox.js';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project, stepOf } from '../support/opsctl.js';
import { servers } from '../support/servers.js';

const runbook = 'name: goss\nhosts: all\nsteps:\n  - id: goss\n    uses: check.goss\n    with: { file: goss.json }\n';

type Resources = Readonly<Record<string, Readonly<Record<string, object>>>>;

async function run(project: Project, goss: Resources, args: readonly string[] = []): Promise<readonly GossTest[]> {
  project.write('goss.json', JSON.stringify(goss));
  const ended = await project.run(['run', 'runbook.yaml', '-o', 'json', ...args]);
  const step = stepOf(ended.json(), ended.json().hosts[0]?.name ?? '', 'goss');
  if (step.data === undefined) throw new Error(`${step.reason}: ${step.summary}\n${step.evidence?.stderr ?? ''}`);
  return (step.data as GossData).tests;
}

const told = (tests: readonly GossTest[], outcome: GossTest['outcome']) =>
  tests
    .filter((test) => test.outcome !== outcome)
    .map((test) => `${test.type} ${test.id} ${test.attribute} ${test.outcome} ${test.detail}`);

describeWith('check.goss asks the network from the host', ['curl', 'dig', 'dnsmasq', 'bash'], () => {
  const own = servers();
  let web: Server;
  let project: Project;
  let url = '';
  let dns = '';
  let port = 0;

  beforeAll(async () => {
    project = makeProject({ 'runbook.yaml': runbook });
    web = createServer((request, response) => {
      if (request.url === '/seen') response.writeHead(303, { location: '/end' }).end();
      else if (request.url === '/moved') response.writeHead(302, { location: '/end' }).end('gone');
      else if (request.url === '/slow') setTimeout(() => response.end('late'), 5_000);
      else if (request.url === '/private')
        response.writeHead(request.headers.authorization === 'Bearer x' ? 200 : 401).end('closed');
      else {
        let body = '';
        request.on('data', (chunk) => {
          body += chunk;
        });
        request.on('end', () =>
          response
            .writeHead(200, { 'x-tag': 'a', 'content-type': 'application/json' })
            .end(JSON.stringify({ method: request.method, body, path: request.url, headers: request.headers })),
        );
      }
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => web.once('listening', resolve));
    port = (web.address() as AddressInfo).port;
    url = `http://127.0.0.1:${port}`;
    const dnsPort = await own.freePort();
    dns = `127.0.0.1:${dnsPort}`;
    const records = [
      '--address=/a.goss.test/192.0.2.1',
      '--address=/a.goss.test/2001:db8::1',
      '--host-record=real.goss.test,192.0.2.9',
      '--cname=alias.goss.test,real.goss.test',
      '--mx-host=goss.test,mail.goss.test,10',
      '--txt-record=txt.goss.test,Hello DNS,and "more"',
      '--srv-host=_https._tcp.goss.test,real.goss.test,443,5,10',
      '--ptr-record=1.2.0.192.in-addr.arpa,a.goss.test',
      '--caa-record=goss.test,0,issue,letsencrypt.org',
      '--local=/goss.test/',
    ];
    await own.start(
      'dnsmasq',
      [
        '--no-daemon',
        '--conf-file=/dev/null',
        '--no-resolv',
        '--no-hosts',
        '--pid-file=',
        '--listen-address=127.0.0.1',
        '--bind-interfaces',
        `--port=${dnsPort}`,
        ...records,
      ],
      dnsPort,
    );
  }, 60_000);
  afterAll(async () => {
    web?.closeAllConnections();
    web?.close();
    await own.stop();
    project?.remove();
  });

  it('passes what holds', async () => {
    const at = (name: string, addrs: unknown) => ({ [name]: { resolvable: true, server: dns, timeout: 3_000, addrs } });

    const tests = await run(project, {
      http: {
        [`${url}/`]: {
          status: 200,
          headers: ['X-Tag: a', 'Content-Type: application/json', '!Location'],
          body: { gjson: { method: 'GET', body: '' } },
        },
        [`${url}/moved`]: { status: 200, body: ['/end'] },
        stays: { url: `${url}/moved`, 'no-follow-redirects': true, status: 302, headers: ['Location: /end'] },
        post: {
          url: `${url}/p`,
          method: 'POST',
          'request-body': '@x\n y',
          status: 200,
          body: { gjson: { method: 'POST', body: '@x\n y' } },
        },
        typed: {
          url: `${url}/p`,
          method: 'POST',
          'request-headers': ['Content-Type: text/csv', 'Host: other.test', 'X-None: '],
          status: 200,
          body: {
            gjson: {
              body: '',
              headers: { 'have-key-with-value': { 'content-type': 'text/csv', host: 'other.test', 'x-none': '' } },
            },
          },
        },
        untyped: {
          url: `${url}/p`,
          method: 'POST',
          'request-body': 'x',
          status: 200,
          body: { gjson: { headers: { not: { 'have-key': 'content-type' } } } },
        },
        // As goss, and browsers: the answer to a POST is fetched with GET.
        seen: {
          url: `${url}/seen`,
          method: 'POST',
          'request-body': 'x',
          status: 200,
          body: { gjson: { method: 'GET', body: '', path: '/end' } },
        },
        odd: { url: `${url}/{a,b}?c=[1-3]`, status: 200, body: { gjson: { path: '/{a,b}?c=[1-3]' } } },
        head: { url: `${url}/h`, method: 'HEAD', status: { lt: 300 }, headers: ['X-Tag: a'] },
        allowed: { url: `${url}/private`, 'request-headers': ['Authorization: Bearer x'], status: 200 },
        [`${url}/private`]: { status: 401, body: 'closed' },
      },
      addr: {
        [`tcp://127.0.0.1:${port}`]: { reachable: true, timeout: 2_000 },
        [`localhost:${port}`]: { reachable: true, timeout: 2_000 },
      },
      port: { [`tcp:${port}`]: { listening: true, ip: ['127.0.0.1'] }, [`tcp6:${port}`]: { listening: false } },
      dns: {
        ...at('a.goss.test', { 'consist-of': ['192.0.2.1', '2001:db8::1'] }),
        ...at('AAAA:a.goss.test', ['2001:db8::1']),
        ...at('CNAME:alias.goss.test', ['real.goss.test.']),
        ...at('A:alias.goss.test', { 'consist-of': ['192.0.2.9'] }),
        ...at('MX:goss.test', ['10 mail.goss.test.']),
        ...at('TXT:txt.goss.test', ['Hello DNS', 'and "more"']),
        ...at('SRV:_https._tcp.goss.test', ['5 10 443 real.goss.test.']),
        ...at('PTR:192.0.2.1', ['a.goss.test.']),
        ...at('CAA:goss.test', ['0 issue letsencrypt.org']),
        'none.goss.test': { resolvable: false, server: dns, timeout: 3_000 },
      },
    });

    expect(told(tests, 'passed')).toEqual([]);
    expect(tests.length).toBeGreaterThan(35);
  });

  it('fails what does not', async () => {
    const tests = await run(project, {
      http: {
        [`${url}/`]: { status: 404 },
        text: { url: `${url}/`, status: 200, headers: ['Location'], body: ['nowhere'] },
        [`${url}/slow`]: { status: 200, timeout: 500 },
        'http://127.0.0.1:1/': { status: 200 },
        'http://nowhere.invalid/': { status: 200 },
      },
      addr: {
        [`tcp://127.0.0.1:${port}`]: { reachable: false },
        'tcp://127.0.0.1:1': { reachable: true },
        'tcp://nowhere.invalid:1': { reachable: true },
      },
      port: { [`tcp:${port}`]: { listening: false } },
      dns: {
        'none.goss.test': { resolvable: true, server: dns },
        'nowhere.invalid': { resolvable: true, timeout: 5_000 },
      },
    });

    expect(told(tests, 'failed')).toEqual([`http text status passed undefined`]);
  });

  it('is unknown about a name server that does not answer or refuses', async () => {
    const silent = `127.0.0.1:${await own.freePort()}`;

    const tests = await run(project, {
      dns: {
        'a.b': { resolvable: false, server: silent, timeout: 1_000 },
        'elsewhere.example': { resolvable: false, server: dns, timeout: 2_000 },
      },
    });

    expect(tests.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['unknown', 'the name server 127.0.0.1 does not answer'],
      ['unknown', 'the name server answers REFUSED'],
    ]);
  }, 30_000);
});

describe('check.goss without a runbook', () => {
  const goss =
    'user:\n{{ range .Vars.users }}\n  {{ . }}: { exists: true }\n{{ end }}\nmatching: { os: { content: "{{ .Env.OS }}", matches: debian } }\n';
  const project = makeProject({ 'tests/goss.yaml': goss, 'tests/vars.yaml': 'users: [root, daemon]\n' });
  afterAll(() => project.remove());
  const files = ['--file', 'tests/goss.yaml', '--vars', 'tests/vars.yaml'];

  it('takes its parameters as flags', async () => {
    const good = await project.run(['check', 'goss', ...files, '--env', 'OS=debian', '-o', 'json']);
    const bad = await project.run(['check', 'goss', ...files, '--env', 'OS=alpine', '-o', 'json']);

    expect([good.code, bad.code]).toEqual([0, 1]);
    expect(stepOf(good.json(), 'local', '1').summary).toBe('tests/goss.yaml: 3 tests passed');
    expect(stepOf(bad.json(), 'local', '1').findings).toMatchObject([
      { id: 'goss-matching', subject: 'os matches', detail: 'is "alpine", should be "debian"' },
    ]);
  });

  it('shows a mistake where it is, before any contact', async () => {
    const ended = await project.run(['check', 'goss', '--file', 'tests/goss.yaml']);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toBe(
      'opsctl: E_GOSS_TEMPLATE tests/goss.yaml:2:10 there is no `users` in these values; give it under `with.vars`\n' +
        '  2 | {{ range .Vars.users }}\n    |          ^^^^^^^^^^^\n',
    );
  });

  it('resumes no run whose goss file has changed', async () => {
    project.write('runbook.yaml', runbook.replace('goss.json', 'tests/late.yaml'));
    project.write('tests/late.yaml', 'command: { sleep 20: { exit-status: 0, timeout: 30000 } }\n');
    const running = project.start(['run', 'runbook.yaml', '-o', 'json']);
    await expect.poll(() => running.stderr(), { timeout: 20_000 }).toContain('start');
    running.child.kill('SIGTERM');
    const id = (await running.ended).json().run.id;

    project.write('tests/late.yaml', 'command: { "true": { exit-status: 0 } }\n');
    const resumed = await project.run(['resume', id]);

    expect(resumed.code).toBe(2);
    expect(resumed.stderr).toContain('E_RESUME_CHANGED');
  }, 60_000);
});

describeWith('check.goss on a host that has busybox alone', busyboxNeeds, () => {
  const own = servers();
  let host: BusyboxHost;
  let project: Project;
  let port = 0;

  beforeAll(async () => {
    host = await startBusyboxHost({
      passwd: 'root:x:0:0:root:/root:/bin/sh\n',
      group: 'root:x:0:root\nadm:x:4:root,daemon\nrooted:x:5:rooty\n',
    });
    port = await own.listen((socket) => socket.on('data', () => {}));
    project = makeProject({ 'runbook.yaml': runbook, 'hosts.yaml': host.inventory });
  }, 60_000);
  afterAll(async () => {
    await own.stop();
    await host?.stop();
    project?.remove();
  });

  it('judges what busybox can tell', async () => {
    const tests = await run(
      project,
      {
        file: {
          '/etc/passwd': {
            exists: true,
            uid: 0,
            size: 30,
            contents: ['/^root:/'],
            md5: { 'have-len': 32 },
            sha512: { 'have-len': 128 },
          },
          '/bin/sh': { exists: true, filetype: 'symlink', 'linked-to': '/bin/busybox' },
          '/dev/null': { exists: true, filetype: 'character-device', mode: '0666' },
          '/nosuch': { exists: false },
        },
        command: { 'echo out; echo err >&2; exit 4': { 'exit-status': 4, stdout: ['out'], stderr: ['err'] } },
        user: { root: { exists: true, groups: { 'consist-of': ['root', 'adm'] }, shell: '/bin/sh' } },
        group: { adm: { exists: true, gid: 4 }, nosuch: { exists: false } },
        mount: { '/proc': { exists: true, filesystem: 'proc' } },
        'kernel-param': { 'kernel.ostype': { value: 'Linux' } },
        interface: { lo: { exists: true, addrs: ['127.0.0.1/8'] } },
        port: { [`tcp:${port}`]: { listening: true, ip: ['127.0.0.1'] } },
        addr: {
          [`tcp://127.0.0.1:${port}`]: { reachable: true, timeout: 1_000 },
          'tcp://127.0.0.1:1': { reachable: false },
        },
        process: { 'no-such-process': { running: false } },
      },
      ['-i', 'hosts.yaml'],
    );

    expect(told(tests, 'passed')).toEqual([]);
  }, 30_000);

  it('is unknown about all that it has no tool for', async () => {
    const tests = await run(
      project,
      {
        package: { bash: { installed: false } },
        service: { cron: { running: false } },
        dns: { localhost: { resolvable: false }, a: { resolve: 'MX:a.b', server: '127.0.0.1', resolvable: false } },
        http: { 'http://127.0.0.1/': { status: 200 } },
        addr: { 'tcp://127.0.0.1:1': { reachable: false, 'local-address': '127.0.0.1' } },
      },
      ['-i', 'hosts.yaml'],
    );

    expect(tests.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['unknown', 'no package manager that is known (dpkg, rpm, apk, pacman)'],
      ['unknown', 'no service manager (systemd, OpenRC or /etc/init.d)'],
      ['unknown', 'getent is missing'],
      ['unknown', 'dig is missing, which asks a server'],
      ['unknown', 'curl is missing'],
      ['unknown', 'nc of busybox cannot choose the local address'],
    ]);
  });
});
