import { execFileSync, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createWeb } from 'node:http';
import { createServer as createSecureWeb } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { Secret } from '../../src/secrets/secret.js';
import { makeCertificate, type TestCertificate } from '../support/certificates.js';
import { type Comparison, compare, compareDifferences } from '../support/monitoring-plugins.js';
import { describeWith } from '../support/needs.js';
import { servers } from '../support/servers.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const folder = mkdtempSync(join(tmpdir(), 'opsctl-plugins-'));
const local = servers();
const ports: Record<string, number> = {};
const port = (name: string) => ports[name] as number;
const at = (name: string) => ['-H', '127.0.0.1', '-p', String(port(name))];
type Says = Comparison['says'];

const tcp = (
  fault: string,
  name: string,
  says: Says,
  args: readonly string[] = [],
  given: object = {},
): Comparison => ({
  ...{ plugin: 'check_tcp', fault, says, kind: 'check.tcp' },
  args: () => [...at(name), '-t', '2', ...args],
  given: () => ({ address: '127.0.0.1', port: port(name), deadline: '2s', ...given }),
});
const udp = (fault: string, name: string, says: Says, wanted: string): Comparison => ({
  ...{ plugin: 'check_udp', fault, says, kind: 'check.udp' },
  args: () => [...at(name), '-t', '1', '-s', 'ping', '-e', wanted],
  given: () => ({ address: '127.0.0.1', port: port(name), send: 'ping', expect: wanted, deadline: '1s' }),
});
const http = (
  fault: string,
  path: string,
  says: Says,
  args: readonly string[] = [],
  given: object = {},
): Comparison => ({
  ...{ plugin: 'check_http', fault, says, kind: 'check.http' },
  args: () => ['-I', '127.0.0.1', '-p', String(port('web')), '-u', path, '-f', 'follow', '-t', '2', ...args],
  given: () => ({ url: `http://127.0.0.1:${port('web')}${path}`, deadline: '2s', ...given }),
});
const page = (fault: string, name: string, says: Says, given: object = {}): Comparison => ({
  ...{ plugin: 'check_http', fault, says, kind: 'check.tls' },
  args: () => ['-I', '127.0.0.1', '-H', 'www.test', '-p', String(port(name)), '-S', '--sni', '-C', '30,14', '-t', '2'],
  given: () => ({
    ...{ address: '127.0.0.1', port: port(name), servername: 'www.test', ca: join(folder, `${name}.pem`) },
    ...{ warning: '30:', critical: '14:', deadline: '2s', ...given },
  }),
});
const name = '127.88.0.1';
const dns = (
  fault: string,
  asked: string,
  says: Says,
  args: readonly string[] = [],
  given: object = {},
): Comparison => ({
  ...{ plugin: 'check_dns', fault, says, kind: 'check.dns' },
  args: () => ['-H', asked, '-s', name, '-t', '3', ...args],
  given: () => ({ name: asked, servers: [name], deadline: '3s', ...given }),
});
const dig = (
  fault: string,
  asked: string,
  says: Says,
  args: readonly string[] = [],
  given: object = {},
): Comparison => ({
  ...dns(fault, asked, says, [], given),
  plugin: 'check_dig',
  args: () => ['-l', asked, '-H', name, '-t', '3', ...args],
});
const ssh = (
  fault: string,
  which: string,
  says: Says,
  args: readonly string[] = [],
  given: object = {},
): Comparison => ({
  ...{ plugin: 'check_ssh', fault, says, kind: 'check.ssh' },
  args: () => ['-t', '2', ...at(which), ...args],
  given: () => ({ address: '127.0.0.1', port: port(which), deadline: '2s', ...given }),
});
const ntp = (fault: string, which: string, says: Says, limits = ['60', '120']): Comparison => ({
  ...{ plugin: 'check_ntp_time', fault, says, kind: 'check.ntp' },
  args: () => [...at(which), '-w', limits[0] ?? '', '-c', limits[1] ?? '', '-t', '3'],
  given: () => ({ address: '127.0.0.1', port: port(which), warning: limits[0], critical: limits[1], deadline: '3s' }),
});
const mail = (plugin: 'smtp' | 'imap', fault: string, which: string, says: Says, greeting?: string): Comparison => ({
  ...{ plugin: `check_${plugin}`, fault, says, kind: `check.${plugin}` },
  args: () => [...at(which), '-t', '2', ...(greeting ? ['-e', greeting] : [])],
  given: () => ({
    ...{ address: '127.0.0.1', port: port(which), tls: 'none', deadline: '2s' },
    ...(greeting && { greeting }),
  }),
});
const base = 'dc=lab,dc=test';
const ldap = (
  fault: string,
  which: string,
  says: Says,
  args: readonly string[] = [],
  given: object = {},
): Comparison => ({
  ...{ plugin: 'check_ldap', fault, says, kind: 'check.ldap' },
  args: () => [...at(which), '-3', '-t', '3', ...(args.includes('-b') ? [] : ['-b', base]), ...args],
  given: () => ({ address: '127.0.0.1', port: port(which), tls: 'none', base, deadline: '3s', ...given }),
});

