import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../../test/support/certificates.js';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import { Secret } from '../../../secrets/secret.js';
import kind from './step.js';

const entries = `dn: dc=lab,dc=test
objectClass: dcObject
objectClass: organization
dc: lab
o: Lab

dn: cn=monitor,dc=lab,dc=test
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: monitor
userPassword: hunter2

dn: ou=hidden,dc=lab,dc=test
objectClass: organizationalUnit
ou: hidden

dn: ou=people,dc=lab,dc=test
objectClass: organizationalUnit
ou: people

${[
  ['anna', 'Müller', 'description: a * and (brackets)\n'],
  ['bert', 'Smith', 'description: b\n'],
  ['carl', 'Smith', ''],
  ['dora', 'Jones', ''],
]
  .map(
    ([cn, sn, more]) => `dn: cn=${cn},ou=people,dc=lab,dc=test\nobjectClass: person\ncn: ${cn}\nsn: ${sn}\n${more}\n`,
  )
  .join('')}`;

describeWith('check.ldap', ['slapd', 'ldapsearch', 'openssl', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-ldap-'));
  const local = servers();
  const user = 'cn=monitor,dc=lab,dc=test';
  const base = 'dc=lab,dc=test';
  let certificate: TestCertificate;
  let ca: string;
  let port: number;
  let secure: number;
  let strict: number;

  /** A slapd of its own; gives the port without and the one with TLS. */
  async function startSlapd(name: string, lines: string): Promise<[number, number]> {
    const config = join(folder, `${name}.conf`);
    const data = join(folder, name);
    mkdirSync(data);
    const schemas = ['core', 'cosine', 'inetorgperson']
      .map((one) => `include /etc/ldap/schema/${one}.schema`)
      .join('\n');
    const { certFile, keyFile } = certificate;
    writeFileSync(
      config,
      `${schemas}\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile ${data}/pid\nTLSCertificateFile ${certFile}
TLSCertificateKeyFile ${keyFile}\n${lines}\ndatabase mdb\nsuffix "${base}"\ndirectory ${data}
access to dn.base="ou=hidden,${base}" by * none
access to attrs=userPassword by anonymous auth\naccess to * by * read\n`,
    );
    const file = join(folder, `${name}.ldif`);
    writeFileSync(file, entries);
    execFileSync('/usr/sbin/slapadd', ['-f', config, '-l', file], { stdio: 'pipe' });
    const plain = await local.freePort();
    const tls = await local.freePort();
    await local.start(
      'slapd',
      ['-d', '0', '-f', config, '-h', `ldap://127.0.0.1:${plain} ldaps://127.0.0.1:${tls}`],
      tls,
    );
    return [plain, tls];
  }

  beforeAll(async () => {
    certificate = makeCertificate();
    ca = certificate.certFile;
    [port, secure] = await startSlapd('open', '');
    [strict] = await startSlapd('strict', 'security simple_bind=128\ndisallow bind_anon');
  });

  afterAll(async () => {
    await local.stop();
    certificate.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const password = new Secret('env:P', 'hunter2');
  const ask = (given: object) => look(kind, { port, tls: 'none', ...given });

  it('reads the root DSE of a real server as nobody', async () => {
    expect(await ask({})).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^127\.0\.0\.1:\d+ answers in [\d.]+ m?s$/),
      metrics: [{ name: 'time', unit: 'seconds' }],
    });
  });

  it('logs in and reads an entry', async () => {
    const inside = await ask({ user, password, base });

    expect(inside).toMatchObject({ outcome: 'ok', summary: expect.stringContaining(`gives ${base}, answers in`) });
    expect(JSON.stringify(inside)).not.toContain('hunter2');
    expect(await ask({ user, password, base, critical: '@0:60s' })).toMatchObject({ outcome: 'failed' });
    expect(await ask({ user, password, base, warning: '@0:60s' })).toMatchObject({ outcome: 'warning' });
  });

  it('starts TLS, or speaks it from the beginning, with a server that it trusts', async () => {
    for (const tls of [
      { tls: 'starttls', port },
      { tls: 'implicit', port: secure },
    ]) {
      expect((await ask({ ...tls, ca, user, password, base })).outcome).toBe('ok');
      expect(await ask({ ...tls, user, password })).toMatchObject({ outcome: 'failed', reason: 'self-signed' });
      expect(await ask({ ...tls, ca, servername: 'x.test' })).toMatchObject({ reason: 'wrong-name' });
    }
    expect((await ask({ tls: 'implicit', port, ca, deadline: '1s' })).outcome).toBe('failed');
    expect((await ask({ tls: 'none', port: secure, deadline: '1s' })).outcome).toBe('failed');
  });

  it.each([
    ['a wrong password', { user, password: 'wrong' }, 'unknown', 'auth-failed', '(49)'],
    ['an unknown user', { user: `cn=nobody,${base}`, password: 'x' }, 'unknown', 'auth-failed', '(49)'],
    ['an empty password', { user, password: '' }, 'unknown', 'auth-failed', 'the password is empty'],
    ['a user that is no name', { user: 'monitor', password: 'x' }, 'unknown', 'bad-name', '(34 invalid DN)'],
    ['an entry that is not there', { base: `ou=gone,${base}` }, 'failed', 'no-such-object', '(32)'],
    ['an entry that may not be seen', { base: `ou=hidden,${base}` }, 'failed', 'no-such-object', 'may not be read'],
    ['a base elsewhere', { base: 'dc=other,dc=test' }, 'failed', 'no-such-object', 'is not there'],
  ])('tells of %s', async (_, given, outcome, reason, text) => {
    expect(await ask(given)).toMatchObject({ outcome, reason, summary: expect.stringContaining(text) });
  });

  it('tells of a server that wants more', async () => {
    expect(await ask({ port: strict })).toMatchObject({ outcome: 'unknown', reason: 'auth-failed' });
    expect(await ask({ port: strict, user, password })).toMatchObject({
      outcome: 'unknown',
      reason: 'stronger-auth-required',
    });
    expect((await ask({ port: strict, tls: 'starttls', ca, user, password, base })).outcome).toBe('ok');
  });

  describe('a search', () => {
    const people = `ou=people,${base}`;
    const count = (filter: string, given: object = {}) =>
      ask({ base: people, filter, 'entries-critical': '0:', ...given });

    it.each([
      ['(objectClass=person)', 4],
      ['(cn=anna)', 1],
      ['(cn=ANNA)', 1],
      ['(&(objectClass=person)(|(cn=anna)(cn=bert)))', 2],
      ['(&(objectClass=person)(!(cn=anna)))', 3],
      ['(cn=*n*a)', 1],
      ['(cn=a*)', 1],
      ['(cn=*t)', 1],
      ['(description=*)', 2],
      ['(description=a \\2a and \\28brackets\\29)', 1],
      ['(description=a \\2a*)', 1],
      ['(sn=Müller)', 1],
      ['(sn=M\\c3\\bcller)', 1],
      ['(sn~=Müller)', 1],
      ['(roomNumber>=0)', 0],
      ['(createTimestamp>=20000101000000Z)', 5],
      ['(createTimestamp<=20000101000000Z)', 0],
      ['(cn:caseExactMatch:=anna)', 1],
      ['(cn:caseExactMatch:=ANNA)', 0],
      ['(:caseIgnoreMatch:=anna)', 1],
      ['(ou:dn:=people)', 5],
      [' (cn=anna) ', 1],
    ])('counts %s', async (filter, entries) => {
      expect(await count(filter)).toMatchObject({
        outcome: 'ok',
        metrics: [{ name: 'entries', value: entries, unit: 'count' }, { name: 'time' }],
      });
    });

    it('finds what ldapsearch finds', async () => {
      const filter = '(&(objectClass=*)(|(cn=*a*)(description=*))(!(sn=Smith)))';
      const words = ['-x', '-LLL', '-H', `ldap://127.0.0.1:${port}`, '-b', people, filter, '1.1'];
      const found = execFileSync('ldapsearch', words, { encoding: 'utf8' }).match(/^dn:/gm);

      expect((await count(filter)).data.entries).toBe(found?.length);
    });

    it('puts limits on the number, and looks where it is told', async () => {
      expect(await count('(objectClass=person)', { 'entries-critical': '5:' })).toMatchObject({
        outcome: 'failed',
        reason: 'below-critical',
        summary: expect.stringContaining('has 4 entries for (objectClass=person), at least 5'),
      });
      expect(await count('(cn=gone)', { 'entries-critical': '1:' })).toMatchObject({ outcome: 'failed' });
      expect(await count('(cn=anna)', { 'entries-critical': undefined, 'entries-warning': 0 })).toMatchObject({
        outcome: 'warning',
        summary: expect.stringContaining('has 1 entry for (cn=anna), limit 0'),
      });
      expect((await count('(objectClass=*)', { scope: 'base' })).data.entries).toBe(1);
      expect((await count('(objectClass=*)', { scope: 'one' })).data.entries).toBe(4);
      expect((await count('(objectClass=*)', { base, scope: 'one' })).data.entries).toBe(2);
    });

    it('takes no part for the whole', async () => {
      const [few] = await startSlapd('few', 'sizelimit 2');

      expect(await count('(objectClass=person)', { port: few })).toMatchObject({
        outcome: 'unknown',
        reason: 'size-limit',
        summary: expect.stringContaining('more than 2 entries'),
      });
    });

    it.each([
      ['cn=anna', 'there must be a "(", at character 1'],
      ['(cn=anna', 'there must be a ")", at character 9'],
      ['(cn=anna))', 'something behind the last bracket'],
      ['(cn)', 'not a comparison'],
      ['(=anna)', 'without an attribute'],
      ['(cn=**)', 'only stars'],
      ['(cn=\\x)', 'a backslash without two hex digits'],
      ['(!(cn=a)(cn=b))', 'a "!" is for one filter'],
      [`${'(!'.repeat(60)}(cn=a)${')'.repeat(60)}`, 'more than 50 brackets'],
    ])('refuses %s', (filter, text) => {
      const given = withDefaults(kind, { base, filter, 'entries-critical': '1:' });

      expect(kind.validate?.(given)).toMatchObject([{ path: ['filter'], what: expect.stringContaining(text) }]);
    });

    it('refuses a filter without a limit or a base, and a limit without a filter', () => {
      expect(kind.validate?.(withDefaults(kind, { base, filter: '(cn=a)' }))).toHaveLength(1);
      expect(kind.validate?.(withDefaults(kind, { filter: '(cn=a)', 'entries-critical': 1 }))).toHaveLength(1);
      expect(kind.validate?.(withDefaults(kind, { base, 'entries-critical': 1 }))).toHaveLength(1);
    });
  });

  const answer = (...messages: readonly string[]) =>
    local.listen((socket) => {
      const rest = [...messages];
      socket.on('data', () => socket.write(Buffer.from(rest.shift() ?? '', 'hex')));
    });
  const bound = '300c02010261070a010004000400';

  it.each([
    ['a busy server', ['300c02010261070a013304000400'], 'busy'],
    ['a notice of the end', ['300c02010078070a013404000400'], 'unavailable'],
    ['an answer to another question', ['300c02010961070a010004000400'], 'protocol-error'],
    ['an answer of the wrong kind', ['300c02010265070a010004000400'], 'protocol-error'],
    ['a length without end', ['3080020102'], 'protocol-error'],
    ['a length of gigabytes', ['3084ffffffff0201'], 'timeout'],
    ['parts that are cut off', ['300c020102617f0a010004000400'], 'protocol-error'],
    ['a result without a code', ['3005020102610000'], 'protocol-error'],
    ['an empty message', ['3000'], 'protocol-error'],
    ['no entry', [bound, '300c02010365070a010004000400'], 'no-such-object'],
    ['a referral', [bound, '300c02010365070a010a04000400'], 'referral'],
    ['entries without end', [bound, '3009020103640404003000'.repeat(500)], 'protocol-error'],
  ])('fails for %s', async (_, messages, reason) => {
    const port = await answer(...messages);

    expect(await ask({ port, deadline: '400ms' })).toMatchObject({ outcome: 'failed', reason });
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const port = await local.listen(faults[fault] as never);

    for (const tls of ['starttls', 'implicit', 'none'])
      expect((await ask({ port, tls, deadline: '300ms' })).outcome).toBe('failed');
  });

  it('stops when the step is stopped', async () => {
    const mute = await local.listen(() => {});

    await expect(look(kind, { port: mute }, AbortSignal.timeout(100))).rejects.toThrow();
    expect(kind.validate?.(withDefaults(kind, { user }))).toHaveLength(1);
  });
});
