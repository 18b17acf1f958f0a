import type { Group, PlannedItem, Round, Segment } from './plan.js';
import { isVerdict } from './requirement.js';

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
 * an item that may be tried again or may stop the host. The verdict on a group cuts nothing: it joins the round
 * of its last member.
 */
export function cutRounds(sequence: Sequence): readonly Segment[] {
  const segments: Segment[] = [];
  let open: OpenRound | undefined;
  let last: OpenRound | undefined;
  const close = () => {
    if (open) segments.push({ type: 'round', carrier: open.carrier, sudo: open.sudo, items: open.items });
    last = open ?? last;
    open = undefined;
  };
  for (const entry of sequence) {
    if ('type' in entry) {
      close();
      segments.push(cutGroup(entry));
      last = undefined;
      continue;
    }
    if (isVerdict(entry)) {
      const round = open ?? last;
      if (round) {
        round.items.push(entry);
        round.keys.add(entry.step.key);
      } else segments.push({ type: 'round', carrier: 'controller', sudo: false, items: [entry] });
      if (entry.step.onFailure === 'stop') close();
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

interface OpenRound {
  readonly carrier: Round['carrier'];
  readonly sudo: boolean;
  readonly items: PlannedItem[];
  readonly keys: Set<string>;
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

function fits(open: OpenRound, item: PlannedItem, carrier: Round['carrier'], sudo: boolean): boolean {
  if (open.carrier !== carrier || opensLoop(item)) return false;
  if (carrier === 'host' && open.sudo !== sudo) return false;
  for (const key of item.step.needs) if (open.keys.has(key)) return false;
  return !mustWait(item) || !item.step.dependsOn.some(({ key }) => open.keys.has(key));
}

/**
 * Whether a step must not begin before those it depends on have ended. Our own probes may: they change nothing, and
 * what they find is dropped where it is not to be judged. That saves a round trip.
 */
function mustWait(item: PlannedItem): boolean {
  return carrierOf(item) !== 'host' || typeof item.step.kind.effect !== 'string';
}

function carrierOf({ step }: PlannedItem): Round['carrier'] {
  if (step.kind.runs === 'controller' || step.from === 'controller') return 'controller';
  return step.effect === 'change' ? 'change' : 'host';
}

/** A loop whose items are not known yet is a round of its own. */
function opensLoop(item: PlannedItem): boolean {
  return item.deferred && item.step.loops && item.item === undefined;
}