const inNetwork: readonly Comparison[] = [
  tcp('open', 'web', 'OK'),
  tcp('closed', 'closed', 'CRITICAL'),
  tcp('says what it should', 'ssh', 'OK', ['-e', 'SSH-2.0'], { expect: '^SSH-2.0' }),
  tcp('says something else', 'brief', 'WARNING', ['-e', 'POP3'], { expect: 'POP3' }),
  tcp('says nothing', 'mute', 'CRITICAL', ['-t', '1', '-e', 'SSH-2.0'], { deadline: '1s', expect: '^SSH-2.0' }),
  tcp('slow', 'web', 'WARNING', ['-w', '0.0000001', '-c', '9'], { warning: '0s', critical: '9s' }),
  tcp('too slow', 'web', 'CRITICAL', ['-w', '0.0000001', '-c', '0.0000001'], { warning: '0s', critical: '0s' }),
  udp('answers', 'echo', 'OK', 'ping'),
  udp('answers something else', 'echo', 'CRITICAL', 'pong'),
  udp('silent', 'hole', 'CRITICAL', 'ping'),
  udp('closed', 'closed', 'CRITICAL', 'ping'),
  http('a page', '/', 'OK'),
  http('a page with the text', '/', 'OK', ['-s', 'hello'], { body: 'hello' }),
  http('a page without the text', '/', 'CRITICAL', ['-s', 'other'], { body: 'other' }),
  http('a redirect to a page', '/moved', 'OK'),
  http('not found', '/nothing', 'WARNING'),
  http('an error of the server', '/broken', 'CRITICAL'),
  http('a status that is wanted', '/nothing', 'OK', ['-e', '404'], { status: [404] }),
  http('slow', '/slow', 'WARNING', ['-w', '0.1', '-c', '9'], { warning: '100ms', critical: '9s' }),
  http('too slow', '/slow', 'CRITICAL', ['-w', '0.1', '-c', '0.2'], { warning: '100ms', critical: '200ms' }),
  http('no answer', '/never', 'CRITICAL', ['-t', '1'], { deadline: '1s' }),
  {
    ...http('nobody there', '/', 'CRITICAL'),
    args: () => ['-I', '127.0.0.1', '-p', String(port('closed'))],
    given: () => ({ url: `http://127.0.0.1:${port('closed')}/` }),
  },
  page('a certificate for 90 days', 'days90', 'OK'),
  page('a certificate for 20 days', 'days20', 'WARNING'),
  page('a certificate for 5 days', 'days5', 'CRITICAL'),
  page('a certificate of nobody', 'days90', 'OK', { ca: undefined }),
  page('a certificate for another name', 'days90', 'OK', { servername: 'shop.test' }),
  page('no TLS at all', 'web', 'CRITICAL', { ca: undefined }),
  dns('a name', 'www.lab.test', 'OK'),
  dns('the right address', 'www.lab.test', 'OK', ['-a', '192.0.2.10'], { answers: ['192.0.2.10'] }),
  dns('another address', 'www.lab.test', 'CRITICAL', ['-a', '192.0.2.99'], { answers: ['192.0.2.99'] }),
  dns('no such name', 'none.lab.test', 'CRITICAL'),
  dns('no such name, as wanted', 'none.lab.test', 'OK', ['-n'], { rcode: 'NXDOMAIN' }),
  dns('a server that is not there', 'www.lab.test', 'CRITICAL', ['-s', '127.88.0.2'], { servers: ['127.88.0.2'] }),
  dig('a name', 'www.lab.test', 'OK'),
  dig('another address', 'www.lab.test', 'WARNING', ['-a', '192.0.2.99'], { answers: ['192.0.2.99'] }),
  dig('no such name', 'none.lab.test', 'CRITICAL'),
  dig('a server that is not there', 'www.lab.test', 'WARNING', ['-H', '127.88.0.2'], { servers: ['127.88.0.2'] }),
  ssh('answers', 'ssh', 'OK'),
  ssh('other software', 'ssh', 'CRITICAL', ['-r', 'Dropbear_1'], { software: '^dropbear' }),
  ssh('not ssh', 'greeter', 'CRITICAL', ['-t', '1'], { deadline: '1s' }),
  ssh('says nothing', 'mute', 'CRITICAL', ['-t', '1'], { deadline: '1s' }),
  ssh('closed', 'closed', 'CRITICAL'),
  ntp('in step', 'clock', 'OK'),
  ntp('not as far off as asked', 'clock', 'WARNING', ['10:', '60']),
  ntp('a server without a source', 'lost', 'CRITICAL'),
  ntp('nobody there', 'closed', 'CRITICAL'),
  mail('smtp', 'answers', 'smtp', 'OK'),
  mail('smtp', 'greets otherwise', 'smtp', 'WARNING', '554'),
  mail('smtp', 'closed', 'closed', 'CRITICAL'),
  mail('imap', 'answers', 'imap', 'OK'),
  mail('imap', 'not imap', 'greeter', 'WARNING'),
  mail('imap', 'closed', 'closed', 'CRITICAL'),
  ldap('an entry', 'ldap', 'OK'),
  ldap('a user', 'ldap', 'OK', ['-D', `cn=monitor,${base}`, '-P', 'hunter2'], {
    user: `cn=monitor,${base}`,
    password: new Secret('env:P', 'hunter2'),
  }),
  ldap('a wrong password', 'ldap', 'CRITICAL', ['-D', `cn=monitor,${base}`, '-P', 'x'], {
    user: `cn=monitor,${base}`,
    password: new Secret('env:P', 'x'),
  }),
  ldap('a base that is not there', 'ldap', 'CRITICAL', ['-b', 'dc=none,dc=test'], { base: 'dc=none,dc=test' }),
  ldap('nobody there', 'closed', 'CRITICAL'),
  ldap('enough entries', 'ldap', 'OK', ['-C', '1:'], { filter: '(objectClass=*)', 'entries-critical': '1:' }),
  ldap('too few entries', 'ldap', 'CRITICAL', ['-C', '50:'], { filter: '(objectClass=*)', 'entries-critical': '50:' }),
];

