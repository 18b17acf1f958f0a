import { itemsOf } from './items.js';
import type { HostPlan, Plan, PlannedItem, Segment } from './plan.js';

/** How much a run can touch: "37 hosts, 12 % of prod; 2 changing steps: reload nginx, restart app". */
export function blastRadius(plan: Plan, groupSizes: ReadonlyMap<string, number> = new Map()): string {
  const changing = plan.hosts.filter(({ body }) => itemsOf(body).some(changes));
  const names = [
    ...new Set(
      changing.flatMap(({ body }) =>
        itemsOf(body)
          .filter(changes)
          .map(({ step }) => step.name),
      ),
    ),
  ];
  if (changing.length === 0) return `${count(plan.hosts.length, 'host')}, nothing is changed`;
  const share = largestShare(changing, groupSizes);
  return `${count(changing.length, 'host')}${share ? `, ${share}` : ''} will be changed by ${count(names.length, 'step')}: ${names.join(', ')}`;
}

/** The group of which most is touched, `all` last. */
function largestShare(hosts: readonly HostPlan[], sizes: ReadonlyMap<string, number>): string | undefined {
  const touched = new Map<string, number>();
  for (const { host } of hosts) for (const group of host.groups) touched.set(group, (touched.get(group) ?? 0) + 1);
  const shares = [...touched]
    .filter(([group]) => (sizes.get(group) ?? 0) > 0)
    .map(([group, number]) => ({ group, share: number / (sizes.get(group) ?? 1) }))
    .sort((a, b) => Number(a.group === 'all') - Number(b.group === 'all') || b.share - a.share);
  const [first] = shares;
  return first && `${Math.round(first.share * 100)} % of ${first.group}`;
}

export interface PlanDescription {
  readonly runbook: Plan['runbook'];
  readonly mode: Plan['mode'];
  readonly params: Readonly<Record<string, unknown>>;
  readonly blastRadius: string;
  /** Hosts with the same rounds stand together. */
  readonly groups: readonly { readonly hosts: readonly string[]; readonly rounds: readonly RoundDescription[] }[];
}

export interface RoundDescription {
  readonly carrier: 'host' | 'controller' | 'change';
  readonly sudo: boolean;
  /** Names of the groups with a rescue around it, and which part of them it is. */
  readonly within: readonly string[];
  readonly steps: readonly {
    readonly key: string;
    readonly name: string;
    readonly uses: string;
    readonly item?: string;
    readonly effect: 'read' | 'change';
    readonly skip?: string;
    /** Decided when earlier steps have ended. */
    readonly deferred: boolean;
  }[];
}

/** The plan as data, for `opsctl plan` and for programs. */
export function describePlan(plan: Plan, groupSizes?: ReadonlyMap<string, number>): PlanDescription {
  const groups = new Map<string, { hosts: string[]; rounds: readonly RoundDescription[] }>();
  for (const { host, body } of plan.hosts) {
    const rounds = describeBody(body, []);
    const key = JSON.stringify(rounds);
    const group = groups.get(key);
    if (group) group.hosts.push(host.name);
    else groups.set(key, { hosts: [host.name], rounds });
  }
  return {
    runbook: plan.runbook,
    mode: plan.mode,
    params: plan.params,
    blastRadius: blastRadius(plan, groupSizes),
    groups: [...groups.values()],
  };
}

function describeBody(body: readonly Segment[], within: readonly string[]): readonly RoundDescription[] {
  return body.flatMap((segment): readonly RoundDescription[] => {
    if (segment.type === 'round') {
      const { carrier, sudo, items } = segment;
      return [{ carrier, sudo, within, steps: items.map(describeItem) }];
    }
    return [
      ...describeBody(segment.body, [...within, segment.name]),
      ...describeBody(segment.rescue, [...within, `${segment.name} (rescue)`]),
      ...describeBody(segment.always, [...within, `${segment.name} (always)`]),
    ];
  });
}

function describeItem({ step, item, skip, deferred }: PlannedItem): RoundDescription['steps'][number] {
  return {
    key: step.key,
    name: step.name,
    uses: step.uses,
    ...(item && { item: item.label }),
    effect: step.effect,
    ...(skip && { skip: skip.summary }),
    deferred,
  };
}

function changes({ step, skip }: PlannedItem): boolean {
  return step.effect === 'change' && !skip;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
