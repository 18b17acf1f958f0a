import type { EvaluationContext, PlannedStep } from '../plan/plan.js';
import type { Attempt } from './attempt.js';

export interface Weighed {
  readonly attempt: Attempt;
  /** No other try follows. */
  readonly done: boolean;
}

/**
 * Decides after a try of a step with `retry` whether another follows. What is fine in itself is not ok as long as
 * the step's `until` does not hold.
 */
export function weigh(
  { retry, resolve }: PlannedStep,
  attempt: Attempt,
  attempts: number,
  mayRepeat: boolean,
  context: () => EvaluationContext,
): Weighed {
  if (!retry || attempt.outcome === 'skipped' || attempt.outcome === 'refused') return { attempt, done: true };
  const usedUp = attempts >= retry.attempts || !mayRepeat;
  const isGood = ['ok', 'changed', 'warning'].includes(attempt.outcome);
  if (!resolve.until) return { attempt, done: isGood || usedUp };
  try {
    if (resolve.until(context())) return { attempt, done: true };
  } catch (error) {
    const { message } = error as Error;
    return {
      attempt: isGood ? { ...attempt, outcome: 'unknown', reason: 'expression-error', summary: message } : attempt,
      done: usedUp,
    };
  }
  const summary = `its \`until\` does not hold: ${attempt.summary}`;
  return { attempt: isGood ? { ...attempt, outcome: 'failed', reason: 'until', summary } : attempt, done: usedUp };
}
