import type { Metric, Severity } from '../../result/result.schema.js';
import type { FoundIssue, Judgement } from '../step.js';
import { type Issue, judgeIssues, type Measurement } from './issues.js';

/** One of several things that a kind looks at: a disk, a pool, a mount. Its name stands before each issue. */
export interface Part {
  readonly name: string;
  readonly issues: readonly Issue[];
  readonly metrics: readonly Metric[];
}

/** A part from what was measured of it and what else is wrong with it. */
export function partOf(name: string, measured: readonly Measurement[], others: readonly Issue[] = []): Part {
  return {
    name,
    issues: [...others, ...measured.flatMap(({ issues }) => issues)],
    metrics: measured.map(({ metric }) => metric),
  };
}

const severities: Readonly<Record<Issue['outcome'], Severity>> = { failed: 'high', unknown: 'high', warning: 'medium' };

/** The worst part decides; each issue is a finding of its own, so that one part can be waived. */
export function judgeParts(parts: readonly Part[], calm: string): Judgement {
  const findings: FoundIssue[] = parts.flatMap(({ name, issues }) =>
    issues.map(({ outcome, reason, text }) => ({
      id: reason,
      severity: severities[outcome],
      subject: name,
      detail: text,
    })),
  );
  const named = parts.flatMap(({ name, issues }) =>
    issues.map((issue) => ({ ...issue, text: `${name} ${issue.text}` })),
  );
  return {
    ...judgeIssues(named, { calm, metrics: parts.flatMap(({ metrics }) => metrics) }),
    ...(findings.length > 0 && { findings }),
  };
}
