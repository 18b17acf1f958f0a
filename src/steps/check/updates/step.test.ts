import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const read = (name: string) => fixture(`${name}.txt`, import.meta.url);
const numberIn = (judged: ReturnType<typeof judgeOutput>, name: string) =>
  judged.metrics?.find((metric) => metric.name === name)?.value;

describe('check.updates', () => {
  it('tells security updates, held ones and such that cannot be installed apart with apt', () => {
    const judged = judgeOutput(kind, read('apt-2.6'));

    expect(judged).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: '2 security updates wait: both, lib, limit 0; 1 cannot be installed: stuck, limit 0',
    });
    expect(['security', 'updates', 'stuck', 'held'].map((name) => numberIn(judged, name))).toEqual([2, 5, 1, 1]);
  });

  it('names how many wait and how old the lists are when that is within the limits', () => {
    const given = { 'warning-security': 9, 'warning-stuck': 1, 'max-list-age': '8d' };

    expect(judgeOutput(kind, read('apt-2.6'), given)).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(
        /^5 updates wait \(2 for security; 1 more held: held\), the lists of apt are .* old$/,
      ),
    });
  });

  it('takes other sources for security ones when told so', () => {
    expect(
      numberIn(judgeOutput(kind, read('apt-2.6'), { 'security-sources': ['^Debian:12/stable$'] }), 'security'),
    ).toBe(2);
    expect(numberIn(judgeOutput(kind, read('apt-2.6'), { 'security-sources': 'nothing' }), 'security')).toBe(0);
  });

  it('reads a Debian host with a hundred updates', () => {
    const judged = judgeOutput(kind, read('debian12-apt'), { critical: 100 });

    expect(judged).toMatchObject({ outcome: 'failed', reason: 'above-critical' });
    expect(judged.summary).toMatch(/^103 updates wait, limit 100; 61 security updates wait: /);
  });

  it.each([
    ['debian11-apt-2.2', /^35 security updates wait: dpkg, login, perl-base, libc6 and 31 more, limit 0$/, [35, 35]],
    ['debian13-apt-3.0', /^2 security updates wait: libgpgme11t64, python3-gpg, limit 0$/, [2, 2]],
    ['dnf-4.23', /^1 security update waits: lib, limit 0$/, [1, 2]],
    ['zypper-1.14.89', /^1 security patch waits, limit 0$/, [1, 2]],
  ])('reads %s', (name, summary, [security, updates]) => {
    const judged = judgeOutput(kind, read(name));

    expect(judged).toMatchObject({ outcome: 'warning', summary: expect.stringMatching(summary) });
    expect(numberIn(judged, 'security')).toBe(security);
    expect(numberIn(judged, 'updates')).toBe(updates);
  });

  it('is unknown when a source was never fetched, and when none was', () => {
    expect(judgeOutput(kind, read('apt-2.6-source-never-fetched'))).toMatchObject({
      outcome: 'unknown',
      reason: 'no-lists',
      summary: expect.stringMatching(/^1 of 3 package lists were never fetched: http:\/\/down\.test\/x\/\.;/),
    });
    const none = read('apt-2.6').replace(/^(source\t\S+\t)\d+/gm, '$1');
    expect(judgeOutput(kind, none).summary).toMatch(/^no package list was fetched: /);
    const without = read('apt-2.6').replace(/^source.*\n/gm, '');
    expect(judgeOutput(kind, without)).toMatchObject({ outcome: 'unknown', reason: 'no-sources' });
  });

  it.each([
    ['apt-2.6', 'fetched'],
    ['dnf-4.14', 'base'],
    ['zypper-1.14', 'base'],
  ])('is unknown, with the age, when the lists of %s are stale', (name, what) => {
    const stale = read(name).replace(new RegExp(`^(.*\\b${what}\\t)\\d+`, 'm'), '$11700000000');

    expect(judgeOutput(kind, stale)).toMatchObject({
      outcome: 'unknown',
      reason: 'stale-lists',
      summary: expect.stringMatching(/^the lists of \w+ are \d+ d old, limit 2 d; /),
    });
  });

  it('is unknown when a list is no longer valid by its own word', () => {
    const expired = read('debian12-apt').replace(/\tyes\t\w.*/, '\tyes\tSat, 21 Nov 2026 00:00:00 UTC');

    expect(judgeOutput(kind, expired)).toMatchObject({ outcome: 'unknown', reason: 'expired-list' });
  });

  it('fails though the lists are stale when even they show too much', () => {
    const given = { 'max-list-age': '1ms', 'critical-security': 0 };

    expect(judgeOutput(kind, read('zypper-1.14'), given).outcome).toBe('failed');
  });

  it('reads dnf with an advisory and an excluded package', () => {
    const judged = judgeOutput(kind, read('dnf-4.14'));

    expect(judged.summary).toBe('1 security update waits: lib, limit 0');
    expect(['security', 'updates', 'held'].map((name) => numberIn(judged, name))).toEqual([1, 3, 1]);
  });

  it('reads zypper with a patch, a lock and a package that cannot be installed', () => {
    const judged = judgeOutput(kind, read('zypper-1.14'));

    expect(judged.summary).toBe('1 security patch waits, limit 0; 1 cannot be installed: stuck, limit 0');
    expect(['security', 'updates', 'stuck', 'held'].map((name) => numberIn(judged, name))).toEqual([1, 3, 1, 1]);
  });

  it('does not call updates harmless that come from a source without advisories', () => {
    const plain = read('dnf-4.14')
      .replace('\tyes\n', '\tno\n')
      .replace(/TEST-2026.*\n/, '');

    expect(judgeOutput(kind, plain)).toMatchObject({
      outcome: 'unknown',
      reason: 'security-not-told',
      summary: '3 updates wait of which dnf does not tell whether they are for security',
    });
    expect(judgeOutput(kind, plain, { 'warning-security': 3 }).outcome).toBe('ok');
  });

  it('reads yum, which breaks long lines, and its remarks', () => {
    const list = [
      '',
      'bash.x86_64                         4.2.46-35.el7_9                      updates',
      'python-a-very-long-name-that-fills-the-column.noarch',
      '                                    1:2.7.5-94.el7_9                     updates',
      'Security: kernel-3.10.0-1160.el7.x86_64 is an installed security update',
      'Obsoleting Packages',
      'new.noarch                          1-1                                  updates',
      '    old.noarch                      1-1                                  @base',
      '',
    ].join('\n');
    const said = `manager\tyum\nnow\t2000\nsource\tupdates\t1000\tyes\n== updates\n${list}== all\n${list}== security\nRHSA-2024:1 Important/Sec. bash-4.2.46-35.el7_9.x86_64\n== end\n`;
    const judged = judgeOutput(kind, said);

    expect(judged.summary).toBe('1 security update waits: bash, limit 0');
    expect(numberIn(judged, 'updates')).toBe(2);
    expect(() => judgeOutput(kind, said.replaceAll('1:2.7.5-94.el7_9 ', ''))).toThrow(/three words/);
  });

  it('reads apk, which does not tell security updates apart', () => {
    const head = 'manager\tapk\nnow\t2000\nsource\tindex\t1000\tno\n== updates\nInstalled:      Available:\n';
    const some = `${head}ssl_client-1.36.1-r15        < 1.36.1-r19 \nlibcrypto3-3.1.4-r1     < 3.1.7-r0 \n== end\n`;

    expect(judgeOutput(kind, `${head}== end\n`).summary).toBe('no update waits, the lists of apk are 16.7 min old');
    expect(judgeOutput(kind, some)).toMatchObject({ outcome: 'unknown', reason: 'security-not-told' });
    expect(judgeOutput(kind, some, { 'warning-security': '0:', critical: 1 }).summary).toBe('2 updates wait, limit 1');
  });

  it.each([
    '',
    'manager\tapt\nnow\t1\n== end\n',
    read('apt-2.6').replace('== end\n', ''),
    read('apt-2.6').replace('Inst lib', 'inst lib'),
    read('apt-2.6').replace('1 not upgraded', '2 not upgraded'),
    read('apt-2.6').replace(/== kept[\s\S]*(?=== end)/, ''),
    read('zypper-1.14').replace('</stream>', ''),
    read('apt-2.6').replace('manager\tapt', 'manager\tpacman'),
  ])('does not take %#: %j for an answer', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(['dnf', 'yum', 'zypper', 'apk'])('says that %s is missing', (manager) => {
    const path = process.env.PATH;
    const folder = mkdtempSync(join(tmpdir(), 'opsctl-updates-'));
    symlinkSync('/usr/bin/date', join(folder, 'date'));
    symlinkSync(execFileSync('which', ['dash'], { encoding: 'utf8' }).trim(), join(folder, 'dash'));
    process.env.PATH = folder;

    try {
      expect(runProbe(kind, { manager }).exitStatus).toBe(127);
    } finally {
      process.env.PATH = path;
      rmSync(folder, { recursive: true });
    }
  });
});

