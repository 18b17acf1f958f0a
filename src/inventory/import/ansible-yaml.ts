import type { AnsibleYaml } from '../../documents/ansible-yaml.js';
import type { DocumentPath } from '../../documents/document.js';
import { type Problem, UserError } from '../../errors.js';
import { isMap } from '../connect.js';
import { addGroup, addHost, type Draft, type GroupDraft, type HostDraft, type Layer, type Values } from '../draft.js';
import { expandRange, HostRangeError } from '../ranges.js';
import { splitHostPort } from './ansible-address.js';
import { ansibleConnect } from './ansible-connect.js';
import { plainValue, refuseValue } from './ansible-values.js';
import { ansibleDocument, shapeOf } from './shape.js';
import type { SourceKind } from './source-kind.js';

/** Ansible's YAML inventories: groups with `hosts`, `children` and `vars`. */
export const ansibleYamlSource: SourceKind = {
  name: 'ansible-yaml',
  varsFolders: true,
  reads: async (file) => (await shapeOf(file)) === 'ansible-yaml',
  async load(file, draft) {
    const document = await ansibleDocument(file);
    draft.problems.push(...document.problems);
    for (const warning of document.warnings) draft.warnings.add(warning);
    new AnsibleYamlReader(document, draft).read();
  },
};

class AnsibleYamlReader {
  readonly #document: AnsibleYaml;
  readonly #draft: Draft;

  constructor(document: AnsibleYaml, draft: Draft) {
    this.#document = document;
    this.#draft = draft;
  }

  read(): void {
    const { value } = this.#document;
    if (!isMap(value)) return;
    if (typeof value.plugin === 'string') {
      throw new UserError({
        code: 'E_INV_PLUGIN',
        what: `the inventory comes from Ansible's plugin ${value.plugin}, which only Ansible can run`,
        hint: 'let Ansible write it down: ansible-inventory -i FILE --list > hosts.json',
        place: this.#document.place(['plugin']),
      });
    }
    for (const [name, raw] of Object.entries(value)) this.#group(name, raw, [name]);
  }

  #group(name: string, raw: unknown, path: DocumentPath): GroupDraft | undefined {
    if (raw !== null && !isMap(raw)) {
      this.#warn(path, `"${name}" is not a group, skipped`);
      return undefined;
    }
    const group = addGroup(this.#draft, name, () => this.#document.place(path, 'key'));
    if (!group || !raw) return group;
    for (const [key, value] of Object.entries(raw)) {
      // Text is the name of one host, child or variable without a value.
      const section = typeof value === 'string' && sections.has(key) ? { [value]: null } : value;
      if (section === null) continue;
      if (!isMap(section)) {
        if (sections.has(key)) this.#problem([...path, key], `\`${key}\` is a map of names, got a list or a number`);
        else this.#warn([...path, key], `\`${key}\` in group "${name}" is not a map, skipped`);
      } else if (key === 'vars') this.#vars(group, section, [...path, key]);
      else if (key === 'hosts') this.#hosts(group, section, [...path, key]);
      else if (key === 'children') this.#children(group, section, [...path, key]);
      else this.#warn([...path, key], `\`${key}\` in group "${name}" is none of vars, children and hosts, skipped`);
    }
    return group;
  }

