import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeOutput, outputOf, runProbe, shells } from '../../../../test/support/probe.js';
import { documentReader } from '../../../documents/document-reader.js';
import type { Problem } from '../../../errors.js';
import { problemLine } from '../../../errors.js';
import kind, { type GossData } from './step.js';
import { loadSuite, type Suite } from './suite.js';

const scratch = mkdtempSync(join(tmpdir(), 'opsctl-goss-'));
afterAll(() => rmSync(scratch, { recursive: true }));

interface Loaded {
  readonly suite: Suite;
  readonly problems: readonly string[];
}

/** The suite of `goss.yaml` among these files. */
async function load(files: Readonly<Record<string, string>> | string, params: object = {}): Promise<Loaded> {
  const folder = mkdtempSync(join(scratch, 'project-'));
  for (const [name, text] of Object.entries(typeof files === 'string' ? { 'goss.yaml': files } : files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const problems: Problem[] = [];
  const place = (path: readonly (string | number)[]) => ({ file: `with.${path.join('.')}` });
  const refuse = (problem: Problem) => problems.push(problem);
  const reader = documentReader({ cwd: folder, folder, root: folder, place, refuse, files: [] });
  const suite = await loadSuite({ file: 'goss.yaml', env: {}, ...params }, reader);
  return { suite, problems: problems.map(problemLine) };
}

async function params(files: Readonly<Record<string, string>> | string, given: object = {}) {
  const { suite, problems } = await load(files, given);
  expect(problems).toEqual([]);
  return { file: 'goss.yaml', suite };
}

function testsOf(output: ReturnType<typeof outputOf>, given: Awaited<ReturnType<typeof params>>): GossData['tests'] {
  return kind.parse(output, { env: {}, ...given }).tests;
}

/** Facts that hold on every Linux with a root user. */
const good = `
file:
  /etc/passwd: { exists: true, filetype: file, owner: root, uid: 0, gid: 0, mode: "0644", size: { gt: 10 }, contents: ["/^root:/", "!nosuch:"] }
  /etc/mtab: { exists: true, filetype: symlink, linked-to: { have-suffix: mounts } }
  /tmp: { exists: true, filetype: directory, mode: "1777" }
  /dev/null: { exists: true, filetype: character-device, group: root }
  ~root: { exists: true, filetype: directory }
  ${scratch}/hello: { exists: true, contents: "hello\\n", md5: b1946ac92492d2347c6235b4d2611184, sha256: 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03, sha512: { have-prefix: e7c22b994c59d9cf } }
  ${scratch}/absent: { exists: false }
command:
  echo out; echo err >&2; exit 3: { exit-status: 3, stdout: [out], stderr: [err] }
  quiet: { exec: 'true', exit-status: 0, stdout: "", stderr: "" }
  printf 'a\\n\\nb': { exit-status: 0, stdout: "a\\n\\nb" }
  not there: { exec: no-such-program-here, exit-status: 127, stderr: [not found] }
user:
  root: { exists: true, uid: 0, gid: 0, home: /root, groups: [root], shell: { match-regexp: sh$ } }
  nosuch: { exists: false }
group:
  root: { exists: true, gid: 0 }
  nosuch: { exists: false }
interface:
  lo: { exists: true, addrs: [127.0.0.1/8], mtu: { ge: 1500 } }
  nosuch0: { exists: false }
kernel-param:
  kernel.ostype: { value: Linux }
  kernel.pid_max: { value: { gt: 100 } }
mount:
  /proc: { exists: true, filesystem: proc, opts: [rw], vfs-opts: [rw], source: proc }
  /: { exists: true, usage: { and: [{ ge: 0 }, { le: 100 }] } }
  /nosuch: { exists: false }
package:
  bash: { installed: true, versions: { contain-element: { match-regexp: '^5\\.' } } }
  no-such-package: { installed: false }
port:
  tcp:1: { listening: false }
  udp6:1: { listening: false }
process:
  no-such-process: { running: false }
addr:
  tcp://127.0.0.1:1: { reachable: false, timeout: 1000 }
dns:
  localhost: { resolvable: true, addrs: { contain-element: { match-regexp: '^(127\\.0\\.0\\.1|::1)$' } }, timeout: 2000 }
matching:
  versions: { content: [1.0.1, 1.9.9], matches: { semver-constraint: '>1.0.0 <2.0.0' } }
`;

/** The same resources, and nothing that holds. */
const bad = `
file:
  /etc/passwd: { exists: true, filetype: directory, owner: nobody, uid: 1, gid: 1, mode: "0600", size: { lt: 10 }, contents: ["!/^root:/"] }
  /etc/mtab: { exists: false }
  /tmp: { exists: { not: true } }
  ${scratch}/hello: { exists: true, contents: hello, md5: "0", sha256: "0", sha512: "0", linked-to: x }
  ${scratch}/absent: { exists: true }
command:
  echo out; echo err >&2; exit 3: { exit-status: 0, stdout: [err], stderr: [out] }
  sleep 5: { exit-status: 0, timeout: 1000 }
user:
  root: { exists: true, uid: 1, gid: 1, home: /home, groups: [nosuch], shell: /bin/none }
  nosuch: { exists: true }
group:
  root: { exists: true, gid: 1 }
  nosuch: { exists: true }
interface:
  lo: { exists: true, addrs: [10.0.0.1/8], mtu: 1 }
  nosuch0: { exists: true }
kernel-param:
  kernel.ostype: { value: Windows }
  kernel.nosuch: { value: "1" }
mount:
  /proc: { exists: true, filesystem: ext4, opts: [nosuch], vfs-opts: [nosuch], source: /dev/sda }
  /: { exists: true, usage: { gt: 100 } }
  /nosuch: { exists: true }
package:
  bash: { installed: true, versions: ["1"] }
  no-such-package: { installed: true }
port:
  tcp:1: { listening: true }
process:
  no-such-process: { running: true }
addr:
  tcp://127.0.0.1:1: { reachable: true }
dns:
  localhost: { resolvable: true, addrs: [192.0.2.1], timeout: 2000 }
matching:
  versions: { content: [1.0.1, 1.9.9], matches: { semver-constraint: '>2.0.0' } }
`;

writeFileSync(join(scratch, 'hello'), 'hello\n');

describe('check.goss on this machine', () => {
  for (const shell of Object.keys(shells)) {
    it(`passes what holds, with ${shell}`, async () => {
      const given = await params(good);

      const tests = testsOf(runProbe(kind, given, shell), given);

      expect(tests.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
      expect(tests.length).toBeGreaterThan(60);
    });

    it(`fails what does not hold, with ${shell}`, async () => {
      const given = await params(bad);
      const doors = /^(exists|resolvable|installed)$/;

      const tests = testsOf(runProbe(kind, given, shell), given);

      const wrong = tests.filter(({ attribute, outcome }) => outcome !== 'failed' && !doors.test(attribute));
      expect(wrong).toEqual([]);
      expect(tests.filter(({ outcome }) => outcome === 'passed')).toHaveLength(9);
    }, 30_000);
  }

  it('sees a process, but none of its own', async () => {
    const program = join(scratch, 'goss-test-shell');
    copyFileSync('/bin/dash', program);
    const given = await params('process: { goss-test-shell: { running: true } }');
    const args = kind.args({ env: {}, ...given }).map(String);
    const ask = () => {
      const { stdout, stderr, status } = spawnSync(program, ['-c', kind.probe.text, 'sh', ...args]);
      return testsOf({ stdout, stderr, exitStatus: status ?? -1 }, given)[0]?.outcome;
    };

    const alone = ask();
    const other = spawn(program, ['-c', 'read x'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(other, 'spawn');
    const withOther = ask();
    other.kill();

    expect([alone, withOther]).toEqual(['failed', 'passed']);
  });

  it('tells what a command does not say within its time', async () => {
    const given = await params('command: { sleep 20: { exit-status: 0, stdout: [x], timeout: 1000 } }');

    expect(judgeOutput(kind, runProbe(kind, given), given)).toMatchObject({
      outcome: 'failed',
      summary:
        'goss.yaml: 2 of 2 tests failed: command sleep 20 exit-status it did not end within 1 s; command sleep 20 stdout it did not end within 1 s',
    });
  });

  it('does not mix up what commands print with its own words', async () => {
    const text = 'question\\tfile\\nend\\t\\n|x\\n.\\nended\\t0 0\\n';
    const given = await params(`command: { "printf '${text}'": { exit-status: 0, stdout: "${text}" } }`);

    expect(testsOf(runProbe(kind, given), given).map(({ outcome }) => outcome)).toEqual(['passed', 'passed']);
  });

  it('lets hosts print what is asked for, and no more', async () => {
    const long = Array.from({ length: 12 }, (_, index) => `seq ${index} 100000: { exit-status: 0 }`).join(', ');
    const given = await params(`command: { ${long}, seq 99 100000: { exit-status: 0, stdout: ['100'], stderr: "" } }`);

    const output = runProbe(kind, given);

    expect(output.stdout.length).toBeLessThan(1024 * 1024);
    expect(new Set(testsOf(output, given).map(({ outcome }) => outcome))).toEqual(new Set(['passed']));
  });

  it('looks at the start of long texts, and says when that does not decide', async () => {
    const given = await params(
      "command: { seq 1 200000: { exit-status: 0, stdout: ['/^17$/'] }, seq 2 200000: { exit-status: 0, stdout: ['!/^x$/'] } }",
    );

    const tests = testsOf(runProbe(kind, given), given);

    expect(tests.map(({ outcome }) => outcome)).toEqual(['passed', 'passed', 'passed', 'unknown']);
    expect(tests[3]?.detail).toMatch(/^only its first \d+ bytes were looked at/);
  });
});

describe('check.goss', () => {
  it('skips what asks for it, and what makes no sense without the first test', async () => {
    const given = await params(`
file:
  ${scratch}/absent: { exists: false, mode: "0644" }
  ${scratch}/gone: { mode: "0644", exists: true }
  /: { exists: true, skip: true }
`);

    const tests = testsOf(runProbe(kind, given), given);

    expect(tests.map(({ attribute, outcome }) => `${attribute} ${outcome}`)).toEqual([
      'exists passed',
      'mode skipped',
      'exists failed',
      'mode skipped',
      'exists skipped',
    ]);
  });

  it('gives findings and counts', async () => {
    const given = await params(
      'user: { root: { title: Root, exists: true, uid: 7 }, x: { exists: true, skip: true } }',
    );

    expect(judgeOutput(kind, runProbe(kind, given), given)).toEqual({
      outcome: 'failed',
      reason: 'goss-failed',
      summary: 'goss.yaml: 1 of 3 tests failed (1 skipped): user root uid is 0, should be 7',
      findings: [{ id: 'goss-user', severity: 'high', subject: 'root uid', detail: 'Root: is 0, should be 7' }],
      metrics: [
        { name: 'passed', value: 1, unit: 'count', min: 0, max: 3 },
        { name: 'failed', value: 1, unit: 'count', min: 0, max: 3 },
        { name: 'unknown', value: 0, unit: 'count', min: 0, max: 3 },
        { name: 'skipped', value: 1, unit: 'count', min: 0, max: 3 },
      ],
    });
  });

  it('is skipped when all tests are', async () => {
    const given = await params('user: { root: { exists: true, skip: true } }');

    expect(judgeOutput(kind, runProbe(kind, given), given)).toMatchObject({
      outcome: 'skipped',
      reason: 'nothing-tested',
    });
  });

  it('is unknown, not failed, where the host cannot tell', async () => {
    const given = await params('package: { bash: { installed: true } }\nuser: { root: { exists: true } }');
    const said =
      'order\tlittle\nquestion\tpackage\ncannot\t*\tno package manager\nquestion\tuser\nuser\troot:x:0:0::/root:/bin/sh\nend\t\n';

    expect(judgeOutput(kind, said, given)).toMatchObject({
      outcome: 'unknown',
      reason: 'goss-unknown',
      summary: 'goss.yaml: 1 of 2 tests could not be judged: package bash installed no package manager',
    });
  });

  it.each([
    ['nothing', ''],
    ['no end', 'order\tlittle\nquestion\tuser\nabsent\t\n'],
    ['another answer', 'order\tlittle\nquestion\tgroup\nabsent\t\nend\t\n'],
    ['a line that no probe prints', 'order\tlittle\nquestion\tuser\nhello\nend\t\n'],
  ])('cannot read %s', async (_, said) => {
    const given = await params('user: { root: { exists: true } }');

    expect(() => testsOf(outputOf(said), given)).toThrow();
  });
});

/** Answers of hosts that this machine is not, by what their tools' manuals say, and what should hold of them. */
const elsewhere: readonly (readonly [string, object, string])[] = [
  [
    'rpm',
    { package: { bash: { installed: true, versions: { 'consist-of': ['5.1.8-9.el9', '2:1.0-1'] } } } },
    'question\tpackage\nmanager\trpm\ntext\tpackages\n|5.1.8-9.el9\n|2:1.0-1\n|.\n',
  ],
  [
    'apk',
    { package: { 'busybox-extras': { installed: true, versions: ['1.36.1-r5'] } } },
    'question\tpackage\nmanager\tapk\ntext\tpackages\n|busybox-extras-1.36.1-r5\n|.\n',
  ],
  [
    'pacman',
    { package: { bash: { installed: true, versions: ['5.2.015-1'] } } },
    'question\tpackage\nmanager\tpacman\ntext\tpackages\n|bash 5.2.015-1\n|.\n',
  ],
  [
    'dpkg with a package that is removed, not purged',
    { package: { vim: { installed: false } } },
    'question\tpackage\nmanager\tdpkg\ntext\tpackages\n|deinstall ok config-files\t2:9.0\n|.\n',
  ],
  [
    'OpenRC',
    { service: { sshd: { enabled: true, running: false, runlevels: ['default'] } } },
    'question\tservice\nmanager\topenrc\nlevel\tdefault\nrunning\t3\n',
  ],
  [
    'System V',
    { service: { ssh: { enabled: true, running: true, runlevels: { 'consist-of': ['2', '3', '4', '5'] } } } },
    'question\tservice\nmanager\tsysv\nlevel\t2\nlevel\t3\nlevel\t4\nlevel\t5\nrunning\t0\n',
  ],
  [
    'a tunnel with a peer',
    { interface: { tun0: { exists: true, mtu: 1500, addrs: { 'consist-of': ['10.8.0.2/32', 'fe80::1/64'] } } } },
    'question\tinterface\nmtu\t1500\naddress\t9: tun0    inet 10.8.0.2 peer 10.8.0.1/32 scope global tun0\naddress\t9: tun0    inet6 fe80::1/64 scope link\n',
  ],
  [
    'a file whose owner has no name',
    { file: { '/x': { exists: true, owner: '4711', group: 'staff', mode: '4755', size: 7, filetype: 'file' } } },
    'question\tfile\nstate\t89ed 4711 50 7 UNKNOWN staff\n',
  ],
  [
    'a mount with a space in its source',
    { mount: { '/srv': { exists: true, source: 'nas:/a b', opts: { not: ['noexec'] }, usage: 25 } } },
    'question\tmount\nmount\trw,nosuid shared:1 - nfs4 nas:/a\\040b rw,vers=4.2\nblocks\t400 300\n',
  ],
  [
    'commas in quotes in the options of a file system',
    { mount: { '/': { exists: true, 'vfs-opts': { 'consist-of': ['rw', 'context="a:b:s0:c1,c2"', 'mode=755'] } } } },
    'question\tmount\nmount\trw - tmpfs tmpfs rw,context="a:b:s0:c1,c2",mode=755\n',
  ],
  [
    'a machine with the highest byte first',
    { port: { 'tcp:22': { listening: true, ip: { 'consist-of': ['127.0.0.1'] } } } },
    'question\tport\nsocket\t7F000001\n',
  ],
];

describe('check.goss on other hosts', () => {
  it.each(elsewhere)('reads %s', async (_, goss, said) => {
    const given = await params(JSON.stringify(goss));

    const tests = testsOf(outputOf(`order\tbig\n${said}end\t\n`), given);

    expect(tests.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  });

  it.each([
    ['user', { user: { root: { exists: true, uid: 0 } } }, 'user\troot\n'],
    ['mount', { mount: { '/': { exists: true, usage: 1 } } }, 'mount\trw - ext4 /dev/sda rw\nblocks\tmany\n'],
    ['service', { service: { x: { running: true } } }, ''],
    ['addr', { addr: { 'a:1': { reachable: true } } }, ''],
    ['command', { command: { x: { 'exit-status': 0 } } }, 'ended\tsoon\n'],
    ['port', { port: { 'tcp:1': { listening: true } } }, 'socket\tlocalhost\n'],
  ])('is unknown about an answer on %s that makes no sense', async (kindOfQuestion, goss, said) => {
    const given = await params(JSON.stringify(goss));

    const tests = testsOf(outputOf(`order\tlittle\nquestion\t${kindOfQuestion}\n${said}end\t\n`), given);

    expect(tests.at(-1)?.outcome).toBe('unknown');
  });
});

describe('a goss file', () => {
  it('is a template with the variables of the step', async () => {
    const { suite, problems } = await load(
      {
        'goss.yaml':
          'user:\n{{ range .Vars.users }}\n  {{ . }}: { exists: true, home: /home/{{ . }}, title: {{ $.Env.OS }} }\n{{ end }}',
        'vars.yaml': 'users: [a, b]\n',
      },
      { vars: 'vars.yaml', env: { OS: 'debian' } },
    );

    expect(problems).toEqual([]);
    expect(suite.resources.map(({ id, title, tests }) => [id, title, tests[1]?.matcher.expected])).toEqual([
      ['a', 'debian', '/home/a'],
      ['b', 'debian', '/home/b'],
    ]);
  });

  it('may leave out what does not apply', async () => {
    const { suite, problems } = await load(
      {
        'goss.yaml':
          'package:\n{{ if eq .Env.OS "centos" }}\n  libselinux: { installed: true }\n{{ end }}\ngossfile: { part.yaml: {} }\n',
        'part.yaml':
          '---\n{{ if eq .Env.OS "centos" }}\nuser: { centos: { exists: true } }\n{{ end }}\n# nothing else\n',
      },
      { env: { OS: 'debian' } },
    );

    expect(problems).toEqual([]);
    expect(suite.resources).toEqual([]);
    expect(judgeOutput(kind, 'order\tlittle\nend\t\n', { suite, file: 'goss.yaml' })).toMatchObject({
      outcome: 'skipped',
      reason: 'nothing-tested',
      summary: 'goss.yaml: it holds no tests',
    });
  });

  it('includes others, by name and by pattern, relative to itself', async () => {
    const { suite, problems } = await load({
      'goss.yaml':
        'gossfile: { web: { file: roles/web.yaml }, "parts/*.yaml": {}, "no/*.yaml": { skip: true } }\nuser: { a: { exists: true } }',
      'roles/web.yaml': 'gossfile: { common.yaml: {} }\nuser: { web: { exists: true } }',
      'roles/common.yaml': 'user: { common: { exists: true } }',
      'parts/2.yaml': 'user: { two: { exists: true } }',
      'parts/1.json': '{}',
      'parts/1.yaml': 'user: { one: { exists: true } }',
    });

    expect(problems).toEqual([]);
    expect(suite.resources.map(({ id }) => id)).toEqual(['a', 'one', 'two', 'web', 'common']);
  });

  it('is read once where two others include it', async () => {
    const { suite, problems } = await load({
      'goss.yaml': 'gossfile: { "roles/*.yaml": {} }',
      'roles/a.yaml': 'gossfile: { ../common.yaml: {} }\nuser: { a: { exists: true } }',
      'roles/b.yaml': 'gossfile: { ../common.yaml: {} }\nuser: { b: { exists: true } }',
      'common.yaml': 'user: { common: { exists: true } }',
    });

    expect(problems).toEqual([]);
    expect(suite.resources.map(({ id }) => id)).toEqual(['a', 'common', 'b']);
  });

  it('asks nothing with an empty list, as goss writes it itself', async () => {
    const { suite, problems } = await load(
      'port: { tcp:1: { listening: false, ip: [] } }\ncommand: { "true": { exit-status: 0, stdout: [] } }',
    );

    expect(problems).toEqual([]);
    expect(suite.resources.map(({ tests }) => tests.map(({ attribute }) => attribute))).toEqual([
      ['listening'],
      ['exit-status'],
    ]);
  });

  it.each([
    ['fil: {}', 'E_KEY_UNKNOWN goss.yaml:1:1 unknown key `fil` in a goss file; did you mean `file`?'],
    ['file:\n  /a: { exist: true }', 'E_KEY_UNKNOWN goss.yaml:2:9 unknown key `exist` in `/a`; did you mean `exists`?'],
    ['file:\n  /a: { mode: "0644" }', 'E_KEY_MISSING goss.yaml:2:3 `/a` needs `exists`'],
    [
      'file:\n  /a: { exists: true }\n  /a: { exists: false }',
      'E_YAML_DUPKEY goss.yaml:3:3 `/a` is already set on line 2; remove one of them',
    ],
    [
      'file:\n  etc/a: { exists: true }',
      'E_VALUE goss.yaml:2:3 "etc/a" is not absolute, and on the host there is no current folder; write the whole path',
    ],
    [
      'user:\n  a: { exists: true, uid: { lt: 500, gt: 1 } }',
      'E_GOSS_MATCHER goss.yaml:2:38 `lt` and `gt` stand side by side; write `and:` with one matcher an item',
    ],
    [
      'user:\n  a: { exists: true, uid: { less: 500 } }',
      'E_GOSS_MATCHER goss.yaml:2:29 unknown matcher `less`; matchers are equal, have-prefix',
    ],
    [
      'dns:\n  MX:a.b: { resolvable: true }',
      'E_VALUE goss.yaml:2:3 a record of type MX has to be asked from a server; add `server`',
    ],
    [
      'addr:\n  udp://a:53: { reachable: true }',
      'E_VALUE goss.yaml:2:3 "udp://a:53" is no address to connect to; write tcp://host:port (for UDP there is check.udp)',
    ],
    [
      'process:\n  systemd-journald: { running: true }',
      'E_VALUE goss.yaml:2:3 no process is called "systemd-journald": the kernel keeps 15 characters of a name; write `comm: systemd-journal`',
    ],
    [
      'http:\n  http://a: { status: 200, username: u, password: hunter2 }',
      'E_SECRET_LITERAL goss.yaml:2:51 `password` holds a secret in plain text; ask with check.http, which takes secrets',
    ],
    [
      'http:\n  https://me:hunter2@a/: { status: 200 }',
      'E_SECRET_LITERAL goss.yaml:2:3 the URL holds a secret in plain text; ask with check.http, which takes secrets',
    ],
    [
      'http:\n  http://a: { status: 200, proxy: "http://me:hunter2@b:3128" }',
      'E_SECRET_LITERAL goss.yaml:2:35 `proxy` holds a secret in plain text',
    ],
    [
      'port:\n  ssh: { listening: true }',
      'E_VALUE goss.yaml:2:3 "ssh" is no port; write tcp:22, tcp6:22, udp:53 or udp6:53',
    ],
    [
      'kernel-param:\n  ../x: { value: "1" }',
      'E_VALUE goss.yaml:2:3 "../x" is no kernel parameter; write a name such as net.core.somaxconn',
    ],
    [
      'file:\n  /a: { exists: true, contents: [1] }',
      'E_GOSS_MATCHER goss.yaml:2:34 a pattern is text; put it in quotes, or write `and:` with matchers',
    ],
    [
      'file:\n  /a: { exists: true, contents: { or: [x, { not: [y] }] } }',
      'E_GOSS_MATCHER goss.yaml:2:50 a list stands for patterns only directly at its attribute; write `have-patterns:` before it',
    ],
    ['user:\n  a: { exists: true, home: }', 'E_GOSS_MATCHER goss.yaml:2:28 a value or a matcher is missing'],
    [
      'user:\n  {{ .Vars.name }}: { exists: true }',
      'E_GOSS_TEMPLATE goss.yaml:2:6 there is no `name` in these values; give it under `with.vars`',
    ],
    ['gossfile: { "no/*.yaml": {} }', 'E_NOT_FOUND goss.yaml:1:13 no file is found by "no/*.yaml"; check the pattern'],
    ['gossfile: { ../../x.yaml: {} }', 'E_PATH_OUTSIDE goss.yaml:1:13 `../../x.yaml` is outside the project'],
    ['gossfile: { goss.yaml: {} }', 'E_INCLUDE_CYCLE goss.yaml:1:13 goss.yaml → goss.yaml'],
  ])('is refused where it is wrong: %s', async (text, expected) => {
    const { problems } = await load(text);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  it('names the place in the template, not in what it renders to', async () => {
    const { problems } = await load('user:\n{{ range mkSlice "a" "b" }}\n  {{ . }}: { exist: true }\n{{ end }}');

    expect(problems.every((problem) => problem.includes('goss.yaml:3:14 unknown key `exist`'))).toBe(true);
  });

  it('is refused when two files test one thing: goss would drop one', async () => {
    const { problems } = await load({
      'goss.yaml': 'gossfile: { a.yaml: {} }\nuser: { x: { exists: true } }',
      'a.yaml': 'user: { x: { exists: false } }',
    });

    expect(problems).toEqual([
      'E_DUP_ID a.yaml:1:9 user x is tested in goss.yaml:2 already, and goss would drop one of the two; merge them, or give one another key',
    ]);
  });

  it('takes no secrets from its variables', async () => {
    const files = { 'goss.yaml': 'user: {}', 'vars.yaml': 'db:\n  password: hunter2\n' };

    const { problems } = await load(files, { vars: 'vars.yaml' });

    expect(problems).toEqual([
      'E_SECRET_LITERAL vars.yaml:2:13 `password` holds a secret in plain text; leave it out: a goss file has no place for secrets, check.http and check.command have',
    ]);
  });

  it('is not chosen by an expression', async () => {
    const { problems } = await load('user: {}', { vars: { a: '${{ host.name }}' } });

    expect(problems).toEqual([
      'E_INCLUDE_DYNAMIC with.vars.a `vars` is fixed before any host is contacted; write its value, without ${{ }}',
    ]);
  });
});
