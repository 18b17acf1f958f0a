import { createHash } from 'node:crypto';
import { stepKey } from '../result/fold.js';
import type { Finding, HostResult, Outcome, RunResult, Severity, StepResult } from '../result/result.schema.js';
import { escapeText } from './escape.js';
import { formatExit } from './figures.js';
import { hostTrouble, needsAttention, ownSteps, titleOfStep } from './groups.js';
import { clip } from './layout.js';
import { remedyFor } from './remedies.js';
import { type Standing, standingOf, withNotes } from './standing.js';

/** One thing to look at, as code-quality and code-scanning tools list them. */
export interface Issue {
  readonly host: string;
  /** Stable id of what was checked: `check.disk/disk-space`, or `check.disk` where there is no finding. */
  readonly rule: string;
  /** What the rule is about, for people. */
  readonly title: string;
  readonly outcome: Outcome;
  readonly severity: Severity;
  /** The mount point, unit or account; the step where there is none. */
  readonly subject: string;
  readonly text: string;
  readonly standing: Standing;
  readonly remedy?: string;
  /** The same in every run while the issue is the same; unique in a report. */
  readonly fingerprint: string;
}

const maxText = 2_000;

/** All findings, and every result that needs attention without one. A run that is not green has at least one. */
export function issuesOf(result: RunResult): readonly Issue[] {
  const drafts = result.hosts.flatMap((host) => [...troubleOf(host), ...ownSteps(host).flatMap(stepIssues(host))]);
  const red = drafts.some(({ outcome, standing }) => outcome !== 'ok' && !isUncounted({ standing }));
  return withFingerprints(result.exit.code === 0 || red ? drafts : [...drafts, runIssue(result)], result);
}

/** What the last run had and this one has not, with the fingerprints that it had. */
export function fixedIssuesOf(result: RunResult): readonly Issue[] {
  return withFingerprints(
    result.hosts.flatMap((host) => host.steps.flatMap((step) => fixedIn(host, step))),
    result,
  );
}

function fixedIn(host: HostResult, step: StepResult): readonly Draft[] {
  const title = `${step.uses}: ${oneLine(titleOfStep(step))}`;
  const base = { host: host.name, title, outcome: step.outcome, severity: 'info' as const };
  const place = `${host.name}/${stepKey(step)}`;
  const gone = (step.gone ?? []).map(
    ({ id, subject, since }): Draft => ({
      ...base,
      rule: `${step.uses}/${oneLine(id)}`,
      subject: oneLine(subject),
      text: textOf(`${subject}: fixed`),
      standing: { change: 'fixed', since },
      key: [step.step, step.item ?? '', `${place}/${id}/${subject}`, subject],
    }),
  );
  if (gone.length > 0 || step.change !== 'fixed') return gone;
  const text = textOf(`${titleOfStep(step)}: fixed: ${step.summary}`);
  const key = [step.step, step.item ?? '', 'fixed'];
  return [{ ...base, rule: step.uses, subject: oneLine(titleOfStep(step)), text, standing: standingOf(step), key }];
}

function withFingerprints(all: readonly Draft[], result: RunResult): readonly Issue[] {
  const seen = new Map<string, number>();
  return all.map(({ key, ...issue }) => {
    const text = JSON.stringify([result.run.runbook, issue.host, issue.rule, ...key]);
    const before = seen.get(text) ?? 0;
    seen.set(text, before + 1);
    // Readers drop all but one of a fingerprint.
    const fingerprint = createHash('sha256').update(before === 0 ? text : `${text} ${before}`);
    return { ...issue, fingerprint: fingerprint.digest('hex') };
  });
}

/** It is accepted, or not yet to be counted. */
export function isUncounted({ standing }: Pick<Issue, 'standing'>): boolean {
  return (standing.waived ?? standing.soft) !== undefined;
}

type Draft = Omit<Issue, 'fingerprint'> & { readonly key: readonly string[] };

