import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { judgeOutput, say, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

/** Debian's rpm keeps its database in the home folder; without dpkg's database, this is a host of rpm. */
describeWith('check.package with rpm', ['rpmbuild', 'unshare', 'root', 'dash', 'bash', 'busybox'], () => {
  const root = mkdtempSync(join(tmpdir(), 'opsctl-rpm-'));
  const env = { ...process.env, HOME: root, LC_ALL: 'C' };

  function install(name: string, version: string, release: string, epoch?: string): void {
    const spec = join(root, `${name}.spec`);
    const head = `Name: ${name}\nVersion: ${version}\nRelease: ${release}\n${epoch ? `Epoch: ${epoch}\n` : ''}`;
    writeFileSync(spec, `${head}Summary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n%files\n`);
    const folder = join(root, name);
    mkdirSync(folder);
    execFileSync('rpmbuild', ['-bb', '--define', `_topdir ${folder}`, '--define', `_rpmdir ${folder}`, spec], {
      env,
      stdio: 'ignore',
    });
    const file = join(folder, 'noarch', `${name}-${version}-${release}.noarch.rpm`);
    execFileSync('rpm', ['-i', '--force-debian', '--nodeps', file], { env, stdio: 'ignore' });
  }

  function judged(given: { readonly name: string; readonly [key: string]: string }, shell: string) {
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const args = kind.args(withDefaults(kind, given)).map(String);
    const prepare = 'mount -t tmpfs none /var/lib/dpkg; exec "$@"';
    const command = [say('which', program).trim(), ...options, '-c', kind.probe.text, 'sh', ...args];
    const ran = spawnSync('unshare', ['-m', 'sh', '-euc', prepare, 'sh', ...command], { env });
    return judgeOutput(kind, { stdout: ran.stdout, stderr: ran.stderr, exitStatus: ran.status ?? -1 }, given);
  }

  beforeAll(() => {
    install('plain', '1.10', '3.el9');
    install('tilde', '2.0~rc1', '1');
    install('caret', '2.0^git5', '1');
    install('epoch', '1.0', '1', '2');
  }, 60_000);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(Object.keys(shells))(
    'compares versions as rpm does, with %s',
    (shell) => {
      const reason = (name: string, operator: 'version' | 'at-least' | 'below', version: string) =>
        judged({ name, [operator]: version }, shell).reason;

      const compared: readonly (readonly [string, 'version' | 'at-least' | 'below', string, boolean])[] = [
        ['plain', 'at-least', '1.9', true],
        ['plain', 'below', '1.9', false],
        ['plain', 'version', '1.10', true],
        ['plain', 'version', '1.10-3.el9', true],
        ['plain', 'version', '1.10-3', false],
        ['plain', 'at-least', '1.10-10.el9', false],
        ['plain', 'below', '1:0.1', true],
        ['plain', 'version', '0:1.010', true],
        ['tilde', 'below', '2.0', true],
        ['tilde', 'at-least', '2.0~beta', true],
        ['caret', 'at-least', '2.0', true],
        ['caret', 'below', '2.0.1', true],
        ['epoch', 'at-least', '9.9', true],
        ['epoch', 'below', '3:0', true],
        ['epoch', 'version', '1.0', false],
      ];

      const wrong = compared.filter(([name, operator, version, expected]) => {
        return reason(name, operator, version) !== (expected ? 'ok' : 'wrong-version');
      });
      expect(wrong).toEqual([]);
    },
    60_000,
  );

  it('tells what is not there', () => {
    expect(judged({ name: 'nothing' }, 'dash').reason).toBe('package-absent');
    expect(judged({ name: 'plain', state: 'absent' }, 'dash').reason).toBe('package-present');
  });

  it('never calls a package absent when rpm cannot read its database', () => {
    const dbpath = execFileSync('rpm', ['--eval', '%{_dbpath}'], { env, encoding: 'utf8' }).trim();
    const database = join(dbpath, 'rpmdb.sqlite');
    const whole = readFileSync(database);
    writeFileSync(database, 'no database at all, as after a full disk');
    try {
      expect(() => judged({ name: 'plain', state: 'absent' }, 'dash')).toThrow('cannot open Packages database');
    } finally {
      writeFileSync(database, whole);
    }
  });
});
