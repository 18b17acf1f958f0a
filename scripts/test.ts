/**
 * `npm test`: builds, sees to the programs that the suites need, runs every suite, and ends with one line
 * `N passed, N failed`. Arguments go to vitest: `npm test -- src/plan`, `npm test -- --project unit`.
 * With CI set nothing may be skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './build.js';
import { installPrograms } from './programs.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const inCi = Boolean(process.env.CI);

/** The part of vitest's JSON report that is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly ancestorTitles: readonly string[];
      readonly title: string;
    }[];
  }[];
}

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
    return summarise(file, status ?? 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function summarise(file: string, status: number): number {
  const report = readReport(file);
  const skipped = skippedSuites(report);
  if (skipped.length > 0) say(`skipped:\n${skipped.map((suite) => `  ${suite}\n`).join('')}`);

  // A file that does not load and an error outside a test have no failed test of their own.
  const unloaded = report.testResults.filter(
    (suite) => suite.status === 'failed' && !suite.assertionResults.some((one) => one.status === 'failed'),
  ).length;
  const notAllowed = inCi ? skipped.length : 0;
  const failed = Math.max(report.numFailedTests + unloaded + notAllowed, status === 0 ? 0 : 1);
  if (notAllowed > 0) say('with CI set a skipped suite counts as failed\n');
  say(`${report.numPassedTests} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function readReport(file: string): VitestReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    // vitest stopped before it could report; its own words are on the screen above.
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  }
}

/** One line a suite: where it is, how many tests, and its title, which names what is missing. */
function skippedSuites(report: VitestReport): string[] {
  const counts = new Map<string, number>();
  for (const { name, assertionResults } of report.testResults)
    for (const { status, ancestorTitles, title } of assertionResults) {
      if (status === 'passed' || status === 'failed') continue;
      const suite = `${name.replace(root, '')}: ${ancestorTitles[0] ?? title}`;
      counts.set(suite, (counts.get(suite) ?? 0) + 1);
    }
  return [...counts].map(([suite, tests]) => `${suite}, ${tests} ${tests === 1 ? 'test' : 'tests'}`);
}

function say(text: string): void {
  process.stdout.write(text);
}

process.exitCode = await test(process.argv.slice(2));
