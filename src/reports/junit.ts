import type { RunResult } from '../result/result.schema.js';
import { suitesOf, type TestCase, type TestSuite } from './cases.js';
import { escapeXml } from './escape.js';
import type { Report } from './report.js';

export const junit: Report = {
  name: 'junit',
  summary: 'JUnit XML for Jenkins, GitLab and others: a suite a host, a test case a step',
  machine: true,
  render: renderJunit,
};

function renderJunit(result: RunResult): string {
  const { run } = result;
  const all = suitesOf(result);
  const cases = all.flatMap((suite) => suite.cases);
  const attributes = {
    name: run.runbook,
    time: decimal(run.duration),
    tests: String(cases.length),
    failures: tally(cases, 'failure'),
    errors: tally(cases, 'error'),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${print(attributes)}>`,
    ...all.flatMap((suite) => suiteLines(suite, result)),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteLines({ name, cases }: TestSuite, { run }: RunResult): readonly string[] {
  const attributes = {
    name,
    tests: String(cases.length),
    failures: tally(cases, 'failure'),
    errors: tally(cases, 'error'),
    skipped: tally(cases, 'skipped'),
    time: decimal(cases.reduce((sum, { seconds }) => sum + positive(seconds), 0)),
    timestamp: run.startedAt.replace(/(?:\.\d+)?Z$/, ''),
    hostname: name,
  };
  const properties = { run: run.id, runbook: run.runbook, mode: run.mode, version: run.version };
  // Jenkins takes what is before the last dot for a package: a host is one class, whatever dots it has.
  const className = `${run.runbook.replaceAll('.', '_')}.${name.replaceAll('.', '_')}`;
  return [
    `  <testsuite${print(attributes)}>`,
    '    <properties>',
    ...Object.entries(properties).map(([key, value]) => `      <property${print({ name: key, value })}/>`),
    '    </properties>',
    ...cases.map((testCase) => caseLine(testCase, className)),
    '  </testsuite>',
  ];
}

function caseLine({ name, seconds, trouble, body, stdout, stderr }: TestCase, className: string): string {
  const attributes = print({ name, classname: className, time: decimal(seconds) });
  const inner = [
    ...(trouble
      ? [
          `<${trouble.kind}${print({ type: trouble.type, message: trouble.message })}>${escapeXml(body ?? '')}</${trouble.kind}>`,
        ]
      : []),
    ...(stdout === undefined ? [] : [`<system-out>${escapeXml(stdout)}</system-out>`]),
    ...(stderr === undefined ? [] : [`<system-err>${escapeXml(stderr)}</system-err>`]),
  ];
  if (inner.length === 0) return `    <testcase${attributes}/>`;
  return [`    <testcase${attributes}>`, ...inner.map((line) => `      ${line}`), '    </testcase>'].join('\n');
}

function print(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
}

function tally(cases: readonly TestCase[], kind: 'failure' | 'error' | 'skipped'): string {
  return String(cases.filter(({ trouble }) => trouble?.kind === kind).length);
}

/** Never an exponent: readers refuse `1.2e-5`. */
function decimal(seconds: number): string {
  return positive(seconds).toFixed(3);
}

function positive(seconds: number): number {
  return Number.isFinite(seconds) ? Math.min(1e9, Math.max(0, seconds)) : 0;
}
