import type { PlannedStep } from '../plan/plan.js';
import type { Attempt } from './attempt.js';

/**
 * What `expect: fail` makes of an attempt: ok and failed change places. A warning is neither and stays one, as with
 * `negate` of the Nagios plugins; so does what is not known or did not run.
 */
export function asExpected({ expectsFailure }: Pick<PlannedStep, 'expectsFailure'>, attempt: Attempt): Attempt {
  if (!expectsFailure) return attempt;
  const { outcome, summary } = attempt;
  if (outcome === 'ok' || outcome === 'changed')
    return { ...attempt, outcome: 'failed', reason: 'expected-failure', summary: `expected to fail, but: ${summary}` };
  if (outcome === 'warning') return { ...attempt, summary: `expected to fail, but only a warning: ${summary}` };
  if (outcome !== 'failed') return attempt;
  const findings = attempt.findings?.map((finding) => ({ ...finding, severity: 'info' as const }));
  return { ...attempt, outcome: 'ok', reason: 'ok', summary: `as expected: ${summary}`, ...(findings && { findings }) };
}
