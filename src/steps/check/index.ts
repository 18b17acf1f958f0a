import type { StepKind } from '../step.js';

/** One line a kind. */
export const checks: Readonly<Record<string, () => Promise<StepKind>>> = {
  'check.load': async () => (await import('./load/step.js')).default,
  'check.memory': async () => (await import('./memory/step.js')).default,
};
