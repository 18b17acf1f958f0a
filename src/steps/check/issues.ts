import type { Metric } from '../../result/result.schema.js';
import { formatLimit, formatQuantity } from '../quantity.js';
import { judgeNumber, metricOf, optionalRange, type Unit } from '../range.js';
import type { Judgement } from '../step.js';

/** One thing that is wrong with what a kind looks at. */
export interface Issue {
  readonly outcome: 'failed' | 'unknown' | 'warning';
  readonly reason: string;
  /** Part of the summary. */
  readonly text: string;
}

export interface Measurement {
  readonly metric: Metric;
  /** The number as people read it. */
  readonly text: string;
  /** None when the number is inside its limits. */
  readonly issues: readonly Issue[];
}

export interface Thresholds {
  readonly warning?: string | number | undefined;
  readonly critical?: string | number | undefined;
  /** Unit of a number without one. */
  readonly bare?: string;
  readonly min?: number;
  readonly max?: number;
}

/** A number against its thresholds. `phrase` says the number to people. */
export function measure(
  name: string,
  value: number,
  unit: Unit,
  thresholds: Thresholds,
  phrase: (quantity: string) => string,
): Measurement {
  const { warning, critical, bare, ...bounds } = thresholds;
  const limits = { warning: optionalRange(warning, unit, bare), critical: optionalRange(critical, unit, bare) };
  const { level, reason, limit } = judgeNumber(value, limits.warning, limits.critical);
  const said = phrase(formatQuantity(value, unit));
  return {
    metric: metricOf(name, value, unit, { ...limits, ...bounds }),
    text: said,
    issues: level === 'ok' || !limit ? [] : [{ outcome: level, reason, text: `${said}, ${formatLimit(limit, unit)}` }],
  };
}

const ranks = ['failed', 'unknown', 'warning'] as const;

/** The worst issue decides, the summary names up to three; `calm` is the summary when there is none. */
export function judgeIssues(
  issues: readonly Issue[],
  {
    subject,
    calm,
    metrics,
  }: { readonly subject?: string; readonly calm: string; readonly metrics?: readonly Metric[] },
): Judgement {
  const sorted = ranks.flatMap((rank) => issues.filter(({ outcome }) => outcome === rank));
  const [worst] = sorted;
  const texts = worst ? sorted.map(({ text }) => text) : [calm];
  const rest = texts.length - 3;
  const said = `${texts.slice(0, 3).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
  return {
    outcome: worst?.outcome ?? 'ok',
    reason: worst?.reason ?? 'ok',
    summary: subject === undefined ? said : `${subject} ${said}`,
    ...(metrics && { metrics }),
  };
}

/** What is not as it should be, as an issue. */
export function wrong(reason: string, text: string): Issue {
  return { outcome: 'failed', reason, text };
}

/** What could not be measured, as an issue. */
export function unclear(reason: string, text: string): Issue {
  return { outcome: 'unknown', reason, text };
}
