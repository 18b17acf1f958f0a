import type { HostResult, StepResult } from './result.schema.js';

/** Whether a result counts: in the outcome of its host, the totals and the exit code. */
export function counts({ waived, soft, rescued }: Pick<StepResult, 'waived' | 'soft' | 'rescued'>): boolean {
  return !waived && !soft && rescued !== true;
}

/** It only says again why the host as a whole could not be worked on. */
export function repeatsHost(
  { outcome, reason }: Pick<StepResult, 'outcome' | 'reason'>,
  host: Pick<HostResult, 'outcome' | 'reason'>,
): boolean {
  return outcome === host.outcome && reason === host.reason;
}