function troubleOf(host: HostResult): readonly Draft[] {
  const trouble = hostTrouble(host);
  if (!trouble) return [];
  return [
    {
      host: host.name,
      rule: trouble.step,
      title: trouble.step === 'connection' ? 'Connection to the host' : trouble.name,
      outcome: host.outcome,
      severity: host.outcome === 'refused' ? 'high' : 'medium',
      subject: trouble.reason,
      text: textOf(withNotes(trouble.summary, standingOf(host))),
      standing: standingOf(host),
      ...remedyOf(trouble.reason),
      key: [trouble.reason],
    },
  ];
}

function stepIssues(host: HostResult): (step: StepResult) => readonly Draft[] {
  return (step) => {
    if (step.rescued === true || step.outcome === 'skipped') return [];
    const own = [step.step, step.item ?? ''];
    const standing = standingOf(step);
    const base = { host: host.name, title: `${step.uses}: ${oneLine(titleOfStep(step))}` };
    const found = step.findings.map(
      (finding): Draft => ({
        ...base,
        rule: `${step.uses}/${oneLine(finding.id)}`,
        outcome: step.outcome,
        severity: finding.severity,
        subject: oneLine(finding.subject),
        text: textOf(withNotes(`${finding.subject}: ${finding.detail}`, standingOfFinding(finding, standing))),
        standing: standingOfFinding(finding, standing),
        ...remedyOf(step.reason, finding),
        key: [...own, finding.fingerprint, finding.subject],
      }),
    );
    // What could not be told is said, even where something else was found.
    const bad = needsAttention(step) || isUncounted({ standing });
    if (!bad || (found.length > 0 && (step.outcome === 'failed' || step.outcome === 'warning'))) return found;
    const result: Draft = {
      ...base,
      rule: step.uses,
      outcome: step.outcome,
      severity: step.severity ?? severityOf(step.outcome),
      subject: oneLine(titleOfStep(step)),
      text: textOf(withNotes(`${titleOfStep(step)}: ${step.summary} (${step.reason})`, standing)),
      standing,
      ...remedyOf(step.reason),
      key: [...own, step.outcome, step.reason],
    };
    return [...found, result];
  };
}

function standingOfFinding({ waived, waiverExpired, change, since }: Finding, step: Standing): Standing {
  const accepted = waived ?? step.waived;
  return {
    ...(accepted && { waived: accepted }),
    ...(waiverExpired && { waiverExpired }),
    ...(step.soft && { soft: step.soft }),
    ...(change && { change }),
    ...(since !== undefined && { since }),
  };
}

function runIssue(result: RunResult): Draft {
  const reason = result.exit.reasons[0]?.reason ?? 'unknown';
  return {
    host: 'opsctl',
    rule: 'run',
    title: 'The run as a whole',
    outcome: 'unknown',
    severity: 'medium',
    subject: reason,
    text: textOf(`${result.run.runbook}: ${formatExit(result.exit)}`),
    standing: {},
    key: [reason],
  };
}

function severityOf(outcome: Outcome): Severity {
  return outcome === 'failed' || outcome === 'refused' ? 'high' : 'medium';
}

function remedyOf(reason: string, finding?: Finding): { readonly remedy?: string } {
  const remedy = finding?.remedy ?? remedyFor(reason);
  return remedy === undefined ? {} : { remedy: textOf(remedy) };
}

function textOf(text: string): string {
  return cut(escapeText(text.slice(0, maxText * 2)).trim() || 'nothing was said', maxText);
}

function oneLine(text: string): string {
  return clip(escapeText(text.slice(0, 1_000)).replace(/\s+/g, ' ').trim(), 200) || '-';
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The runbook as a path from the root of the repository, where it can be one. */
export function repositoryFile({ run }: RunResult): string | undefined {
  const file = run.file?.replace(/^(?:\.\/)+/, '');
  return file === undefined || file === '' || file.startsWith('/') || file.split('/').includes('..') ? undefined : file;
}
