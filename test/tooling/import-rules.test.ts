import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file that breaks one rule, and words of the reason that the rule gives. */
const violations: readonly (readonly [file: string, line: string, reason: string])[] = [
  ['src/plan/reads.ts', "import { readFile } from 'node:fs/promises';", 'a plan is a pure function'],
  ['src/plan/starts.ts', "import { run } from '../execute/run.js';", 'a plan is a pure function'],
  ['src/plan/writes.ts', "import type { Terminal } from '../terminal.js';", 'a plan is a pure function'],
  ['src/plan/lazy.ts', "export const load = async () => import('../transports/ssh.js');", 'a plan is a pure function'],
  ['src/discover/asks.ts', "import { perform } from '../perform/perform.js';", 'checks come out'],
  ['src/discover/reads.ts', "import { readFile } from 'node:fs/promises';", 'checks come out'],
  ['src/reports/peeks.ts', "import { buildPlan } from '../plan/plan.js';", 'made later from a saved run'],
  ['src/progress/peeks.ts', "export { x } from '../transports/ssh.js';", 'made later from a saved run'],
  ['src/steps/check/a/sibling.ts', "import { parse } from '../load/step.js';", 'imports no other step'],
  ['src/steps/check/a/cousin.ts', "import { parse } from '../../patch/plan/step.js';", 'imports no other step'],
  ['src/steps/check/a/reach.ts', "import { ssh } from '../../../transports/ssh.js';", 'no transport'],
  ['src/execute/paint.ts', "import chalk from 'chalk';", 'everything else gives data'],
  ['src/execute/spin.ts', "import ora from 'ora';", 'everything else gives data'],
  ['src/plan/ask.ts', "import inquirer from 'inquirer';", 'everything else gives data'],
  ['src/result/table.ts', "import Table from 'cli-table3';", 'everything else gives data'],
  ['src/journal/live.ts', "import { createLogUpdate } from 'log-update';", 'everything else gives data'],
  ['src/execute/connect.ts', "import type { Client } from 'ssh2';", 'one interface'],
  ['src/transports/ssh.ts', "import { execa } from 'execa';", 'bounded and ended'],
  ['src/inventory/read.ts', "import { parse } from 'yaml';", 'one parser'],
  ['src/commands/check.ts', "import { Ajv } from 'ajv';", 'one parser'],
  ['src/commands/env.ts', 'export const home = process.env.HOME;', 'global variable process'],
  ['src/execute/cwd.ts', "import { cwd } from 'node:process';", 'pass env, cwd and streams in'],
  ['src/commands/slow.ts', "export const load = async () => import('inquirer');", 'own module'],
  ['src/main.ts', "console.log('hello');", 'console'],
  ['src/transports/print.ts', "console.error('hello');", 'console'],
];

/** The same imports where they belong. */
const allowed: readonly (readonly [file: string, line: string])[] = [
  ['src/plan/pure.ts', "import { join } from 'node:path';"],
  ['src/plan/kinds.ts', "import type { Step } from '../steps/step.js';"],
  ['src/discover/escapes.ts', "import { escapeLine } from '../reports/escape.js';"],
  ['src/reports/table.ts', "import Table from 'cli-table3';"],
  ['src/reports/types.ts', "import type { RunResult } from '../result/result.schema.js';"],
  ['src/progress/events.ts', "import type { RunEvent } from '../execute/events.js';"],
  ['src/steps/check/a/step.ts', "import { defineHostStep } from '../../step.js';"],
  ['src/steps/check/a/family.ts', "import { readings } from '../readings.js';"],
  ['src/steps/check/a/result.ts', "import type { Metric } from '../../../result/result.schema.js';"],
  ['src/transports/openssh/program.ts', "import { execa } from 'execa';"],
  ['src/transports/connect.ts', "import { Client } from 'ssh2';"],
  ['src/documents/parse.ts', "import { parseDocument } from 'yaml';"],
  ['src/terminal.ts', 'export const columns = process.stdout.columns;'],
  ['src/commands/lazy.ts', "export const load = async () => import('./prompt.js');"],
];

describe('import rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-rules-'));
  let found: string[] = [];

  beforeAll(() => {
    cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    cpSync(join(root, 'lint'), join(folder, 'lint'), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [file, line] of [...violations, ...allowed]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `${line}\n`);
    }
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    const { stdout } = spawnSync(
      process.execPath,
      [biome, 'lint', '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', 'src'],
      { cwd: folder, encoding: 'utf8' },
    );
    found = stdout.split('\n').filter((line) => line.startsWith('::error'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(violations)('refuse in %s: %s', (file, _, reason) => {
    expect(found.filter((line) => line.includes(`/${file},`)).join('\n')).toContain(reason);
  });

  it.each(allowed)('accept in %s: %s', (file, _) => {
    expect(found.filter((line) => line.includes(`/${file},`))).toEqual([]);
  });
});
