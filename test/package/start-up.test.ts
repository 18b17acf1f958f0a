import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Built, type BuiltFile, bundle } from '../../scripts/build.js';

/** Packages that cost tens of milliseconds to load; each command loads those that it uses. */
const lazy = [
  '@bomb.sh/tab',
  '@marcbachmann/cel-js',
  'ajv',
  'cli-table3',
  'execa',
  'inquirer',
  'log-update',
  'ora',
  're2js',
  'ssh2',
  'yaml',
];

describe('what every start loads', () => {
  const out = mkdtempSync(join(tmpdir(), 'opsctl-bundle-'));
  let built: Built;

  beforeAll(async () => {
    built = await bundle(out);
  });

  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it.each(lazy)('leaves %s for later', (name) => {
    const modules = loadedWith(built, 'main.js').flatMap((file) => file.modules);
    expect(modules.filter((path) => path.includes(`/node_modules/${name}/`))).toEqual([]);
  });

  it('is small', () => {
    const bytes = loadedWith(built, 'main.js').reduce((sum, file) => sum + file.bytes, 0);

    expect(bytes).toBeLessThan(150_000);
  });

  it('tells its version in less than twice the time of an empty Node.js', () => {
    const bin = fileURLToPath(new URL('../../bin/opsctl.js', import.meta.url));
    const times = { empty: [] as number[], version: [] as number[] };
    // In turn, so that other load on the machine falls on both; the fastest of many is the least disturbed.
    for (let round = 0; round < 15; round++) {
      times.empty.push(timeNode('-e', '0'));
      times.version.push(timeNode(bin, '--version'));
    }

    expect(Math.min(...times.version)).toBeLessThan(2 * Math.min(...times.empty));
  });
});

function timeNode(...args: string[]): number {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  expect(status).toBe(0);
  return performance.now() - started;
}

/** A file and all that it imports statically, directly or not. */
function loadedWith({ files }: Built, name: string): readonly BuiltFile[] {
  const seen = new Set<BuiltFile>();
  const visit = (wanted: string) => {
    const file = files.find((each) => each.name === wanted);
    if (!file || seen.has(file)) return;
    seen.add(file);
    file.imports.forEach(visit);
  };
  visit(name);
  return [...seen];
}
