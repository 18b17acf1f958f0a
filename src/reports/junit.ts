import type { HostResult, RunResult, StepResult } from '../result/result.schema.js';
import { escapeXml } from './escape.js';
import { formatExit } from './figures.js';
import { hostTrouble, isCommand, needsAttention, outputOf, ownSteps, titleOfStep } from './groups.js';
import { remedyFor } from './remedies.js';
import type { Report } from './report.js';

export const junit: Report = {
  name: 'junit',
  summary: 'JUnit XML for Jenkins, GitLab and others: a suite a host, a test case a step',
  machine: true,
  render: renderJunit,
};

interface TestCase {
  readonly name: string;
  readonly seconds: number;
  readonly trouble?: {
    readonly kind: 'failure' | 'error' | 'skipped';
    readonly type: string;
    readonly message: string;
  };
  readonly body?: string;
  readonly stdout?: string;
  readonly stderr?: string;
}

interface TestSuite {
  readonly name: string;
  readonly cases: readonly TestCase[];
}

function renderJunit(result: RunResult): string {
  const { run } = result;
  const warningsFail = result.exit.reasons.some(({ reason }) => reason === 'warning');
  const suites = result.hosts.map((host): TestSuite => ({ name: host.name, cases: casesOf(host, warningsFail) }));
  const all = [...suites, ...runSuite(result, suites)];
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

function casesOf(host: HostResult, warningsFail: boolean): readonly TestCase[] {
  const whole = hostTrouble(host);
  const connection: readonly TestCase[] = whole
    ? [
        {
          name: 'Connection',
          seconds: 0,
          trouble: { kind: 'error', type: whole.reason, message: whole.summary },
          body: remedyFor(whole.reason) ?? '',
        },
      ]
    : [];
  const seen = new Map<string, number>();
  const steps = ownSteps(host).map((step) => {
    // Readers take two cases of one name for one: the second gets its place in the runbook.
    const title = titleOfStep(step);
    const before = seen.get(title) ?? 0;
    seen.set(title, before + 1);
    return caseOf(
      step,
      before === 0 ? title : `${title} (step ${step.step}${before > 1 ? `, ${before + 1}` : ''})`,
      warningsFail,
    );
  });
  return [...connection, ...steps];
}

function caseOf(step: StepResult, name: string, warningsFail: boolean): TestCase {
  const kind = kindOf(step, warningsFail);
  const { stdout, stderr } = outputOf(step);
  const wanted = needsAttention(step) || isCommand(step.uses);
  const notes = [
    ...(kind === undefined && step.outcome !== 'ok'
      ? [`${step.rescued ? 'rescued' : step.outcome}: ${step.summary}`]
      : []),
    ...(wanted && stdout !== '' ? [stdout] : []),
  ];
  return {
    name,
    seconds: step.duration,
    ...(kind && { trouble: { kind, type: step.reason, message: step.summary }, body: explain(step) }),
    ...(notes.length > 0 && { stdout: notes.join('\n') }),
    ...(wanted && stderr !== '' && { stderr }),
  };
}

function kindOf({ outcome, rescued }: StepResult, warningsFail: boolean): 'failure' | 'error' | 'skipped' | undefined {
  if (rescued) return undefined;
  switch (outcome) {
    case 'failed':
      return 'failure';
    case 'warning':
      return warningsFail ? 'failure' : undefined;
    case 'unknown':
    case 'unreachable':
    case 'refused':
      return 'error';
    case 'skipped':
      return 'skipped';
    default:
      return undefined;
  }
}

function explain({ reason, summary, findings }: StepResult): string {
  const remedy = remedyFor(reason);
  return [
    summary,
    ...findings.flatMap((finding) => [
      `${finding.severity}: ${finding.subject}: ${finding.detail}`,
      ...(finding.remedy === undefined ? [] : [`  do: ${finding.remedy}`]),
    ]),
    ...(remedy === undefined ? [] : [`do: ${remedy}`]),
  ].join('\n');
}

/** A run that is not green must not look green: what belongs to no step becomes a case of its own. */
function runSuite(result: RunResult, suites: readonly TestSuite[]): readonly TestSuite[] {
  const red = suites.some(({ cases }) => cases.some(({ trouble }) => trouble && trouble.kind !== 'skipped'));
  if (result.exit.code === 0 || red) return [];
  const type = result.exit.reasons[0]?.reason ?? 'unknown';
  const message = formatExit(result.exit);
  return [{ name: 'opsctl', cases: [{ name: 'Run', seconds: 0, trouble: { kind: 'error', type, message } }] }];
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
