import type { Place, Problem } from '../errors.js';
import type { ConnectSettings } from './inventory.js';
import { refuseGroupName, refuseHostName } from './names.js';
import { maxHosts } from './ranges.js';

/** Places are asked for in errors and by `opsctl why` only, so they are worked out when asked. */
export type Locate = () => Place;

export type Values = Readonly<Record<string, unknown>>;

/** What one spot of one file sets. Many hosts may share a layer (a range, a group). */
export interface Layer {
  readonly vars: Values;
  readonly connect: ConnectSettings;
  /** The place of `vars.NAME` or `connect.NAME`. */
  place(key: string): Place;
}

export interface GroupDraft {
  readonly name: string;
  readonly place: Locate;
  /** Ansible's tie-break between groups of one depth. */
  priority: number;
  readonly hosts: Set<string>;
  /** Child groups, and where each was named. */
  readonly groups: Map<string, Locate>;
  /** From the inventory itself. */
  readonly layers: Layer[];
  /** From group_vars/, which outrank the inventory of every group; the rank is that of the folder. */
  readonly files: (readonly [rank: number, layer: Layer])[];
}

export interface HostDraft {
  readonly name: string;
  readonly place: Locate;
  readonly layers: Layer[];
  /** From host_vars/. */
  readonly files: Layer[];
}

/** What the sources said, before precedence. Importers fill it, `resolveInventory` reads it. */
export interface Draft {
  readonly files: string[];
  readonly warnings: Set<string>;
  readonly problems: Problem[];
  readonly defaults: Layer[];
  readonly groups: Map<string, GroupDraft>;
  readonly hosts: Map<string, HostDraft>;
  /** What can be known only when all sources are read. */
  readonly checks: (() => Problem | undefined)[];
  /** Some file of opsctl's own format holds a `${{`. */
  templates: boolean;
}

export function newDraft(): Draft {
  const [groups, hosts] = [new Map<string, GroupDraft>(), new Map<string, HostDraft>()];
  return { files: [], warnings: new Set(), problems: [], defaults: [], groups, hosts, checks: [], templates: false };
}

/** The group, made when it is new. A bad name is a problem, and `undefined`. */
export function addGroup(draft: Draft, name: string, place: Locate): GroupDraft | undefined {
  const known = draft.groups.get(name);
  if (known) return known;
  const refusal = refuseGroupName(name);
  if (refusal) {
    draft.problems.push({ ...refusal, place: place() });
    return undefined;
  }
  const group = {
    name,
    place,
    priority: 1,
    hosts: new Set<string>(),
    groups: new Map<string, Locate>(),
    layers: [],
    files: [],
  };
  draft.groups.set(name, group);
  return group;
}

/** The host, made when it is new. A bad name is a problem, and `undefined`. */
export function addHost(draft: Draft, name: string, place: Locate): HostDraft | undefined {
  const known = draft.hosts.get(name);
  if (known) return known;
  const refusal = refuseHostName(name);
  if (refusal) {
    draft.problems.push({ ...refusal, place: place() });
    return undefined;
  }
  if (draft.hosts.size >= maxHosts) {
    const what = `more than ${maxHosts} hosts`;
    if (draft.hosts.size === maxHosts && !draft.problems.some((problem) => problem.what === what))
      draft.problems.push({ code: 'E_INV_RANGE', what, hint: 'split the inventory', place: place() });
    return undefined;
  }
  const host = { name, place, layers: [], files: [] };
  draft.hosts.set(name, host);
  return host;
}

export function isEmpty(values: object): boolean {
  for (const _ in values) return false;
  return true;
}