  #vars(group: GroupDraft, raw: Values, path: DocumentPath): void {
    const { ansible_group_priority: priority, ...vars } = raw;
    if (priority !== undefined) {
      if (Number.isInteger(Number(priority))) group.priority = Number(priority);
      else this.#problem([...path, 'ansible_group_priority'], 'ansible_group_priority is a whole number', 'E_RANGE');
    }
    const layer = this.#layer(vars, path);
    if (layer) group.layers.push(layer);
  }

  #children(group: GroupDraft, raw: Values, path: DocumentPath): void {
    for (const [name, value] of Object.entries(raw)) {
      const childPath = [...path, name];
      const child = this.#group(name, value, childPath);
      if (child && !group.groups.has(name)) group.groups.set(name, () => this.#document.place(childPath, 'key'));
    }
  }

  #hosts(group: GroupDraft, raw: Values, path: DocumentPath): void {
    for (const [pattern, value] of Object.entries(raw)) {
      const hostPath = [...path, pattern];
      if (value !== null && value !== '' && value !== false && value !== 0 && !isMap(value)) {
        this.#problem(hostPath, `the variables of "${pattern}" are a map`);
        continue;
      }
      const { host, port } = splitHostPort(pattern);
      const vars = isMap(value) ? value : {};
      const layer = this.#layer(vars, hostPath);
      const first = port === undefined ? layer : this.#layer({ ansible_port: port, ...vars }, hostPath);
      for (const name of this.#expand(host, hostPath)) this.#host(name, group, hostPath, first, layer);
    }
  }

  #host(
    name: string,
    group: GroupDraft,
    path: DocumentPath,
    first: Layer | undefined,
    later: Layer | undefined,
  ): HostDraft | undefined {
    const isNew = !this.#draft.hosts.has(name);
    const host = addHost(this.#draft, name, () => this.#document.place(path, 'key'));
    if (!host) return undefined;
    group.hosts.add(name);
    const own = isNew ? first : later;
    if (own) host.layers.push(own);
    return host;
  }

  #layer(raw: Values, path: DocumentPath): Layer | undefined {
    return ansibleLayer(raw, (name) => this.#document.place([...path, name]), this.#draft);
  }

  #expand(pattern: string, path: DocumentPath): string[] {
    try {
      return expandRange(pattern);
    } catch (error) {
      if (!(error instanceof HostRangeError)) throw error;
      this.#problem(path, error.message, 'E_INV_RANGE');
      return [];
    }
  }

  #problem(path: DocumentPath, what: string, code: Problem['code'] = 'E_TYPE'): void {
    const place = this.#document.place(path, 'key');
    const hint = hints[code] ?? 'write one NAME: a line';
    this.#draft.problems.push({ code, what, hint, place });
  }

  #warn(path: DocumentPath, text: string): void {
    const { file, line } = this.#document.place(path, 'key');
    this.#draft.warnings.add(`${file}:${line}: ${text}`);
  }
}

const hints: Readonly<Record<string, string>> = { E_INV_RANGE: 'mend the range', E_RANGE: 'write 1, 2, …' };
const sections: ReadonlySet<string> = new Set(['vars', 'hosts', 'children']);

/** A layer of Ansible variables: Jinja and vaults refused, markers gone, connection settings found. */
export function ansibleLayer(
  raw: Values,
  placeOf: (name: string) => ReturnType<AnsibleYaml['place']>,
  draft: Draft,
): Layer | undefined {
  const names = Object.keys(raw);
  if (names.length === 0) return undefined;
  let vars = raw;
  for (const name of names) {
    const refusal = refuseValue(raw[name], name, () => placeOf(name));
    if (refusal) {
      draft.problems.push(refusal);
      vars = { ...vars, [name]: null };
      continue;
    }
    const value = plainValue(raw[name]);
    if (value !== raw[name]) vars = { ...vars, [name]: value };
  }
  const connect = ansibleConnect(vars, placeOf, draft);
  return { vars, connect, place: (key) => placeOf(nameOf(key, vars)) };
}

/** `connect.port` is set by `ansible_port`, or by its older name. */
function nameOf(key: string, vars: Values): string {
  const name = key.slice(key.indexOf('.') + 1);
  if (key.startsWith('vars.')) return name;
  return (variablesOf[name] ?? []).find((variable) => variable in vars) ?? name;
}

/** Which variables give a connection setting, the strongest first. */
const variablesOf: Readonly<Record<string, readonly string[]>> = {
  address: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  identity: ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
  transport: ['ansible_connection'],
  sudo: ['ansible_become_user', 'ansible_become', 'ansible_sudo'],
  jump: ['ansible_ssh_extra_args', 'ansible_ssh_common_args', 'ansible_ssh_args'],
};
