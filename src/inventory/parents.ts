import { nearest } from '../documents/nearest.js';
import type { Problem } from '../errors.js';
import type { Draft, Layer } from './draft.js';
import type { ConnectSettings, Inventory } from './inventory.js';

/** The hosts that a host is behind. One that a group gives to all its hosts is not its own parent. */
export function parentsOf({ name, connect }: { readonly name: string; readonly connect: ConnectSettings }) {
  return [connect.parents ?? []].flat().filter((parent) => parent !== name);
}

/** Parents that are not in the inventory, and circles. Costs nothing where no host has parents. */
export function refuseParents(draft: Draft, inventory: Inventory): Problem[] {
  const layers = layersOf(draft).filter(({ connect }) => connect.parents !== undefined);
  if (layers.length === 0) return [];
  const problems = layers.flatMap((layer) =>
    [layer.connect.parents ?? []].flat().flatMap((name): Problem[] => {
      if (inventory.hosts.has(name)) return [];
      const meant = nearest(name, inventory.hosts.keys());
      const hint = meant === undefined ? 'a parent is a host of the inventory' : `did you mean \`${meant}\`?`;
      const place = layer.place('connect.parents');
      return [{ code: 'E_INV_REF', what: `parent "${name}" is not in the inventory`, hint, place }];
    }),
  );
  return problems.length > 0 ? problems : circles(inventory);
}

function layersOf(draft: Draft): readonly Layer[] {
  return [
    ...draft.defaults,
    ...[...draft.groups.values()].flatMap(({ layers, files }) => [...layers, ...files.map(([, layer]) => layer)]),
    ...[...draft.hosts.values()].flatMap(({ layers, files }) => [...layers, ...files]),
  ];
}

/** The first circle: each host is walked through once. */
function circles({ hosts }: Inventory): Problem[] {
  const done = new Set<string>();
  for (const start of hosts.keys()) {
    const trail = new Set<string>();
    const waiting: { readonly name: string; readonly leave: boolean }[] = [{ name: start, leave: false }];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { name, leave } = next;
      if (leave) {
        trail.delete(name);
        done.add(name);
        continue;
      }
      if (trail.has(name)) return [circle(hosts, [...trail].slice([...trail].indexOf(name)), name)];
      const host = hosts.get(name);
      if (done.has(name) || !host) continue;
      trail.add(name);
      waiting.push({ name, leave: true }, ...parentsOf(host).map((parent) => ({ name: parent, leave: false })));
    }
  }
  return [];
}

function circle(hosts: Inventory['hosts'], path: readonly string[], name: string): Problem {
  const host = hosts.get(name);
  const place = host?.origins.get('connect.parents')?.at(-1)?.place ?? host?.place;
  return {
    code: 'E_PARENT_CYCLE',
    what: `hosts are behind each other: ${[...path, name].join(' → ')}`,
    hint: 'name only what is nearer to this machine',
    ...(place && { place }),
  };
}
