import type { StepKind } from '../step.js';

/** One line a kind. */
export const runs: Readonly<Record<string, () => Promise<StepKind>>> = {};
