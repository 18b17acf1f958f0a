import type { AnsibleYaml } from '../../documents/ansible-yaml.js';
import type { DocumentPath } from '../../documents/document.js';
import { type Place, UserError } from '../../errors.js';
import { isMap } from '../connect.js';
import { addGroup, addHost, type Draft, type Values } from '../draft.js';
import { ansibleLayer } from './ansible-yaml.js';
import { ansibleDocument, shapeOf } from './shape.js';
import type { SourceKind } from './source-kind.js';

/** A saved `ansible-inventory --list`, or what an inventory program printed. */
export const ansibleListSource: SourceKind = {
  name: 'ansible-list',
  varsFolders: true,
  reads: async (file) => (await shapeOf(file)) === 'ansible-list',
  async load(file, draft) {
    const document = await ansibleDocument(file);
    draft.problems.push(...document.problems);
    readAnsibleList(document.value, (path, part) => document.place(path, part), draft);
  },
};

/** The hosts that a list names: what `_meta` may leave out. */
export function readAnsibleList(value: unknown, placeOf: AnsibleYaml['place'], draft: Draft): readonly string[] {
  if (!isMap(value)) throw refusal('the inventory is a map of groups', placeOf([]));
  const named = new Set<string>();
  for (const [name, raw] of Object.entries(value)) if (name !== '_meta') readGroup(name, raw, placeOf, draft, named);
  const hostvars = isMap(value._meta) ? value._meta.hostvars : undefined;
  if (isMap(hostvars)) {
    for (const name of named)
      if (Object.hasOwn(hostvars, name)) addHostVars(name, hostvars[name], ['_meta', 'hostvars', name], placeOf, draft);
  }
  return [...named];
}

/** Whether the list says all about its hosts, so that the program needs not be asked for each. */
export function hasHostVars(value: unknown): boolean {
  return isMap(value) && isMap(value._meta) && 'hostvars' in value._meta;
}

export function addHostVars(
  name: string,
  raw: unknown,
  path: DocumentPath,
  placeOf: AnsibleYaml['place'],
  draft: Draft,
): void {
  if (raw === null || raw === undefined) return;
  if (!isMap(raw)) throw refusal(`the variables of "${name}" are a map`, placeOf(path));
  const layer = ansibleLayer(raw, (variable) => placeOf([...path, variable]), draft);
  if (layer) draft.hosts.get(name)?.layers.push(layer);
}

function readGroup(name: string, raw: unknown, placeOf: AnsibleYaml['place'], draft: Draft, named: Set<string>): void {
  const path = [name];
  const group = addGroup(draft, name, () => placeOf(path, 'key'));
  if (!group) return;
  const data = groupData(name, raw);
  if (data.hosts !== undefined && !Array.isArray(data.hosts))
    throw refusal(`the hosts of "${name}" are a list`, placeOf([name, 'hosts']));
  for (const [index, host] of (data.hosts ?? []).entries()) {
    const text = String(host);
    if (!addHost(draft, text, () => placeOf([name, 'hosts', index]))) continue;
    group.hosts.add(text);
    named.add(text);
  }
  if (data.vars !== undefined && !isMap(data.vars))
    throw refusal(`the variables of "${name}" are a map`, placeOf([name, 'vars']));
  const { ansible_group_priority: priority, ...vars } = data.vars ?? {};
  if (Number.isInteger(Number(priority))) group.priority = Number(priority);
  const layer = ansibleLayer(vars, (variable) => placeOf([name, 'vars', variable]), draft);
  if (layer) group.layers.push(layer);
  for (const [index, child] of (Array.isArray(data.children) ? data.children : []).entries()) {
    const place = () => placeOf([name, 'children', index]);
    if (addGroup(draft, String(child), place)) group.groups.set(String(child), place);
  }
}

/** A list is the hosts of a group; a map without the known keys is one host with its variables. */
function groupData(name: string, raw: unknown): { hosts?: unknown; vars?: unknown; children?: unknown } & Values {
  if (!isMap(raw)) return { hosts: raw };
  if ('hosts' in raw || 'vars' in raw || 'children' in raw) return raw;
  return { hosts: [name], vars: raw };
}

function refusal(what: string, place: Place): UserError {
  return new UserError({
    code: 'E_TYPE',
    what,
    hint: 'it must look like the output of ansible-inventory --list',
    place,
  });
}
