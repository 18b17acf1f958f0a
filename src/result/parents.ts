import type { HostResult } from './result.schema.js';

/** What a host is behind: its parents in the inventory, and the jump host that could not be reached. */
export interface Way {
  readonly parents: readonly string[];
  readonly hop: string | undefined;
}

export const parentDown = 'parent-down';

/**
 * Says of hosts out of reach that it is for what they are behind: a jump host that could not be reached, or parents
 * that are all out of reach in this run. One of several parents that answers, or was not asked, is another way, and
 * then nothing is known. What is named is the first thing in the way, not the next.
 */
export function explainByParents(hosts: readonly HostResult[], ways: ReadonlyMap<string, Way>): readonly HostResult[] {
  const out = new Set(hosts.filter(isOutOfReach).map(({ name }) => name));
  const causesOf = (name: string, trail: readonly string[]): readonly string[] => {
    const { hop, parents = [] } = ways.get(name) ?? {};
    const inTheWay = hop !== undefined ? [hop] : parents.every((parent) => out.has(parent)) ? parents : [];
    const found = inTheWay
      .filter((next) => !trail.includes(next))
      .flatMap((next) => {
        const further = out.has(next) ? causesOf(next, [...trail, next]) : [];
        return further.length > 0 ? further : [next];
      });
    return [...new Set(found)];
  };
  return hosts.map((host) => {
    const behind = out.has(host.name) ? causesOf(host.name, [host.name]) : [];
    return behind.length === 0 ? host : explained(host, behind);
  });
}

/** How many things keep hosts from being reached: what is behind another counts with it. */
export function unreachableCauses(hosts: readonly HostResult[]): number {
  const names = new Set(hosts.map(({ name }) => name));
  const outside = new Set<string>();
  let own = 0;
  for (const host of hosts) {
    if (host.behind === undefined) own += 1;
    else for (const cause of host.behind) if (!names.has(cause)) outside.add(cause);
  }
  return own + outside.size;
}

function isOutOfReach({ reason, steps }: HostResult): boolean {
  return reason !== undefined && steps.some((step) => step.outcome === 'unreachable' && step.reason === reason);
}

function explained(host: HostResult, behind: readonly string[]): HostResult {
  const summary = `behind ${behind.join(' and ')}, which ${behind.length === 1 ? 'is' : 'are'} unreachable`;
  return {
    ...host,
    reason: parentDown,
    summary,
    behind: [...behind],
    steps: host.steps.map((step) =>
      step.outcome === 'unreachable' && step.reason === host.reason ? { ...step, reason: parentDown, summary } : step,
    ),
  };
}
