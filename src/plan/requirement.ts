import type { StepKind } from '../steps/step.js';
import type { PlannedItem } from './plan.js';

/** How many results of a group must be ok. */
export type Requirement = 'all' | 'any' | number;

/** What a group with `require` is called in results. No runbook uses it by name. */
export const groupKind: StepKind = {
  kind: 'flow.group',
  runs: 'controller',
  summary: 'Judge steps together',
  params: { type: 'object' },
  effect: 'read',
  call: () => Promise.reject(new Error('a group is judged by its members')),
  judge: () => ({ outcome: 'unknown', reason: 'internal-error', summary: 'a group is judged by its members' }),
};

/** An item that stands for a group: nothing runs, its result is made of those of its members. */
export type Verdict = PlannedItem & { readonly members: readonly PlannedItem[] };

export function isVerdict(item: PlannedItem): item is Verdict {
  return item.members !== undefined;
}
