import type { RunResult } from '../result/result.schema.js';
import { suitesOf, type TestCase, type TestSuite } from './cases.js';
import { escapeLine, escapeText, guardLog } from './escape.js';
import { formatExit } from './figures.js';
import type { Report } from './report.js';

export const tap: Report = {
  name: 'tap',
  summary: 'TAP 14 for prove and other test harnesses: a subtest a host, a test a step',
  machine: true,
  render: renderTap,
};

function renderTap(result: RunResult): string {
  const suites = suitesOf(result);
  const lines = [
    'TAP version 14',
    ...(suites.length === 0 ? ['1..0 # SKIP no hosts'] : [`1..${suites.length}`]),
    `# ${escapeLine(`${result.run.runbook}, run ${result.run.id}`)}`,
    ...suites.flatMap(suiteLines),
    `# ${escapeLine(formatExit(result.exit))}`,
  ];
  return `${guardLog(lines.join('\n'))}\n`;
}

function suiteLines({ name, cases }: TestSuite, index: number): readonly string[] {
  // A harness takes an empty plan for a skipped one.
  if (cases.length === 0) return [`ok ${index + 1} - ${description(name)} # SKIP no steps`];
  const good = cases.every(isGood);
  return [
    `# Subtest: ${description(name)}`,
    `    1..${cases.length}`,
    ...cases.flatMap(caseLines).map((line) => `    ${line}`),
    `${good ? 'ok' : 'not ok'} ${index + 1} - ${description(name)}`,
  ];
}

function caseLines(testCase: TestCase, index: number): readonly string[] {
  const { name, trouble } = testCase;
  // What is known to be bad and does not count is what TAP calls `TODO`.
  const uncounted = trouble?.type === 'waived' || trouble?.type === 'soft';
  const directive =
    trouble?.kind === 'skipped' ? ` # ${uncounted ? 'TODO' : 'SKIP'} ${description(trouble.message)}` : '';
  return [
    `${isGood(testCase) && !uncounted ? 'ok' : 'not ok'} ${index + 1} - ${description(name)}${directive}`,
    ...(directive === '' ? diagnostics(testCase) : []),
  ];
}

function isGood({ trouble }: TestCase): boolean {
  return trouble === undefined || trouble.kind === 'skipped';
}

/** YAML between `---` and `...`, every text in double quotes. */
function diagnostics({ trouble, body, stdout, stderr, seconds }: TestCase): readonly string[] {
  const entries = {
    ...(trouble && { severity: trouble.kind === 'failure' ? 'fail' : 'error', reason: trouble.type }),
    ...(trouble && { message: trouble.message }),
    ...(body !== undefined && body !== '' && { explanation: body }),
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && { stderr }),
  };
  const texts = Object.entries(entries).map(([key, text]) => `  ${key}: ${JSON.stringify(escapeText(text))}`);
  const time = `  duration_ms: ${Number.isFinite(seconds) ? Math.max(0, Math.round(seconds * 1000)) : 0}`;
  return ['  ---', ...texts, time, '  ...'];
}

/** One line in which `#` starts no directive. */
function description(text: string): string {
  return escapeLine(text).trim().replace(/[\\#]/g, '\\$&');
}
