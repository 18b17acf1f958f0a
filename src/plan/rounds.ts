import type { Group, PlannedItem, Round, Segment } from './plan.js';

/** A run of items and groups, in order, as they are before rounds are cut. */
export type Sequence = readonly (PlannedItem | SequenceGroup)[];

export interface SequenceGroup {
  readonly type: 'group';
  readonly name: string;
  readonly body: Sequence;
  readonly rescue: Sequence;
  readonly always: Sequence;
}

/**
 * Cuts a sequence into rounds: as many consecutive items as one payload can carry. A new round begins where
 * the carrier or the privilege changes, where an item reads the result of one in the same round, and after
 * an item that may be tried again or may stop the host.
 */
export function cutRounds(sequence: Sequence): readonly Segment[] {
  const segments: Segment[] = [];
  let open: { carrier: Round['carrier']; sudo: boolean; items: PlannedItem[]; keys: Set<string> } | undefined;
  const close = () => {
    if (open) segments.push({ type: 'round', carrier: open.carrier, sudo: open.sudo, items: open.items });
    open = undefined;
  };
  for (const entry of sequence) {
    if ('type' in entry) {
      close();
      segments.push(cutGroup(entry));
      continue;
    }
    const carrier = carrierOf(entry);
    const { sudo } = entry;
    if (open && (!fits(open, entry, carrier, sudo) || carrier === 'change')) close();
    open ??= { carrier, sudo, items: [], keys: new Set() };
    open.items.push(entry);
    open.keys.add(entry.step.key);
    if (carrier === 'change' || entry.step.retry || entry.step.onFailure === 'stop' || opensLoop(entry)) close();
  }
  close();
  return segments;
}

function cutGroup(group: SequenceGroup): Group {
  return {
    type: 'group',
    name: group.name,
    body: cutRounds(group.body),
    rescue: cutRounds(group.rescue),
    always: cutRounds(group.always),
  };
}

function fits(
  open: { carrier: Round['carrier']; sudo: boolean; keys: ReadonlySet<string> },
  item: PlannedItem,
  carrier: Round['carrier'],
  sudo: boolean,
): boolean {
  if (open.carrier !== carrier || opensLoop(item)) return false;
  if (carrier === 'host' && open.sudo !== sudo) return false;
  for (const key of item.step.needs) if (open.keys.has(key)) return false;
  return true;
}

function carrierOf({ step }: PlannedItem): Round['carrier'] {
  if (step.kind.runs === 'controller' || step.from === 'controller') return 'controller';
  return step.effect === 'change' ? 'change' : 'host';
}

/** A loop whose items are not known yet is a round of its own. */
function opensLoop(item: PlannedItem): boolean {
  return item.deferred && item.step.loops && item.item === undefined;
}
