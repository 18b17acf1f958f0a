import type { PlannedItem, Segment } from './plan.js';

/** A loop item as results name it. */
export function itemLabel(value: unknown): string {
  const label = typeof value === 'string' ? value : JSON.stringify(value);
  return label.length > 120 ? `${label.slice(0, 119)}…` : label;
}

/** All items of a host's plan, in order. */
export function itemsOf(body: readonly Segment[]): readonly PlannedItem[] {
  return body.flatMap((segment) =>
    segment.type === 'round'
      ? segment.items
      : [...itemsOf(segment.body), ...itemsOf(segment.rescue), ...itemsOf(segment.always)],
  );
}
