import type { Place } from '../errors.js';
import { type Draft, type GroupDraft, type HostDraft, isEmpty, type Layer, newDraft, type Values } from './draft.js';
import type { FillIn } from './fill-in.js';
import { groupDepths, refuseGraph } from './group-graph.js';
import type { ConnectSettings, Group, Host, Inventory, Origin } from './inventory.js';

/**
 * Decides who wins. Lowest first: defaults, `all`, groups of the inventory (far ancestors before near ones,
 * then priority, then name), group_vars of `all`, group_vars of the groups, the host, its host_vars.
 * Cycles become problems of the draft; the result is then not to be used.
 */
export function resolveInventory(draft: Draft, fillIn?: FillIn): Inventory {
  const groups = new Map(draft.groups);
  const top = ensureGroup(groups, 'all');
  attachToAll(groups, top);
  const refused = refuseGraph(groups);
  draft.problems.push(...refused);
  if (refused.length > 0) return emptyInventory(draft);
  const directGroups = placeUngrouped(draft, groups);
  const chainOf = groupChains(groups, draft.defaults);
  const hosts = new Map<string, Host>();
  for (const host of draft.hosts.values()) {
    hosts.set(host.name, resolveHost(host, chainOf(directGroups.get(host.name) ?? []), fillIn));
  }
  return { files: draft.files, hosts, groups: publicGroups(groups), warnings: [...draft.warnings] };
}

/** What all hosts with the same groups share. */
interface Chain {
  readonly groups: readonly string[];
  readonly layers: readonly (readonly [source: string, layer: Layer])[];
  readonly vars: Values;
  readonly connect: ConnectSettings;
}

function resolveHost(host: HostDraft, chain: Chain, fillIn: FillIn | undefined): Host {
  const own = host.files.length > 0 ? [...host.layers, ...host.files] : host.layers;
  let vars: Values | undefined;
  let connect: ConnectSettings | undefined;
  let origins: ReadonlyMap<string, readonly Origin[]> | undefined;
  // Worked out when first asked for: a run over 10 of 50,000 hosts must not pay for all of them.
  return {
    name: host.name,
    groups: chain.groups,
    get vars() {
      if (vars === undefined) {
        const merged = merge(chain.vars, own, 'vars');
        vars = fillIn ? fillIn(merged, named(this), (name) => placeOfVar(name, chain, host)) : merged;
      }
      return vars;
    },
    get connect() {
      connect ??= merge(chain.connect, own, 'connect');
      return connect;
    },
    get origins() {
      origins ??= collectOrigins([...chain.layers, ...own.map((layer) => [`host ${host.name}`, layer] as const)]);
      return origins;
    },
    get place() {
      return host.place();
    },
  };
}

function named({ name, groups, connect }: Host): { name: string; groups: readonly string[]; address: string } {
  return { name, groups, address: connect.address ?? name };
}

function placeOfVar(name: string, chain: Chain, host: HostDraft): Place {
  const layers = [...chain.layers.map(([, layer]) => layer), ...host.layers, ...host.files];
  return layers.findLast(({ vars }) => Object.hasOwn(vars, name))?.place(`vars.${name}`) ?? host.place();
}

function merge<Key extends 'vars' | 'connect'>(
  base: Layer[Key],
  layers: readonly Layer[],
  key: Key,
): Readonly<Layer[Key]> {
  const filled = layers.filter((layer) => !isEmpty(layer[key]));
  if (filled.length === 0) return base;
  const merged: Layer[Key] = Object.assign({}, base, ...filled.map((layer) => layer[key]));
  return Object.freeze(merged);
}

function collectOrigins(layers: readonly (readonly [string, Layer])[]): ReadonlyMap<string, readonly Origin[]> {
  const origins = new Map<string, Origin[]>();
  for (const [source, layer] of layers) {
    for (const part of ['vars', 'connect'] as const) {
      for (const [name, value] of Object.entries(layer[part])) {
        const key = `${part}.${name}`;
        const list = origins.get(key) ?? [];
        list.push({ place: layer.place(key), source, value });
        origins.set(key, list);
      }
    }
  }
  return origins;
}

function ensureGroup(groups: Map<string, GroupDraft>, name: string): GroupDraft {
  const known = groups.get(name);
  if (known) return known;
  const place = () => ({ file: 'inventory' });
  const group = { name, place, priority: 1, hosts: new Set<string>(), groups: new Map(), layers: [], files: [] };
  groups.set(name, group);
  return group;
}

/** Every group without a parent is a child of `all`. */
function attachToAll(groups: ReadonlyMap<string, GroupDraft>, top: GroupDraft): void {
  const children = new Set([...groups.values()].flatMap((group) => [...group.groups.keys()]));
  for (const group of groups.values())
    if (group !== top && !children.has(group.name)) top.groups.set(group.name, group.place);
}

