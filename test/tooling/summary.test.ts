import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { failedFiles, summarise, type VitestReport, withSecondTry } from '../../scripts/summary.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folders: string[] = [];

/** What vitest itself reports for these test files. */
function runVitest(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-summary-'));
  folders.push(folder);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const [name, body] of Object.entries(files))
    writeFileSync(
      join(folder, `${name}.test.ts`),
      `import { beforeAll, describe, expect, it } from 'vitest';\n${body}\n`,
    );
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--reporter=json', '--outputFile=report.json'], {
    cwd: folder,
    stdio: 'ignore',
  });
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as VitestReport;
  return { report, status: status ?? 1, root: `${folder}/` };
}

const passing = "it('a', () => {}); it('b', () => {});";

describe('the summary of a test run', () => {
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  it('counts the tests that passed and failed', () => {
    const run = runVitest({ good: passing, bad: "it('c', () => expect(1).toBe(2));" });

    expect(summarise(run, { ...run, allowSkipped: true })).toEqual({ passed: 2, failed: 1, skipped: [] });
  });

  it('counts a file that does not load as failed', () => {
    const run = runVitest({ good: passing, broken: "import './absent.js';" });

    expect(summarise(run, { ...run, allowSkipped: true })).toEqual({ passed: 2, failed: 1, skipped: [] });
  });

  it('counts a suite whose set-up fails as failed, not as skipped', () => {
    const run = runVitest({
      broken: "describe('d', () => { beforeAll(() => { throw new Error('x'); }); it('e', () => {}); });",
    });

    const { passed, failed } = summarise(run, { ...run, allowSkipped: true });

    expect({ passed, failed }).toEqual({ passed: 0, failed: 1 });
  });

  it('counts an error outside a test as failed', () => {
    const late =
      "it('f', async () => { setTimeout(() => { throw new Error('late'); }, 1); await new Promise((r) => setTimeout(r, 200)); });";
    const run = runVitest({ late });

    expect(summarise(run, { ...run, allowSkipped: true }).failed).toBe(1);
  });

  it('takes the second try of a file for the first, and keeps the rest', () => {
    const first = runVitest({ good: passing, shaky: "it('c', () => expect(1).toBe(2)); it('d', () => {});" });
    const again = runVitest({ shaky: "it('c', () => {}); it('d', () => {});" });
    const named = first.report.testResults.map((file) => ({ ...file, name: basename(file.name) }));
    const run = { ...first, report: { testResults: named } };
    const better = again.report.testResults.map((file) => ({ ...file, name: basename(file.name) }));

    expect(failedFiles(run)).toEqual(['shaky.test.ts']);
    const both = withSecondTry(run, { ...again, report: { testResults: better } });
    expect(summarise(both, { ...first, allowSkipped: true })).toEqual({ passed: 4, failed: 0, skipped: [] });
    const nothing = withSecondTry(run, { report: undefined, status: 1 });
    expect(summarise(nothing, { ...first, allowSkipped: true }).failed).toBe(1);
  });

  it('names skipped suites, and fails for them where nothing may be skipped', () => {
    const run = runVitest({
      good: passing,
      part: "describe.skip('sshd (missing: sshd)', () => { it('g', () => {}); });",
    });

    const skipped = ['part.test.ts: sshd (missing: sshd), 1 test'];
    expect(summarise(run, { ...run, allowSkipped: true })).toEqual({ passed: 2, failed: 0, skipped });
    expect(summarise(run, { ...run, allowSkipped: false })).toEqual({ passed: 2, failed: 1, skipped });
  });

  it('counts no report at all as a failure', () => {
    const { passed, failed } = summarise({ report: undefined, status: 1 }, { root, allowSkipped: true });

    expect({ passed, failed }).toEqual({ passed: 0, failed: 1 });
  });
});
