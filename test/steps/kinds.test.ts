import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { JsonSchema } from '../../src/documents/json-schema.js';
import { documentKind, paramsTable } from '../../src/steps/documentation.js';
import { stepKinds } from '../../src/steps/index.js';
import { readShell } from '../../src/steps/read-shell.js';
import { describeWith } from '../support/needs.js';
import { shells } from '../support/probe.js';

const root = join(import.meta.dirname, '../..');
const kinds = await Promise.all(
  Object.entries(stepKinds).map(async ([name, load]) => ({
    name,
    kind: await load(),
    folder: join(root, 'src/steps', ...name.split('.')),
  })),
);
const shellFiles = (name: string, folder: string) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.sh'))
    .map((file) => ({ title: `${name} ${file}`, path: join(folder, file) }));
const scripts = kinds.flatMap(({ name, folder }) => shellFiles(name, folder));
const shared = ['src/steps', 'src/steps/check'].flatMap((folder) => shellFiles(folder, join(root, folder)));

describeWith('every step kind', ['shellcheck', 'dash', 'bash', 'busybox'], () => {
  it.each(kinds)('$name says what it is, and that is its folder', ({ name, kind, folder }) => {
    expect(kind.kind).toBe(name);
    expect(kind.summary).toMatch(/^[A-Z].{5,70}[^.]$/);
    expect(existsSync(join(folder, 'step.ts'))).toBe(true);
  });

  it.each(kinds)('$name describes every parameter and takes no others', ({ kind }) => {
    const properties = Object.entries((kind.params.properties ?? {}) as Record<string, JsonSchema>);

    expect(kind.params.additionalProperties).toBe(false);
    for (const [name, schema] of properties) {
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(schema.description, name).toMatch(/\S.{5,}[.)]$/s);
    }
  });

  it.each(kinds)('$name has a README with the table of its parameters', ({ kind, folder }) => {
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');

    expect(readme, 'run: npx tsx scripts/step-docs.ts').toContain(
      `<!-- params -->\n${paramsTable(documentKind(kind))}<!-- /params -->`,
    );
  });

  it.each(kinds)('$name has tests', ({ folder }) => {
    expect(readdirSync(folder).filter((file) => file.endsWith('.test.ts'))).not.toEqual([]);
  });

  it.each([...scripts, ...shared])('$title passes shellcheck', ({ path }) => {
    const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', '-x', '-P', 'SCRIPTDIR', path], {
      encoding: 'utf8',
    });

    expect(status, stdout).toBe(0);
  });

  it.each(scripts)('$title keeps to what a payload can carry', ({ path }) => {
    const text = readFileSync(path, 'utf8');
    const code = readShell(path);

    expect(text).toMatch(/^#!\/bin\/sh\n# [A-Z].*\n/);
    expect(code).toMatch(/^set -e?u$/m);
    // The payload runs it as a function in a subshell that has its own EXIT trap.
    expect(code).not.toMatch(/^\s*(?:exec|trap)\b/m);
    expect(code).not.toMatch(/[;&|]\s*(?:exec|trap)\b/);
    expect(code).not.toMatch(/^return\b/m);
    // Nothing is left that would be looked for on the host.
    expect(code).not.toMatch(/^\s*\. \.\.?\//m);
  });

  const pairs = [...scripts, ...shared].flatMap(({ title, path }) =>
    Object.keys(shells).map((shell) => ({ title, path, shell })),
  );
  it.each(pairs)('$title is understood by $shell', ({ path, shell }) => {
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const { status, stderr } = spawnSync(program, [...options, '-n', path], { encoding: 'utf8' });

    expect(status, stderr).toBe(0);
  });
});