/** The groups that name each host directly. Hosts of no group but `all` go to `ungrouped`, and only those. */
function placeUngrouped(draft: Draft, groups: Map<string, GroupDraft>): ReadonlyMap<string, readonly string[]> {
  // Lists are shared by all hosts of the same groups: with 50,000 hosts, a list each costs more than all else here.
  const direct = new Map<string, readonly string[]>();
  const longer = new Map<readonly string[], readonly string[]>();
  for (const group of groups.values()) {
    const alone = [group.name];
    longer.clear();
    for (const host of group.hosts) {
      const list = direct.get(host);
      if (list && !longer.has(list)) longer.set(list, [...list, group.name]);
      direct.set(host, list ? (longer.get(list) ?? list) : alone);
    }
  }
  const loose: string[] = [];
  for (const host of draft.hosts.keys()) {
    const names = direct.get(host);
    if (names === undefined || names.every((name) => name === 'all' || name === 'ungrouped')) loose.push(host);
    else if (names.includes('ungrouped')) {
      groups.get('ungrouped')?.hosts.delete(host);
      direct.set(
        host,
        names.filter((name) => name !== 'ungrouped'),
      );
    }
  }
  if (loose.length > 0) {
    const ungrouped = ensureGroup(groups, 'ungrouped');
    groups.get('all')?.groups.set('ungrouped', ungrouped.place);
    const [alone, both] = [['ungrouped'], ['all', 'ungrouped']];
    for (const host of loose) {
      direct.set(host, direct.get(host)?.includes('all') ? both : alone);
      ungrouped.hosts.add(host);
    }
  } else if (groups.get('ungrouped')?.groups.size === 0) {
    groups.delete('ungrouped');
    groups.get('all')?.groups.delete('ungrouped');
  }
  return direct;
}

function groupChains(
  groups: ReadonlyMap<string, GroupDraft>,
  defaults: readonly Layer[],
): (direct: readonly string[]) => Chain {
  const parents = new Map<string, GroupDraft[]>();
  for (const group of groups.values()) {
    for (const child of group.groups.keys()) {
      const list = parents.get(child);
      if (list) list.push(group);
      else parents.set(child, [group]);
    }
  }
  const depths = groupDepths(groups);
  const chains = new Map<string, Chain>();
  const chainOfList = new WeakMap<readonly string[], Chain>();
  const rank = (group: GroupDraft) => depths.get(group.name) ?? 0;
  const compare = (a: GroupDraft, b: GroupDraft) =>
    rank(a) - rank(b) || a.priority - b.priority || compareText(a.name, b.name);
  return (direct) => {
    const sameList = chainOfList.get(direct);
    if (sameList) return sameList;
    const key = direct.join('\n');
    const known = chains.get(key);
    if (known) {
      chainOfList.set(direct, known);
      return known;
    }
    const members = new Map<string, GroupDraft>();
    const visit = (group: GroupDraft | undefined): void => {
      if (!group || members.has(group.name)) return;
      members.set(group.name, group);
      for (const parent of parents.get(group.name) ?? []) visit(parent);
    };
    for (const name of direct) visit(groups.get(name));
    visit(groups.get('all'));
    const sorted = [...members.values()].sort(compare);
    const layers = [
      ...defaults.map((layer) => ['defaults', layer] as const),
      ...sorted.flatMap((group) => group.layers.map((layer) => [`group ${group.name}`, layer] as const)),
      ...filesOf(sorted),
    ];
    const chain: Chain = {
      groups: Object.freeze(sorted.map((group) => group.name)),
      layers,
      vars: merge(
        Object.freeze({}),
        layers.map(([, layer]) => layer),
        'vars',
      ),
      connect: merge(
        Object.freeze({}),
        layers.map(([, layer]) => layer),
        'connect',
      ),
    };
    chains.set(key, chain);
    chainOfList.set(direct, chain);
    return chain;
  };
}

/** group_vars: those of `all` first, then folder by folder. */
function filesOf(sorted: readonly GroupDraft[]): (readonly [string, Layer])[] {
  return sorted
    .flatMap((group) =>
      group.files.map(([rank, layer]) => ({ name: group.name, rank: group.name === 'all' ? -1 : rank, layer })),
    )
    .sort((a, b) => a.rank - b.rank)
    .map(({ name, layer }) => [`group ${name}`, layer] as const);
}

function publicGroups(groups: ReadonlyMap<string, GroupDraft>): ReadonlyMap<string, Group> {
  const entries = [...groups.values()].map((group): [string, Group] => {
    return [group.name, { name: group.name, hosts: [...group.hosts], groups: [...group.groups.keys()] }];
  });
  return new Map(entries);
}

function emptyInventory(draft: Draft): Inventory {
  return { ...resolveInventory(newDraft()), files: draft.files, warnings: [...draft.warnings] };
}

/** Code point order, as Python sorts. */
function compareText(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
