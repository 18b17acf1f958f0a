import type { StepKind } from '../step.js';

/** One line a kind. */
export const runs: Readonly<Record<string, () => Promise<StepKind>>> = {
  'run.command': async () => (await import('./command/step.js')).default,
  'run.facts': async () => (await import('./facts/step.js')).default,
  'run.script': async () => (await import('./script/step.js')).default,
  'run.survey': async () => (await import('./survey/step.js')).default,
};
