import type { HostResult, RunResult, StepResult } from '../result/result.schema.js';
import { formatExit } from './figures.js';
import { hostTrouble, isCommand, needsAttention, outputOf, ownSteps, titleOfStep } from './groups.js';
import { remedyFor } from './remedies.js';
import { findingNotes, notesOf, type Standing, standingOf, withExcuse, withNotes } from './standing.js';

/** A run as test reports see it: a suite a host, a case a step. A run that is not green has a case that is not. */
export function suitesOf(result: RunResult): readonly TestSuite[] {
  const warningsFail = result.exit.reasons.some(({ reason }) => reason === 'warning');
  const suites = result.hosts.map((host): TestSuite => ({ name: host.name, cases: casesOf(host, warningsFail) }));
  return [...suites, ...runSuite(result, suites)];
}

export interface TestCase {
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

export interface TestSuite {
  readonly name: string;
  readonly cases: readonly TestCase[];
}

function casesOf(host: HostResult, warningsFail: boolean): readonly TestCase[] {
  const whole = hostTrouble(host);
  const connection: readonly TestCase[] = whole
    ? [
        {
          name: whole.name,
          seconds: 0,
          trouble: host.waived
            ? uncounted(whole, standingOf(host))
            : { kind: 'error', type: whole.reason, message: withNotes(whole.summary, standingOf(host)) },
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
  const standing = standingOf(step);
  const wanted = needsAttention(step) || isCommand(step.uses);
  const notes = [
    ...(step.attempts > 1 ? [`${step.attempts} attempts`] : []),
    ...(kind === undefined && step.outcome !== 'ok'
      ? [step.rescued ? withExcuse(step.summary, step) : `${step.outcome}: ${step.summary}`]
      : []),
    ...(kind === undefined ? notesOf(standing) : []),
    ...(wanted && stdout !== '' ? [stdout] : []),
  ];
  return {
    name,
    seconds: step.duration,
    ...(kind && { trouble: troubleOf(kind, step, standing), body: explain(step) }),
    ...(notes.length > 0 && { stdout: notes.join('\n') }),
    ...(wanted && stderr !== '' && { stderr }),
  };
}

type Trouble = NonNullable<TestCase['trouble']>;

function troubleOf(kind: Trouble['kind'], step: StepResult, standing: Standing): Trouble {
  if (step.outcome !== 'skipped' && kind === 'skipped') return uncounted(step, standing);
  return { kind, type: step.reason, message: withNotes(step.summary, standing) };
}

/** It is bad, and does not count for now. */
function uncounted({ summary }: Pick<StepResult, 'summary'>, standing: Standing): Trouble {
  return { kind: 'skipped', type: standing.waived ? 'waived' : 'soft', message: withNotes(summary, standing) };
}

function kindOf(
  { outcome, rescued, waived, soft }: StepResult,
  warningsFail: boolean,
): 'failure' | 'error' | 'skipped' | undefined {
  if (rescued) return undefined;
  if (waived ?? soft) return 'skipped';
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
      `${finding.severity}: ${finding.subject}: ${finding.detail}${findingNotes(finding)}`,
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
