import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installNode, nodeVersions } from './node-versions.js';
import { type Packed, packCheckout } from './pack.js';

const hello = `# yaml-language-server: $schema=https://example.com/runbook.schema.json
name: Say hello
steps:
  - id: greet
    uses: run.command
    with: { command: echo hello, effect: read }
`;

describe('the npm package', () => {
  let packed: Packed;
  let installed: string;

  beforeAll(() => {
    packed = packCheckout();
    // No network and no cache: the tarball has to be enough.
    const target = join(packed.folder, 'installed');
    mkdirSync(target);
    execFileSync('npm', ['install', '--offline', '--cache', join(packed.folder, 'cache'), packed.tarball], {
      cwd: target,
      stdio: 'pipe',
    });
    installed = join(target, 'node_modules/opsctl');
  });

  afterAll(() => {
    // Not there when packing failed.
    if (packed as Packed | undefined) rmSync(packed.folder, { recursive: true, force: true });
  });

  it('holds what runs and what users read, and no sources', () => {
    const tops = new Set(packed.files.map((file) => file.split('/')[0]));

    expect([...tops].sort()).toEqual(
      expect.arrayContaining(['LICENSE', 'THIRD-PARTY-LICENSES.txt', 'bin', 'dist', 'package.json']),
    );
    expect(packed.files.filter((file) => /^(src|test|scripts|node_modules)\/|\.ts$|\.map$/.test(file))).toEqual([]);
  });

  it('brings no other package and runs no script when it is installed', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, object>;

    expect(readdirSync(join(installed, '..')).filter((name) => !name.startsWith('.'))).toEqual(['opsctl']);
    expect(manifest.dependencies).toBeUndefined();
    expect(manifest.optionalDependencies).toBeUndefined();
    expect(Object.keys(manifest.scripts ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]),
    );
  });

  it('carries the licences of the packages inside it', () => {
    const licences = readFileSync(join(installed, 'THIRD-PARTY-LICENSES.txt'), 'utf8');

    expect(licences).toMatch(/^commander \d+\.\d+\.\d+ \(MIT\)$/m);
    expect(licences).not.toMatch(/\(undefined\)/);
  });

  it('asks for the Node.js it needs', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { engines: { node: string } };

    expect(manifest.engines.node).toBe('>=20.19');
  });

  it('is what npx runs inside the checkout, without asking a registry', () => {
    const { status, stdout } = spawnSync('npx', ['--offline', 'opsctl', '--version'], {
      cwd: join(packed.folder, 'checkout'),
      encoding: 'utf8',
      env: { ...process.env, npm_config_cache: join(packed.folder, 'npx-cache') },
    });

    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  describe.each(nodeVersions)('on Node.js %s', (version) => {
    let node: string;
    let folder: string;

    beforeAll(() => {
      node = installNode(version);
      folder = join(packed.folder, `empty-${version}`);
      mkdirSync(folder);
    });

    const opsctl = (...args: string[]) =>
      spawnSync(node, [join(installed, 'bin/opsctl.js'), ...args], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: '/usr/bin:/bin', HOME: folder, LC_ALL: 'C.UTF-8' },
      });

    it('tells its version', () => {
      const { status, stdout, stderr } = opsctl('--version');

      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    });

    it('tells what it can do', () => {
      const { status, stdout, stderr } = opsctl('--help');

      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/\brun\b/);
    });

    it('runs a runbook on this machine', () => {
      writeFileSync(join(folder, 'hello.yaml'), hello);

      const { status, stdout, stderr } = opsctl('run', 'hello.yaml', '-o', 'json');

      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      const result = JSON.parse(stdout) as {
        hosts: readonly { name: string; steps: readonly { outcome: string }[] }[];
      };
      expect(result.hosts.map(({ name }) => name)).toEqual(['local']);
      expect(existsSync(join(folder, 'node_modules'))).toBe(false);
    });

    it('names the line of a mistake', () => {
      writeFileSync(join(folder, 'typo.yaml'), hello.replace('uses:', 'use:'));

      const { status, stderr } = opsctl('run', 'typo.yaml');

      expect(status).toBe(2);
      expect(stderr).toContain('typo.yaml:');
    });
  });
});