const needs = ['root', 'check_ldap', 'slapd', 'dnsmasq', 'dig', 'chronyd', 'aiosmtpd', 'sshd', 'openssl'] as const;
describeWith('monitoring plugins and the checks of servers', needs, () => {
  const webs: Server[] = [];
  const certificates: TestCertificate[] = [];
  const sockets = [createSocket('udp4'), createSocket('udp4')];
  let sshd: Sshd;

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    const serve = async (which: string, server: Server) => {
      webs.push(server.listen(0, '127.0.0.1'));
      await once(server, 'listening');
      ports[which] = (server.address() as AddressInfo).port;
    };
    await serve(
      'web',
      createWeb(({ url }, answer) => {
        if (url === '/moved') answer.writeHead(302, { location: '/' }).end();
        else if (url === '/nothing') answer.writeHead(404).end();
        else if (url === '/broken') answer.writeHead(500).end();
        else if (url === '/slow') setTimeout(() => answer.end('hello'), 400);
        else if (url !== '/never') answer.end('hello');
      }),
    );
    for (const days of [90, 20, 5]) {
      const certificate = makeCertificate(days);
      certificates.push(certificate);
      writeFileSync(join(folder, `days${days}.pem`), certificate.cert);
      await serve(
        `days${days}`,
        createSecureWeb({ cert: certificate.cert, key: certificate.key }, (_, answer) => answer.end('hello')),
      );
    }
    ports.closed = await local.freePort();
    ports.mute = await local.listen(() => {});
    ports.brief = await local.listen((socket) => socket.end('220 hello\r\n'));
    ports.greeter = await local.listen((socket) => socket.write('hello, who are you?\r\n'));
    ports.imap = await local.listen((socket) => {
      socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
      socket.on('data', (said) => {
        const [tag, command = ''] = String(said).trim().split(' ');
        if (/logout|close/i.test(command)) return socket.end(`* BYE\r\n${tag} OK\r\n`);
        return socket.write(`* CAPABILITY IMAP4rev1\r\n${tag} OK done\r\n`);
      });
    });
    for (const [index, which] of ['echo', 'hole'].entries()) {
      const socket = sockets[index] as (typeof sockets)[number];
      if (which === 'echo') socket.on('message', (said, from) => socket.send(said, from.port, from.address));
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      ports[which] = socket.address().port;
    }
    sshd = await startSshd();
    ports.ssh = sshd.port;

    const listens = () => spawnSync('dig', ['+time=1', '+tries=1', `@${name}`, 'www.lab.test']).status === 0;
    await local.start(
      'dnsmasq',
      `--keep-in-foreground --no-resolv --no-hosts --bind-interfaces --conf-file=/dev/null --listen-address=${name} --local=/lab.test/ --host-record=www.lab.test,192.0.2.10`.split(
        ' ',
      ),
      async () => listens(),
    );
    ports.smtp = await local.freePort();
    await local.start('aiosmtpd', ['-n', '-l', `127.0.0.1:${ports.smtp}`], ports.smtp);

    for (const which of ['clock', 'lost']) {
      ports[which] = await local.freePort();
      const config = join(folder, `${which}.conf`);
      const source = which === 'clock' ? 'local stratum 8' : 'server 127.0.0.1 port 9';
      writeFileSync(
        config,
        `port ${ports[which]}\nbindaddress 127.0.0.1\ncmdport 0\nbindcmdaddress /\npidfile ${config}.pid\nallow 127.0.0.0/8\n${source}\n`,
      );
      await local.start('chronyd', ['-d', '-x', '-u', 'root', '-f', config], async () => {
        const udp = readFileSync('/proc/net/udp', 'utf8');
        return udp.includes(`0100007F:${(ports[which] ?? 0).toString(16).toUpperCase().padStart(4, '0')}`);
      });
    }

    mkdirSync(join(folder, 'ldap'));
    const config = join(folder, 'slapd.conf');
    writeFileSync(
      config,
      `include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile ${folder}/slapd.pid\ndatabase mdb\nsuffix "${base}"\ndirectory ${folder}/ldap\naccess to attrs=userPassword by anonymous auth\naccess to * by * read\n`,
    );
    const entries = join(folder, 'entries.ldif');
    writeFileSync(
      entries,
      `dn: ${base}\nobjectClass: dcObject\nobjectClass: organization\no: lab\ndc: lab\n\ndn: cn=monitor,${base}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: monitor\nuserPassword: hunter2\n`,
    );
    execFileSync('/usr/sbin/slapadd', ['-f', config, '-l', entries], { stdio: 'pipe' });
    ports.ldap = await local.freePort();
    await local.start('slapd', ['-d', '0', '-f', config, '-h', `ldap://127.0.0.1:${ports.ldap}`], ports.ldap);
  });
  afterAll(async () => {
    for (const web of webs) web.close();
    for (const socket of sockets) socket.close();
    for (const certificate of certificates) certificate.remove();
    await local.stop();
    await sshd.stop();
    rmSync(folder, { recursive: true });
  });

  compare(inNetwork);
  compareDifferences(inNetwork);
});
