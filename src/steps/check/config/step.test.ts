import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import { Secret } from '../../../secrets/secret.js';
import kind from './step.js';

const folder = mkdtempSync(join(tmpdir(), 'opsctl-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const output = (text: string) => `size\t${Buffer.byteLength(text)}\n${text}`;
const judge = (format: string, text: string, values: readonly object[]) =>
  judgeOutput(kind, output(text), { path: '/etc/app', format, values });
const value = (format: string, text: string, at: string, rest: object = {}) => judge(format, text, [{ at, ...rest }]);
const read = (name: string) => fixture(name, import.meta.url);

describe('check.config', () => {
  it.each([
    ['key-value', 'os-release', { at: 'VERSION_ID', range: '12:' }],
    ['key-value', 'os-release', { at: 'PRETTY_NAME', equals: 'Debian GNU/Linux 12 (bookworm)' }],
    ['key-value', 'sshd_config', { at: 'X11Forwarding', equals: 'yes' }],
    ['key-value', 'sshd_config', { at: 'Subsystem', matches: '^sftp\\s+/usr/lib' }],
    ['key-value', 'sshd_config', { at: 'PermitRootLogin', state: 'absent' }],
    ['ini', 'ssh.service', { at: 'Service.Restart', equals: 'on-failure' }],
    ['ini', 'ssh.service', { at: 'Service.RestartPreventExitStatus', equals: 255 }],
    ['ini', 'my.cnf', { at: 'client-server.socket', equals: '/run/mysqld/mysqld.sock' }],
    ['toml', 'book.toml', { at: 'output.html.search.limit-results', equals: 20, range: '10:30' }],
    ['toml', 'book.toml', { at: 'output.html.additional-css.0', matches: '\\.css$' }],
    ['xml', 'fonts.conf', { at: '/fontconfig/dir[1]', equals: '/usr/share/fonts' }],
    ['xml', 'fonts.conf', { at: "/fontconfig/dir[@prefix='xdg']", equals: 'fonts' }],
    ['xml', 'fonts.conf', { at: '/fontconfig/match[1]/test/@qual', equals: 'any' }],
    ['yaml', 'prometheus.yml', { at: 'global.scrape_interval', equals: '15s' }],
    ['yaml', 'prometheus.yml', { at: 'scrape_configs.*.job_name', matches: '^(prometheus|node)$' }],
  ])('reads %s %s: %j', (format, name, expectation) => {
    expect(judge(format, read(name), [expectation])).toMatchObject({
      outcome: 'ok',
      summary: '/etc/app is as it should be (1 value)',
    });
  });

  it('says what differs, and how', () => {
    const text = '{"port": 8080, "tls": false, "hosts": ["a", "b"], "big": 5e3}';

    expect(
      judge('json', text, [
        { at: 'port', equals: '8080' },
        { at: '/tls', equals: true },
        { at: 'hosts.2', equals: 'c' },
      ]),
    ).toMatchObject({
      outcome: 'failed',
      reason: 'not-equal',
      summary: '/etc/app: port is 8080, should be "8080"; /tls is false, should be true; hosts.2 is not set',
    });
    expect(value('json', text, 'hosts', { equals: 'a' }).summary).toContain('hosts is a list, should be one value');
    expect(value('json', text, 'hosts.1', { matches: '^a$' }).summary).toContain('hosts.1 is "b", should match /^a$/');
    expect(value('json', text, 'hosts.0', { range: 5 })).toMatchObject({ reason: 'not-a-number' });
    expect(value('json', text, 'port', { state: 'absent' }).summary).toContain('port is set to 8080, should be absent');
    expect(value('json', text, 'big', { range: '~:4000' })).toMatchObject({
      reason: 'out-of-range',
      summary: '/etc/app: big is 5000, limit 4000',
    });
  });

  it('makes a metric of a number with a range', () => {
    expect(value('json', '{"a": 5}', 'a', { range: '1:9' }).metrics).toEqual([
      { name: 'a', value: 5, unit: 'count', critical: '1:9' },
    ]);
    expect(value('json', '{"token": 5}', 'token', { range: '1:9' }).metrics).toEqual([]);
  });

  it('wants each of several values to be right', () => {
    expect(value('ini', read('ssh.service'), 'Service.ExecReload', { matches: '^/usr/sbin/sshd' })).toMatchObject({
      reason: 'no-match',
      summary: '/etc/app: Service.ExecReload is "/bin/kill -HUP $MAINPID", should match /^/usr/sbin/sshd/',
    });
    expect(value('json', '{"a": [{"b": 1}, {"b": 2}]}', 'a.*.b', { equals: 1 }).outcome).toBe('failed');
    expect(value('json', '{"a": []}', 'a.*.b').outcome).toBe('failed');
  });

  it.each([
    ['[a]\nk = v ; not a comment\n', 'a.k', 'v ; not a comment'],
    ['# c\n; c\n[a]\n  k=1\n', 'a.k', '1'],
    ['k: v\n', 'k', 'v'],
    ['[remote "a.b"]\nurl = git@x:y=z\n', 'remote "a.b".url', 'git@x:y=z'],
    ['[a.b]\nc.d = 1\n', '/a.b/c.d', '1'],
    ['[a]\nk = "x y"\n', 'a.k', 'x y'],
    ['[a]\nk = one \\\n  two\n', 'a.k', 'one two'],
    ['[a]\nk =\n  one\n  two\n', 'a.k', 'one\ntwo'],
    ['[a]\nskip\n', 'a.skip', ''],
    ['[a]\nk=1\n[b]\n[a]\nj=2\n', 'a.j', '2'],
  ])('reads ini %j', (text, at, wanted) => {
    expect(value('ini', text, at, { equals: wanted })).toMatchObject({ outcome: 'ok' });
  });

  it.each([
    ['export A="x y"\n', 'A', 'x y'],
    ['server.port: 80\n', 'server.port', '80'],
    ['ListenAddress ::\n', 'ListenAddress', '::'],
    ['a=b=c\n', 'a', 'b=c'],
    ['! c\n# c\na = b\n', 'a', 'b'],
    ['EMPTY=\n', 'EMPTY', ''],
    ['flag\n', 'flag', ''],
    ['url=http://x/y\r\n', 'url', 'http://x/y'],
  ])('reads key and value %j', (text, at, wanted) => {
    expect(value('key-value', text, at, { equals: wanted })).toMatchObject({ outcome: 'ok' });
  });

  it.each([
    ['<a><b c="1">x</b><b c="2">y</b></a>', 'a/b[2]', 'y'],
    ['<a><b c="1">x</b><b c="2">y</b></a>', '/a/b[@c="2"]', 'y'],
    ['<a><b><n>k</n><v>1</v></b><b><n>j</n><v>2</v></b></a>', "/a/b[n='j']/v", '2'],
    ['<x:a xmlns:x="u"><x:b> t </x:b></x:a>', '/a/x:b', 't'],
    ['<a>&lt;<![CDATA[&amp;]]></a>', '/a', '<&amp;'],
    ['<a><b/></a>', '/a/*', ''],
  ])('reads xml %j', (text, at, wanted) => {
    expect(value('xml', text, at, { equals: wanted })).toMatchObject({ outcome: 'ok' });
  });

  it.each([
    ['a: no\n', 'a', false],
    ['a: "no"\n', 'a', 'no'],
    ['a: 0755\n', 'a', 493],
    ['base: &b {x: 1}\nuse: {<<: *b, y: 2}\n', 'use.x', 1],
    ['80: web\n', '80', 'web'],
    ['a.b/c: 1\n', '/a.b~1c', 1],
    ['- 1\n- 2\n', '1', 2],
  ])('reads yaml %j', (text, at, wanted) => {
    expect(value('yaml', text, at, { equals: wanted })).toMatchObject({ outcome: 'ok' });
  });

  it.each([
    ['a = 9007199254740993\n', 'a', '9007199254740993'],
    ['a = 1979-05-27\n', 'a', '1979-05-27'],
    ['[[s]]\nn = 1\n[[s]]\nn = 2\n', 's.1.n', 2],
    ['"a.b" = 1\n', '/a.b', 1],
  ])('reads toml %j', (text, at, wanted) => {
    expect(value('toml', text, at, { equals: wanted })).toMatchObject({ outcome: 'ok' });
  });

  it.each([
    ['json', '{"a": 1,}', '/etc/app:1:9: a comma before "}"'],
    ['json', '{"a": 1, "a": 2}', /^\/etc\/app:1:10: `a` is already set/],
    ['json', '', '/etc/app: the file is empty'],
    ['yaml', 'a: [1\nb: 2\n', /^\/etc\/app:\d+:\d+: /],
    ['yaml', 'a: !vault x\n', /^\/etc\/app:1:\d+: /],
    ['yaml', 'a: 1\n---\nb: 2\n', /second document/],
    ['yaml', 'a: 1\nb:\n  c: 1\n  c: 2\n', /^\/etc\/app:4: `c` is set twice$/],
    ['yaml', '{"a": 1, "a": 2}', /^\/etc\/app:1:10: `a` is already set on line 1$/],
    ['yaml', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, /nested deeper than 64 levels$/],
    ['toml', 'a = 1\na = 2\n', /^\/etc\/app:2:\d+: /],
    ['toml', 'a = \n', /^\/etc\/app:1:\d+: /],
    ['xml', '<a><b></a>', /^\/etc\/app:1:\d+: unexpected close tag/],
    ['xml', '', /^\/etc\/app:1:\d+: document must contain a root element/],
    ['ini', '[a\nk=1\n', '/etc/app:1: a section without its "]"'],
    ['ini', '= 1\n', '/etc/app:1: a value without a key'],
    ['ini', 'a=\u0000\n', /^\/etc\/app:1:3: control character/],
    ['ini', '\ufffea', /control character|encoding|UTF-16/i],
  ])('tells where %s %j cannot be read', (format, text, summary) => {
    expect(value(format, text, 'a')).toEqual({
      outcome: 'unknown',
      reason: 'unreadable-file',
      summary: typeof summary === 'string' ? summary : expect.stringMatching(summary),
    });
  });

  it.each([
    [
      'yaml',
      `a: &a [${'x,'.repeat(50)}]\n${Array.from({ length: 20 }, (_, i) => `${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [${`*${String.fromCharCode(97 + i)},`.repeat(9)}]`).join('\n')}\n`,
    ],
    ['yaml', `${'['.repeat(50_000)}`],
    ['json', `${'['.repeat(500_000)}`],
    ['toml', `a = ${'['.repeat(400_000)}`],
    ['xml', `${'<a>'.repeat(300_000)}`],
    ['xml', '<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><a>&y;</a>'],
    ['xml', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
  ])('does not fall for a bomb of %s', (format, text) => {
    expect(value(format, text, 'a').outcome).toBe('unknown');
  });

  it.each([
    ['ini', `${' '.repeat(900_000)}x`],
    ['ini', `a${' '.repeat(900_000)}x`],
    ['key-value', `a${' '.repeat(900_000)}`],
    ['key-value', `${':'.repeat(900_000)}`],
    ['ini', `${'\\'.repeat(900_000)}`],
    ['ini', 'a=1\n'.repeat(240_000)],
  ])('is quick with long lines of %s', (format, text) => {
    const started = performance.now();

    value(format, text, 'nothing');

    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('keeps keys of JavaScript apart', () => {
    for (const at of ['constructor', '__proto__', 'toString', 'a.length', 'b.length']) {
      expect(value('json', '{"a": [1], "b": "x"}', at).reason, at).toBe('absent');
      expect(value('toml', 'a = [1]\nb = "x"\n', at).reason, at).toBe('absent');
      expect(value('yaml', 'a: [1]\nb: x\n', at).reason, at).toBe('absent');
    }
    expect(value('xml', '<a/>', '/a/@constructor').reason).toBe('absent');
  });

  it.each([
    [{ at: 'db.password', equals: 'short' }, 'db.password differs (14 characters, should be 5)'],
    [{ at: 'db.password', equals: 'hunter2-hunter' }, 'db.password differs (both have 14)'],
    [{ at: 'db.password', matches: '^x' }, 'db.password does not match (14 characters)'],
    [{ at: 'db.password', range: 5 }, 'db.password is not a number'],
    [{ at: 'db.password', state: 'absent' }, 'db.password is set, should be absent'],
    [{ at: 'db.url', equals: 'x' }, 'db.url differs (37 characters, should be 1)'],
    [{ at: 'db.note', equals: 'x', sensitive: true }, 'db.note differs (14 characters, should be 1)'],
    [{ at: 'db.note', equals: new Secret('env:X', 'other') }, 'db.note differs (14 characters, should be 5)'],
  ])('never shows what may be a secret: %j', (expectation, summary) => {
    const text =
      'db:\n  password: hunter2-mellon\n  url: postgres://app:hunter2-mellon@db/prod\n  note: hunter2-mellon\n';
    const params = withDefaults(kind, { path: '/a', format: 'yaml', values: [expectation] });
    const bytes = { stdout: Buffer.from(output(text)), stderr: Buffer.alloc(0), exitStatus: 0 };

    const data = kind.parse(bytes, params);
    const judgement = judge('yaml', text, [expectation]);

    expect(judgement.summary).toBe(`/etc/app: ${summary}`);
    expect(JSON.stringify([data, judgement])).not.toContain('hunter2-mellon');
  });

  it.each([
    ['yaml', 'password: *hunter2\n'],
    ['yaml', 'password: !hunter2 x\n'],
    ['yaml', 'password: "hunter2\n'],
    ['yaml', 'password: hunter2: x\n'],
    ['json', '{"pin": 12345678901234hunter2}'],
    ['json', '{"pin": hunter2}'],
    ['toml', 'password = hunter2\n'],
    ['toml', 'password = "hunter2\n'],
    ['xml', '<p>&hunter2;</p>'],
    ['xml', '<p>hunter2</q>'],
  ])('never shows what cannot be read: %s %j', (format, text) => {
    const judgement = value(format, text, 'password');

    expect(judgement.outcome).toBe('unknown');
    expect(judgement.summary).not.toContain('hunter2');
  });

  it('compares with a secret', () => {
    expect(value('ini', 'key=abc\n', 'key', { equals: new Secret('env:X', 'abc') }).outcome).toBe('ok');
    expect(value('json', '{"pin": 1234}', 'pin', { equals: new Secret('env:X', '1234') }).outcome).toBe('ok');
  });

  it('keeps what the host said out of results', () => {
    expect(kind.hidesOutput).toBe(true);
  });

  it('refuses what it could not check', () => {
    const problems = (given: object) => kind.validate?.(withDefaults(kind, { path: '/a.xml', ...given })) ?? [];

    expect(problems({ path: '/etc/app.conf', values: [{ at: 'a' }] })).toMatchObject([
      { path: ['format'], what: 'the name of /etc/app.conf does not tell its format' },
    ]);
    expect(problems({ values: [{ at: '/a/[b' }] })).toMatchObject([{ path: ['values', 0, 'at'] }]);
    expect(
      problems({
        values: [
          { at: '/a', range: '5:1' },
          { at: '/a', matches: '(' },
        ],
      }),
    ).toMatchObject([{ path: ['values', 0, 'range'] }, { code: 'E_REGEX', path: ['values', 1, 'matches'] }]);
    expect(problems({ values: [{ at: '/a', state: 'absent', equals: 1 }] })).toMatchObject([
      { path: ['values', 0, 'state'] },
    ]);
  });

  it('tells a missing file and a large one', () => {
    const given = { path: '/etc/app.json', values: [{ at: 'a' }] };

    expect(judgeOutput(kind, 'absent\t\n', given)).toMatchObject({ outcome: 'failed', reason: 'no-file' });
    expect(judgeOutput(kind, 'size\t1000001\n', given)).toMatchObject({
      outcome: 'unknown',
      summary: '/etc/app.json: larger than 1 MB',
    });
  });

  it.each(['', 'size\t\n', 'size\t5\nabc', 'size\t2\nabc', 'other\t1\n'])('does not take %j for an answer', (said) => {
    expect(() => judgeOutput(kind, said, { path: '/a.json', values: [{ at: 'a' }] })).toThrow();
  });
});

describeWith('check.config on this machine', ['dash', 'bash', 'busybox'], () => {
  it.each(Object.keys(shells))('reads files with %s', (shell) => {
    const path = join(folder, `it's "a" $(b).json`);
    writeFileSync(path, '{"a": "ä"}');
    const look = (at: string, given: object) => {
      const whole = { path: at, format: 'json', values: [given] };
      return judgeOutput(kind, runProbe(kind, whole, shell), whole).reason;
    };

    expect(look(path, { at: 'a', equals: 'ä' })).toBe('ok');
    expect(look(join(folder, 'none', 'x'), { at: 'a' })).toBe('no-file');
    expect(look('/etc/os-release', { at: 'a' })).toBe('unreadable-file');
    expect(runProbe(kind, { path: folder, values: [] }, shell).exitStatus).toBe(69);
    expect(runProbe(kind, { path: '/dev/zero', values: [] }, shell).exitStatus).toBe(69);
  });

  it.each(Object.keys(shells))('sends no more than 1 MB with %s', (shell) => {
    const path = join(folder, 'large.json');
    writeFileSync(path, ' '.repeat(1_000_001));

    expect(runProbe(kind, { path, values: [] }, shell).stdout.toString()).toBe('size\t1000001\n');
  });
});

describeWith('check.config without rights', ['sudo', 'root', 'dash'], () => {
  it('tells a closed file and a closed folder from a missing one', () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    writeFileSync(join(folder, 'file.json'), '{}', { mode: 0o600 });
    execFileSync('chmod', ['755', folder]);
    const status = (path: string) => {
      try {
        execFileSync('sudo', ['-u', 'nobody', 'dash', '-c', kind.probe.text, 'sh', path], { stdio: 'pipe' });
        return 0;
      } catch (error) {
        return (error as { status: number }).status;
      }
    };

    expect(status(join(folder, 'file.json'))).toBe(77);
    expect(status(join(closed, 'x.json'))).toBe(77);
    expect(status(join(folder, 'none.json'))).toBe(0);
  });
});
