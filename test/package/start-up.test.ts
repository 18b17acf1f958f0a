import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
});

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
