/**
 * `npm test`: builds, sees to the programs that the suites need, runs every suite, and ends with one line
 * `N passed, N failed`. Arguments go to vitest: `npm test -- src/plan`, `npm test -- --project quick`.
 * With CI set nothing may be skipped, and the few files that fail are tried once more with nothing beside them: what
 * then passes was at odds with the load or its neighbours. It counts as passed, and is named.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './build.js';
import { installPrograms } from './programs.js';
import { failedFiles, type Run, type Summary, summarise, type VitestReport, withSecondTry } from './summary.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const inCi = Boolean(process.env.CI);

/** The suites of hosts and servers of their own wait more than they work: they run beside the others. */
const halves = [
  ['--project', 'real'],
  ['--project', 'quick', '--project', 'hosts'],
];

/** More failed files than these are no accident. */
const fewFiles = 5;

async function test(args: readonly string[]): Promise<number> {
  say(installPrograms({ required: inCi }));
  await buildAll();

  const folder = mkdtempSync(join(tmpdir(), 'opsctl-test-'));
  try {
    const parts = args.length > 0 ? [args] : halves;
    const runs = await Promise.all(
      parts.map((part, index) => vitest(part, join(folder, `${index}.json`), { later: index > 0 })),
    );
    if (inCi && runs.flatMap(failedFiles).length <= fewFiles)
      for (const [index, run] of runs.entries())
        runs[index] = await tryAgain(run, parts[index] ?? [], join(folder, `${index}-again.json`));
    return report(runs.map((run) => summarise(run, { root, allowSkipped: !inCi })));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function tryAgain(run: Run, args: readonly string[], file: string): Promise<Run> {
  const failed = failedFiles(run);
  if (failed.length === 0) return run;
  say(`\nonce more, alone: ${failed.map((name) => relative(root, name)).join(' ')}\n`);
  const again = await vitest([...args.filter((arg) => !/\.test\.ts$/.test(arg)), ...failed], file, { later: false });
  const still = failedFiles(again);
  for (const name of failed)
    if (again.report && !still.includes(name)) say(`passes only alone: ${relative(root, name)}\n`);
  return withSecondTry(run, again);
}

/** `later`: shows what it says when it has ended, so that two at once do not talk over each other. */
async function vitest(args: readonly string[], file: string, { later }: { later: boolean }): Promise<Run> {
  const program = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const child = spawn(process.execPath, [program, 'run', ...reporters, ...args], {
    cwd: root,
    stdio: ['ignore', later ? 'pipe' : 'inherit', later ? 'pipe' : 'inherit'],
  });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  process.stdout.write(Buffer.concat(said));
  return { report: readReport(file), status: status ?? 1 };
}

function report(parts: readonly Summary[]): number {
  const skipped = parts.flatMap((part) => part.skipped);
  const sum = (of: (part: Summary) => number) => parts.reduce((total, part) => total + of(part), 0);
  const failed = sum((part) => part.failed);
  if (skipped.length > 0) {
    say(`skipped${inCi ? ', which counts as failed with CI set' : ''}:\n`);
    for (const suite of skipped) say(`  ${suite}\n`);
  }
  say(`${sum((part) => part.passed)} passed, ${failed} failed\n`);
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