describeWith('check.updates with apt', ['dash', 'bash', 'busybox', 'root'], () => {
  const root = mkdtempSync(join(tmpdir(), 'opsctl-apt-'));
  const state = join(root, 'var/lib');
  const entry = (name: string, version: string, more = '') =>
    `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: a <a@b.test>\nDescription: x\n${more}\n`;
  const update = () => execFileSync('apt-get', ['-q', 'update'], { stdio: 'ignore' });

  function publish(name: string, label: string, suite: string, packages: readonly string[]): string {
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true });
    const text = packages
      .map((one) => `${one.trimEnd()}\nFilename: ./${name}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\n\n`)
      .join('');
    writeFileSync(join(folder, 'Packages'), text);
    const sum = execFileSync('sha256sum', [join(folder, 'Packages')], { encoding: 'utf8' }).slice(0, 64);
    writeFileSync(
      join(folder, 'Release'),
      `Origin: Debian\nLabel: ${label}\nSuite: ${suite}\nDate: ${new Date().toUTCString()}\nSHA256:\n ${sum} ${Buffer.byteLength(text)} Packages\n`,
    );
    return `deb [trusted=yes] file:${folder} ./\n`;
  }

  beforeAll(() => {
    for (const folder of [
      'etc/apt/apt.conf.d',
      'etc/apt/preferences.d',
      'etc/apt/sources.list.d',
      'etc/apt/trusted.gpg.d',
    ])
      mkdirSync(join(root, folder), { recursive: true });
    mkdirSync(join(state, 'apt/lists/partial'), { recursive: true });
    mkdirSync(join(state, 'dpkg'), { recursive: true });
    mkdirSync(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
    writeFileSync(join(root, 'apt.conf'), `Dir "${root}";\nDir::State::status "${state}/dpkg/status";\n`);
    const installed = (name: string, status = 'install ok installed') => entry(name, '1', `Status: ${status}\n`);
    writeFileSync(
      join(state, 'dpkg/status'),
      ['app', 'lib', 'stuck'].map((name) => installed(name)).join('') + installed('held', 'hold ok installed'),
    );
    writeFileSync(
      join(root, 'etc/apt/sources.list'),
      publish('main', 'Debian', 'stable', [
        entry('app', '2'),
        entry('held', '2'),
        entry('stuck', '2', 'Depends: nowhere\n'),
      ]) + publish('security', 'Debian-Security', 'stable-security', [entry('lib', '2')]),
    );
    process.env.APT_CONFIG = join(root, 'apt.conf');
  });

  afterAll(() => {
    delete process.env.APT_CONFIG;
    rmSync(root, { recursive: true, force: true });
  });

  it('is unknown before the first `apt-get update`', () => {
    expect(judgeOutput(kind, runProbe(kind, { manager: 'apt' }))).toMatchObject({
      outcome: 'unknown',
      reason: 'no-lists',
    });
  });

  it.each(Object.keys(shells))('counts what waits with %s, and changes nothing', (shell) => {
    update();
    rmSync(join(root, 'var/cache/apt/pkgcache.bin'), { force: true });
    const files = () => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
    const before = files();

    const judged = judgeOutput(kind, runProbe(kind, { manager: 'apt' }, shell));

    expect(judged.summary).toBe('1 security update waits: lib, limit 0; 1 cannot be installed: stuck, limit 0');
    expect(['security', 'updates', 'held'].map((name) => numberIn(judged, name))).toEqual([1, 3, 1]);
    expect(files()).toEqual(before);
  });

  it('tells the age of lists that nobody fetched for long', () => {
    update();
    const then = Date.now() / 1000 - 12 * 86_400;
    utimesSync(join(state, 'apt/lists'), then, then);

    expect(judgeOutput(kind, runProbe(kind, { manager: 'apt' })).summary).toMatch(
      /^the lists of apt are 12 d old, limit 2 d; /,
    );
  });

  it('does not call a host safe whose security source is pinned off, or missing', () => {
    update();
    utimesSync(join(state, 'apt/lists'), new Date(), new Date());
    const look = (given = {}) =>
      judgeOutput(kind, runProbe(kind, { manager: 'apt' }), { 'warning-stuck': 9, ...given });
    const pin = join(root, 'etc/apt/preferences.d/off');
    const sources = join(root, 'etc/apt/sources.list');
    const both = readFileSync(sources, 'utf8');
    writeFileSync(pin, 'Package: *\nPin: release l=Debian-Security\nPin-Priority: -1\n');
    const pinned = look();
    const meant = look({ 'security-sources': '^Debian:stable$' });
    const unlimited = look({ 'warning-security': '0:' });
    rmSync(pin);
    writeFileSync(sources, both.split('\n')[0] ?? '');
    const missing = look();
    writeFileSync(sources, both);

    expect(pinned).toMatchObject({
      outcome: 'unknown',
      reason: 'no-security-source',
      summary: 'the sources for security are pinned so low that apt ignores them',
    });
    expect(missing).toMatchObject({
      outcome: 'unknown',
      summary: 'apt has no source for security; where another holds such updates, name it in security-sources',
    });
    expect(meant).toMatchObject({ outcome: 'warning', reason: 'above-warning' });
    expect(unlimited.outcome).toBe('ok');
  });

  it('takes a security source that holds nothing yet for one', () => {
    publish('main', 'Debian', 'stable', []);
    publish('security', 'Debian-Security', 'stable-security', []);
    update();
    utimesSync(join(state, 'apt/lists'), new Date(), new Date());

    const judged = judgeOutput(kind, runProbe(kind, { manager: 'apt' }), { 'warning-stuck': 9 });

    expect(judged).toMatchObject({ outcome: 'ok' });
  });

  it('asks the apt that this host is run with when no manager is named', () => {
    expect(runProbe(kind).stdout.toString()).toMatch(/^manager\tapt\n/);
  });

  it('is unknown when apt cannot read its own state', () => {
    writeFileSync(join(state, 'dpkg/status'), 'no package\n');

    const { exitStatus, stderr } = runProbe(kind, { manager: 'apt' });

    expect(exitStatus).toBe(69);
    expect(stderr.toString()).toMatch(/^E: /m);
  });
});
