import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { judgeOutput, say, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const updateinfo = `<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="a" status="final" type="security" version="1"><id>TEST-2026:1</id><title>lib</title>
<severity>Important</severity><issued date="2026-01-01"/><updated date="2026-01-01"/><description>x</description>
<references/><pkglist><collection short="c"><name>c</name><package name="lib" version="2" release="1" epoch="0"
arch="noarch" src="lib-2-1.src.rpm"><filename>lib-2-1.noarch.rpm</filename></package></collection></pkglist></update></updates>
`;

/** Debian's rpm keeps its database in the home folder, so each test has a host of its own. */
describeWith(
  'check.updates with rpm',
  ['dnf', 'zypper', 'rpmbuild', 'createrepo_c', 'unshare', 'root', 'dash', 'bash', 'busybox'],
  () => {
    const root = mkdtempSync(join(tmpdir(), 'opsctl-rpm-'));
    const path = (name: string) => join(root, name);
    const env = { ...process.env, HOME: path('home'), LC_ALL: 'C' };

    function build(name: string, version: string, folder: string): void {
      const spec = path(`${name}-${version}.spec`);
      writeFileSync(
        spec,
        `Name: ${name}\nVersion: ${version}\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n%files\n`,
      );
      execFileSync(
        'rpmbuild',
        ['-bb', '--define', `_topdir ${path('top')}`, '--define', `_rpmdir ${path(folder)}`, spec],
        { env, stdio: 'ignore' },
      );
    }

    /** Runs in a mount namespace where dnf and zypper have this configuration and these caches. */
    function inside(...command: readonly string[]) {
      const prepare = `mkdir -p /etc/dnf /var/cache/dnf /var/cache/zypp
mount -t tmpfs none /etc/dnf
cp ${path('dnf.conf')} /etc/dnf/dnf.conf
mount --bind ${path('dnf')} /var/cache/dnf
mount --bind ${path('zypper/var/cache/zypp')} /var/cache/zypp
mount --bind ${path('log')} /var/log
"$@"`;
      const result = spawnSync('unshare', ['-m', 'sh', '-euc', prepare, 'sh', ...command], {
        env: { ...env, PATH: `${path('bin')}:${process.env.PATH}` },
      });
      return { stdout: result.stdout, stderr: result.stderr, exitStatus: result.status ?? -1 };
    }

    const look = (manager: string, shell = 'dash') => {
      const [program = 'sh', ...options] = shells[shell] ?? [];
      return inside(say('which', program).trim(), ...options, '-c', kind.probe.text, 'sh', manager);
    };

    beforeAll(() => {
      for (const folder of ['home', 'log', 'dnf', 'bin', 'zypper/var/cache/zypp', `zypper${path('home')}`])
        mkdirSync(path(folder), { recursive: true });
      for (const name of ['app', 'lib', 'held']) {
        build(name, '1', 'old');
        build(name, '2', 'new');
      }
      execFileSync('createrepo_c', ['-q', path('new')]);
      writeFileSync(path('updateinfo.xml'), updateinfo);
      execFileSync('modifyrepo_c', ['--mdtype=updateinfo', path('updateinfo.xml'), path('new/repodata')], {
        stdio: 'ignore',
      });
      const packages = ['app', 'lib', 'held'].map((name) => path(`old/noarch/${name}-1-1.noarch.rpm`));
      for (const where of [[], ['--root', path('zypper')]])
        execFileSync('rpm', [...where, '-i', '--force-debian', '--nodeps', ...packages], { env, stdio: 'ignore' });
      writeFileSync(
        path('dnf.conf'),
        `[main]\nreposdir=/nonexistent\nreleasever=12\ngpgcheck=0\nexclude=held\n[base]\nname=base\nbaseurl=file://${path('new')}\n`,
      );
      writeFileSync(
        path('bin/zypper'),
        `#!/bin/sh\nexec ${say('which', 'zypper').trim()} --root ${path('zypper')} "$@"\n`,
        { mode: 0o755 },
      );
      for (const args of [
        ['-n', 'addrepo', '-G', path('new'), 'base'],
        ['-n', 'refresh'],
        ['-n', 'addlock', 'held'],
      ])
        execFileSync(path('bin/zypper'), args, { env, stdio: 'ignore' });
    }, 60_000);

    afterAll(() => rmSync(root, { recursive: true, force: true }));

    it('is unknown while dnf has fetched nothing', () => {
      const { exitStatus, stderr } = look('dnf');

      expect(exitStatus).toBe(69);
      expect(stderr.toString()).toMatch(/no cache for 'base'/);
    });

    it('counts what waits by dnf', () => {
      expect(inside('dnf', '-q', 'makecache').exitStatus).toBe(0);

      const judged = judgeOutput(kind, look('dnf', 'busybox'), { 'max-list-age': '1h' });

      expect(judged.summary).toBe('1 security update waits: lib, limit 0');
      expect(judged.metrics?.slice(0, 4).map(({ value }) => value)).toEqual([1, 2, 0, 1]);
    });

    it('counts what waits by zypper', () => {
      const judged = judgeOutput(kind, look('zypper', 'bash'), { 'max-list-age': '1h' });

      expect(judged.summary).toBe('1 security patch waits, limit 0');
      expect(judged.metrics?.slice(0, 4).map(({ value }) => value)).toEqual([1, 2, 0, 1]);
    });

    it('says that zypper has no repository', () => {
      execFileSync(path('bin/zypper'), ['-n', 'removerepo', 'base'], { env, stdio: 'ignore' });

      const { exitStatus, stderr } = look('zypper');

      expect(exitStatus).toBe(69);
      expect(stderr.toString()).toMatch(/^zypper has no repository$/m);
    });
  },
);
