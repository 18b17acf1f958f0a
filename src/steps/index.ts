import { checks } from './check/index.js';
import { runs } from './run/index.js';
import type { StepKind } from './step.js';

/** Every step kind by the name that users type. A kind is loaded on first use. */
export const stepKinds: Readonly<Record<string, () => Promise<StepKind>>> = {
  ...checks,
  ...runs,
};
