import type { Problem } from '../errors.js';
import type { GroupDraft } from './draft.js';

type Groups = ReadonlyMap<string, GroupDraft>;

/** Deeper than any structure of an organisation, and safe for all that walks the groups. */
const depthLimit = 64;

/** Groups that contain themselves, and groups nested without end. Loops, not recursion: a file may hold 100,000 groups. */
export function refuseGraph(groups: Groups): Problem[] {
  const cycles = findCycles(groups);
  if (cycles.length > 0) return cycles;
  const tooDeep = [...groupDepths(groups)].find(([, depth]) => depth > depthLimit);
  const group = tooDeep && groups.get(tooDeep[0]);
  if (!group) return [];
  const what = `group "${group.name}" is nested deeper than ${depthLimit} levels`;
  return [{ code: 'E_INV_CYCLE', what, hint: 'flatten the groups', place: group.place() }];
}

/** The longest way from the top to each group, as Ansible counts it. Groups in a circle have none. */
export function groupDepths(groups: Groups): ReadonlyMap<string, number> {
  const waiting = new Map<string, number>();
  for (const group of groups.values())
    for (const child of group.groups.keys()) waiting.set(child, (waiting.get(child) ?? 0) + 1);
  const depths = new Map<string, number>();
  const ready = [...groups.keys()].filter((name) => !waiting.has(name));
  for (const name of ready) depths.set(name, 0);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    const depth = (depths.get(name) ?? 0) + 1;
    for (const child of groups.get(name)?.groups.keys() ?? []) {
      if (depth > (depths.get(child) ?? -1)) depths.set(child, depth);
      const left = (waiting.get(child) ?? 0) - 1;
      waiting.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  for (const [name, left] of waiting) if (left > 0) depths.delete(name);
  return depths;
}

function findCycles(groups: Groups): Problem[] {
  const inCircle = circleMembers(groups);
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const start of inCircle) {
    const path = new Set<string>();
    let name = start;
    while (!seen.has(name) && !path.has(name)) {
      path.add(name);
      name = [...(groups.get(name)?.groups.keys() ?? [])].find((child) => inCircle.has(child)) ?? name;
    }
    if (path.has(name)) problems.push(cycleProblem(groups, [...path].slice([...path].indexOf(name))));
    for (const passed of path) seen.add(passed);
  }
  return problems;
}

function cycleProblem(groups: Groups, circle: readonly string[]): Problem {
  const [first = '', last = ''] = [circle[0], circle.at(-1)];
  const shown = circle.length > 10 ? [...circle.slice(0, 5), `… ${circle.length} groups …`] : circle;
  const what = `groups contain each other: ${[...shown, first].join(' → ')}`;
  const place = groups.get(last)?.groups.get(first)?.();
  return { code: 'E_INV_CYCLE', what, hint: 'remove one of these memberships', ...(place && { place }) };
}

/** What is left when all groups without a parent, and then all without a child, are taken away again and again. */
function circleMembers(groups: Groups): ReadonlySet<string> {
  const depths = groupDepths(groups);
  const left = new Set([...groups.keys()].filter((name) => !depths.has(name)));
  const parents = new Map<string, string[]>();
  const children = new Map<string, number>();
  for (const name of left) {
    const inside = [...(groups.get(name)?.groups.keys() ?? [])].filter((child) => left.has(child));
    children.set(name, inside.length);
    for (const child of inside) parents.set(child, [...(parents.get(child) ?? []), name]);
  }
  const ready = [...left].filter((name) => children.get(name) === 0);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    left.delete(name);
    for (const parent of parents.get(name) ?? []) {
      const count = (children.get(parent) ?? 0) - 1;
      children.set(parent, count);
      if (count === 0) ready.push(parent);
    }
  }
  return left;
}
