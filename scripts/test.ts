/**
 * `npm test`: builds, sees to the programs that the suites need, runs every suite, and ends with one line
 * `N passed, N failed`. Arguments go to vitest: `npm test -- src/plan`, `npm test -- --project quick`.
 * With CI set nothing may be skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './build.js';
import { installPrograms } from './programs.js';
import { summarise, type VitestReport } from './summary.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const inCi = Boolean(process.env.CI);

async function test(args: readonly string[]): Promise<number> {
  say(installPrograms({ required: inCi }));
  await buildAll();

  const folder = mkdtempSync(join(tmpdir(), 'opsctl-test-'));
  try {
    const file = join(folder, 'report.json');
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const { status } = spawnSync(process.execPath, [vitest, 'run', ...reporters, ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return report(readReport(file), status ?? 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report(results: VitestReport | undefined, status: number): number {
  const { passed, failed, skipped } = summarise(results, { status, root, allowSkipped: !inCi });
  if (skipped.length > 0) {
    say(`skipped${inCi ? ', which counts as failed with CI set' : ''}:\n`);
    for (const suite of skipped) say(`  ${suite}\n`);
  }
  say(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    // vitest stopped before it could report; its own words are on the screen above.
    return undefined;
  }
}

function say(text: string): void {
  process.stdout.write(text);
}

try {
  process.exitCode = await test(process.argv.slice(2));
} catch (error) {
  say(`${error instanceof Error ? error.message : error}\n0 passed, 1 failed\n`);
  process.exitCode = 1;
}
