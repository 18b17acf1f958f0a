import type { HostResult, StepResult } from './result.schema.js';

/** Whether a result counts: in the outcome of its host, the totals and the exit code. */
export function counts({ waived, soft, rescued }: Pick<StepResult, 'waived' | 'soft' | 'rescued'>): boolean {
  return !waived && !soft && rescued !== true;
}

/** It only says again why the host as a whole could not be worked on. */
export function repeatsHost(
  { outcome, reason }: Pick<StepResult, 'outcome' | 'reason'>,
  host: Pick<HostResult, 'outcome' | 'reason' | 'waived'>,
): boolean {
  // The outcome of a host whose trouble is waived is that of its other steps.
  return reason === host.reason && (outcome === host.outcome || host.waived !== undefined);
}

/** Something is wrong, whether it counts or not. */
export function isBad({ outcome, rescued }: Pick<StepResult, 'outcome' | 'rescued'>): boolean {
  return ['warning', 'failed', 'unknown', 'unreachable', 'refused'].includes(outcome) && rescued !== true;
}

/** It was not so in the last run, or there was none: what `--fail-on new` counts. */
export function isNews({ change, waiverExpired, findings }: StepResult): boolean {
  if (change !== 'still' || waiverExpired) return true;
  return findings.some((finding) => finding.change === 'new' && !finding.waived);
}
