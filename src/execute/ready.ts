import { itemLabel } from '../plan/items.js';
import type { EvaluationContext, PlannedItem } from '../plan/plan.js';
import type { Secret } from '../secrets/secret.js';
import type { Attempt } from './attempt.js';
import type { Recorder } from './recorder.js';

/** The items of a planned item: itself, or one for each value of a loop that could not be known before. */
export function expandItems(
  planned: PlannedItem,
  context: EvaluationContext,
  recorder: Recorder,
): readonly PlannedItem[] {
  if (!planned.deferred || !planned.step.loops || planned.item || planned.skip) return [planned];
  try {
    if (!planned.step.resolve.applies(context)) return [planned];
    const values = planned.step.resolve.items(context) ?? [];
    if (values.length === 0)
      return [{ ...planned, deferred: false, skip: { reason: 'no-items', summary: 'not run: the list is empty' } }];
    const items = values.map((value) => ({ ...planned, item: { value, label: itemLabel(value) } }));
    recorder.expanded(planned, items);
    return items;
  } catch {
    // readyItem meets the same error and reports it.
    return [planned];
  }
}

/** Parameters with secrets in place, or why the item does not run. */
export async function readyItem(
  item: PlannedItem,
  context: EvaluationContext,
  secrets: ReadonlyMap<string, Secret>,
): Promise<{ readonly params: Readonly<Record<string, unknown>> } | { readonly attempt: Attempt }> {
  if (item.skip) return { attempt: { outcome: 'skipped', ...item.skip } };
  try {
    if (item.deferred && !item.step.resolve.applies(context)) {
      return { attempt: { outcome: 'skipped', reason: 'condition', summary: 'not run: its condition does not hold' } };
    }
    const params = item.params ?? (await item.step.resolve.params(context));
    return { params: withSecrets(params, secrets) as Readonly<Record<string, unknown>> };
  } catch (error) {
    return {
      attempt: {
        outcome: 'unknown',
        reason: 'expression-error',
        summary: (error as Error).message,
        neverStarted: true,
      },
    };
  }
}

function withSecrets(value: unknown, secrets: ReadonlyMap<string, Secret>): unknown {
  if (secrets.size === 0 || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => withSecrets(item, secrets));
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'secret' && typeof only[1] === 'string')
    return secrets.get(only[1]) ?? value;
  return Object.fromEntries(entries.map(([key, item]) => [key, withSecrets(item, secrets)]));
}
