import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newStep } from '../../scripts/new-step.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('npm run new-step', () => {
  const copy = mkdtempSync(join(tmpdir(), 'opsctl-new-step-'));
  let written: string[];

  const tool = (file: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', file), ...args], {
      cwd: copy,
      encoding: 'utf8',
    });
    return { status, output: `${stdout}${stderr}` };
  };

  beforeAll(async () => {
    for (const name of [
      'src',
      'test/support',
      'test/steps/kinds.test.ts',
      'scripts/step-docs.ts',
      'lint',
      'biome.json',
      'tsconfig.json',
      'vitest.config.ts',
      'package.json',
    ])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    written = await newStep('check.example', copy);
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('makes one folder and one line', () => {
    expect(written.sort()).toEqual([
      'src/steps/check/example/README.md',
      'src/steps/check/example/fixtures/debian12.txt',
      'src/steps/check/example/probe.sh',
      'src/steps/check/example/step.test.ts',
      'src/steps/check/example/step.ts',
      'src/steps/check/index.ts',
    ]);
    const index = readFileSync(join(copy, 'src/steps/check/index.ts'), 'utf8');
    expect(index).toContain("  'check.example': async () => (await import('./example/step.js')).default,\n");
  });

  it('makes a kind that passes its tests, and those of every kind once its table is written', () => {
    const docs = tool('tsx/dist/cli.mjs', 'scripts/step-docs.ts');
    const { status, output } = tool(
      'vitest/vitest.mjs',
      'run',
      'src/steps/check/example',
      'test/steps',
      '-t',
      'check.example',
    );

    expect(docs.status, docs.output).toBe(0);

    expect(status, output).toBe(0);
  });

  it('makes files that pass the lint rules', () => {
    const biome = '@biomejs/biome/bin/biome';
    const { status, output } = tool(
      biome,
      'check',
      '--vcs-enabled=false',
      '--error-on-warnings',
      'src/steps/check/example',
    );

    expect(status, output).toBe(0);
  });

  it('makes files that type-check', () => {
    const { output } = tool('typescript/bin/tsc', '--noEmit', '-p', '.');

    expect(output.split('\n').filter((line) => line.startsWith('src/steps/check/example'))).toEqual([]);
  });

  it('refuses a name that is no kind, a family that is not there, and a kind that is', async () => {
    await expect(newStep('Example', copy)).rejects.toThrow('write family.name');
    await expect(newStep('chek.example', copy)).rejects.toThrow('no family "chek"; there are: ');
    await expect(newStep('check.example', copy)).rejects.toThrow('src/steps/check/example is already there');
  });
});
