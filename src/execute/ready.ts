import { conditionFails, listIsEmpty, loopItems } from '../plan/items.js';
import type { EvaluationContext, PlannedItem } from '../plan/plan.js';
import { Secret } from '../secrets/secret.js';
import type { Memory } from '../steps/step.js';
import type { Attempt } from './attempt.js';

/** An item that can run: its parameters are known. */
export interface ReadyItem {
  readonly item: PlannedItem;
  readonly params: Readonly<Record<string, unknown>>;
  /** Positional parameters of a script on the host; none for what looks from the controller. */
  readonly args: readonly (string | Secret)[];
  /** Of a step that remembers. */
  readonly memory?: Memory;
}

/** The items of a loop that could not be known before; undefined for all else. Throws what its expressions throw. */
export function expandItems(planned: PlannedItem, context: EvaluationContext): readonly PlannedItem[] | undefined {
  const { step } = planned;
  if (!planned.deferred || !step.loops || planned.item || planned.skip) return undefined;
  if (!step.resolve.loopApplies(context)) return [{ ...planned, skip: conditionFails }];
  const values = step.resolve.items(context) ?? [];
  if (values.length === 0) return [{ ...planned, skip: listIsEmpty }];
  return loopItems(values, step).map((item) => ({ ...planned, item }));
}

/** Parameters with secrets in place and the arguments that they make, or why the item does not run. */
export async function readyItem(
  item: PlannedItem,
  context: EvaluationContext,
  secrets: ReadonlyMap<string, Secret>,
  memory: Memory | undefined,
): Promise<ReadyItem | { readonly attempt: Attempt }> {
  if (item.skip) return { attempt: { outcome: 'skipped', ...item.skip } };
  try {
    if (item.deferred && !item.step.resolve.applies(context)) {
      return { attempt: { outcome: 'skipped', ...conditionFails } };
    }
    const given = item.params ?? (await item.step.resolve.params(context));
    const params = withSecrets(given, secrets) as ReadyItem['params'];
    return { item, params, args: argumentsOf(item, params, memory), ...(memory && { memory }) };
  } catch (error) {
    return { attempt: expressionFails(error) };
  }
}

export function expressionFails(error: unknown): Attempt {
  return {
    outcome: 'unknown',
    reason: 'expression-error',
    summary: (error as Error).message,
    neverStarted: true,
  };
}

function argumentsOf(
  { step }: PlannedItem,
  params: ReadyItem['params'],
  memory: Memory | undefined,
): ReadyItem['args'] {
  if (step.kind.runs === 'controller') return [];
  const args = step.kind.args(params, memory) as ReadyItem['args'];
  const holdsNul = (value: string) => value.includes('\0');
  if (args.some((value) => (value instanceof Secret ? value.reveal(holdsNul) : holdsNul(value))))
    throw new Error('a value holds a NUL character, which no argument of a program can');
  return args;
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
