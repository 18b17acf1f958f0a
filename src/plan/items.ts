import type { LoopItem, PlannedItem, PlannedStep, Segment } from './plan.js';
import { isVerdict } from './requirement.js';
import type { Sequence } from './rounds.js';

/**
 * The items of a loop, each with the name that results have for it. No two names are the same: the name is part
 * of what makes a change run once. A sensitive step only numbers them.
 */
export function loopItems(
  values: readonly unknown[],
  { sensitive }: Pick<PlannedStep, 'sensitive'>,
): readonly LoopItem[] {
  const seen = new Map<string, number>();
  return values.map((value, index) => {
    const label = sensitive ? `#${index + 1}` : labelOf(value);
    const times = (seen.get(label) ?? 0) + 1;
    seen.set(label, times);
    return { value, index, label: times === 1 ? label : `${label} (${times})` };
  });
}

function labelOf(value: unknown): string {
  const label = typeof value === 'string' ? value : JSON.stringify(value);
  return label.length > 120 ? `${label.slice(0, 119)}…` : label;
}

export const conditionFails = { reason: 'condition', summary: 'not run: its condition does not hold' } as const;
export const listIsEmpty = { reason: 'no-items', summary: 'not run: the list is empty' } as const;

/** All items of a host's plan, in order. */
export function itemsOf(body: readonly Segment[]): readonly PlannedItem[] {
  return body.flatMap((segment) =>
    segment.type === 'round'
      ? segment.items
      : [...itemsOf(segment.body), ...itemsOf(segment.rescue), ...itemsOf(segment.always)],
  );
}

/** What a group counts: steps, each item of a loop, and groups inside that have a verdict of their own. Not a rescue. */
export function membersOf(body: Sequence): readonly PlannedItem[] {
  const items = body.flatMap((entry) => ('type' in entry ? membersOf(entry.body) : [entry]));
  const inner = new Set(items.filter(isVerdict).flatMap(({ members }) => members));
  return items.filter((item) => !inner.has(item));
}

/** The keys of the steps that each verdict counts, on any host. */
export function verdictMembers(bodies: readonly (readonly Segment[])[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const verdict of bodies.flatMap(itemsOf).filter(isVerdict)) {
    const keys = found.get(verdict.step.key) ?? new Set();
    for (const { step } of verdict.members) keys.add(step.key);
    found.set(verdict.step.key, keys);
  }
  return found;
}
