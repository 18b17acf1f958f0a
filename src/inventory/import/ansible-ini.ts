import { decode } from '../../documents/decode.js';
import { forbiddenKeys } from '../../documents/limits.js';
import { type Source, sourceOf } from '../../documents/source.js';
import type { Place, Problem } from '../../errors.js';
import { addGroup, addHost, type Draft, type GroupDraft, type Layer, type Locate } from '../draft.js';
import { expandRange, HostRangeError } from '../ranges.js';
import { splitHostPort } from './ansible-address.js';
import { ansibleLayer } from './ansible-yaml.js';
import { readPythonValue } from './python-literal.js';
import { splitShellWords } from './shell-words.js';
import type { SourceFile, SourceKind } from './source-kind.js';

/** Ansible's INI inventories. */
export const ansibleIniSource: SourceKind = {
  name: 'ansible-ini',
  varsFolders: true,
  reads: looksLikeIni,
  async load(file, draft) {
    new IniReader(sourceOf(file.name, decode(file.bytes, file.name)), draft).read();
  },
};

/**
 * Every text file can be a list of hosts, so what is YAML or JSON by name, or by its first line that says
 * anything, is left to the other kinds.
 */
function looksLikeIni(file: SourceFile): boolean {
  if (/\.(?:ya?ml|json)$/i.test(file.name)) return false;
  const text = file.bytes.toString('utf8');
  const first = text.split('\n', 1_000).find((line) => !/^\s*(?:[#;].*)?$/.test(line)) ?? '';
  if (/^\s*\[[^\]]+\]\s*(?:#.*)?$/.test(first)) return true;
  return !/^\s*[{%]|^---|^["']?[\w.$-]+["']?\s*:(?:\s|$)/.test(first);
}

type Section = 'hosts' | 'children' | 'vars';

class IniReader {
  readonly #source: Source;
  readonly #draft: Draft;
  /** Groups that only a `:children` list or a `:vars` section names so far. */
  readonly #pending = new Map<string, { readonly kind: Section; readonly start: number; readonly text: string }>();
  readonly #declared = new Set<string>(['all', 'ungrouped']);
  #start = 0;
  #line = '';

  constructor(source: Source, draft: Draft) {
    this.#source = source;
    this.#draft = draft;
  }

  read(): void {
    const { text } = this.#source;
    let group = 'ungrouped';
    let section: Section = 'hosts';
    let varsLayer: VarsSection | undefined;
    for (let start = 0; start <= text.length; ) {
      const newline = text.indexOf('\n', start);
      const end = newline === -1 ? text.length : newline;
      this.#start = start + (/^\s*/.exec(text.slice(start, end))?.[0].length ?? 0);
      this.#line = text.slice(start, end).trim();
      start = end + 1;
      if (this.#line === '' || /^[#;]/.test(this.#line)) continue;
      const header = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(this.#line);
      if (header) {
        varsLayer = this.#closeVars(varsLayer);
        const next = this.#section(header[1] ?? '', header[2]);
        if (next === undefined) continue;
        ({ group, section } = next);
      } else if (/^\[(?:.*\]|[^\]]*)$/.test(this.#line)) {
        this.#problem('E_INV_SECTION', 'the section cannot be read', 'write [group], [group:vars] or [group:children]');
      } else if (section === 'hosts') this.#host(group);
      else if (section === 'children') this.#child(group);
      else {
        varsLayer = this.#variable(varsLayer ?? { group, values: new Map() });
      }
    }
    this.#closeVars(varsLayer);
    this.#undeclared();
  }

  #section(group: string, kind: string | undefined): { group: string; section: Section } | undefined {
    const section = kind ?? 'hosts';
    if (section !== 'hosts' && section !== 'children' && section !== 'vars') {
      const hint = 'the kinds are [group], [group:vars] and [group:children]';
      this.#problem('E_INV_SECTION', `unknown kind of section "${section}"`, hint);
      return undefined;
    }
    addGroup(this.#draft, group, this.#locate());
    if (section !== 'vars') {
      this.#declared.add(group);
      this.#pending.delete(group);
    } else if (!this.#known(group)) this.#await(group, 'vars');
    return { group, section };
  }

  #host(groupName: string): void {
    const place = this.#locate();
    let words: string[];
    try {
      words = splitShellWords(this.#line, true);
    } catch (error) {
      this.#problem('E_INV_SYNTAX', (error as Error).message, 'close it on the same line');
      return;
    }
    const [pattern = '', ...assignments] = words;
    const { host, port } = splitHostPort(pattern);
    if (port === undefined && pattern.endsWith(':')) {
      this.#problem(
        'E_INV_SYNTAX',
        `"${pattern}" ends with ":"`,
        'write host:port, or name a .yaml file when this is YAML',
      );
      return;
    }
    const vars = this.#assignments(assignments);
    const group = addGroup(this.#draft, groupName, place);
    if (!vars || !group) return;
    const withPort = port === undefined ? vars : { ansible_port: port, ...vars };
    const layer = Object.keys(vars).length > 0 ? this.#layer(vars) : undefined;
    const first = port === undefined ? layer : this.#layer(withPort);
    for (const name of this.#expand(host)) {
      // The port in front of the variables counts where the host is named first, and only there.
      const isNew = !this.#draft.hosts.has(name);
      const added = addHost(this.#draft, name, place);
      if (!added) continue;
      group.hosts.add(name);
      const own = isNew ? first : layer;
      if (own) added.layers.push(own);
    }
  }

  #assignments(words: readonly string[]): Record<string, unknown> | undefined {
    const vars: Record<string, unknown> = {};
    for (const word of words) {
      const equals = word.indexOf('=');
      if (equals === -1) {
        this.#problem('E_INV_SYNTAX', `expected NAME=VALUE, got "${word}"`, 'quote a value that holds spaces');
        return undefined;
      }
      this.#set(vars, word.slice(0, equals), word.slice(equals + 1), this.#locate());
    }
    return vars;
  }

  #child(parentName: string): void {
    const child = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(this.#line)?.[1];
    if (child === undefined) {
      this.#problem('E_INV_SYNTAX', `expected the name of a group, got "${this.#line}"`, 'write one group per line');
      return;
    }
    const place = this.#locate();
    const parent = addGroup(this.#draft, parentName, place);
    const group = addGroup(this.#draft, child, place);
    if (!parent || !group) return;
    if (!this.#known(child)) this.#await(child, 'children');
    if (!parent.groups.has(child)) parent.groups.set(child, place);
  }

  #variable(section: VarsSection): VarsSection {
    const equals = this.#line.indexOf('=');
    if (equals === -1) {
      this.#problem('E_INV_SYNTAX', `expected NAME=VALUE, got "${this.#line}"`, 'write one variable per line');
      return section;
    }
    const name = this.#line.slice(0, equals).trim();
    const vars: Record<string, unknown> = {};
    const place = this.#locate();
    this.#set(vars, name, this.#line.slice(equals + 1).trim(), place);
    if (name === 'ansible_group_priority') this.#priority(section.group, vars[name]);
    else if (Object.hasOwn(vars, name)) {
      // A name that comes twice gets a layer of its own, so that `opsctl why` shows both lines.
      if (section.values.has(name)) this.#closeVars(section);
      const target = section.values.has(name) ? { group: section.group, values: new Map() } : section;
      target.values.set(name, { value: vars[name], place });
      return target;
    }
    return section;
  }

  #set(vars: Record<string, unknown>, name: string, text: string, place: Locate): void {
    if (forbiddenKeys.has(name)) {
      const what = `the name \`${name}\` is not allowed`;
      this.#draft.problems.push({ code: 'E_KEY_FORBIDDEN', what, hint: 'rename it', place: place() });
    } else vars[name] = readPythonValue(text);
  }

  #priority(group: string, value: unknown): void {
    const draft = this.#draft.groups.get(group);
    const priority = Number(value);
    if (!Number.isInteger(priority)) {
      this.#problem('E_RANGE', 'ansible_group_priority is a whole number', 'write 1, 2, …');
    } else if (draft) draft.priority = priority;
  }

  #closeVars(section: VarsSection | undefined): undefined {
    const group = section && this.#draft.groups.get(section.group);
    if (!section || !group || section.values.size === 0) return undefined;
    const vars = Object.fromEntries([...section.values].map(([name, { value }]) => [name, value]));
    const place = (name: string): Place => section.values.get(name)?.place() ?? { file: this.#source.file };
    const layer = ansibleLayer(vars, place, this.#draft);
    if (layer) group.layers.push(layer);
    return undefined;
  }

  /** Variables of a host line, each at its own column. */
  #layer(vars: Record<string, unknown>): Layer | undefined {
    const [start, line] = [this.#start, this.#line];
    const place = (name: string) => {
      const at = line.search(new RegExp(`(?<=\\s["']?)${name.replace(/\W/g, '\\$&')}=`));
      return at === -1
        ? this.#source.place(start, start + line.length)
        : this.#source.place(start + at, start + at + name.length);
    };
    return ansibleLayer(vars, place, this.#draft);
  }

  #undeclared(): void {
    for (const [name, { kind, start, text }] of this.#pending) {
      const place = this.#source.place(start, start + text.length);
      const what =
        kind === 'vars' ? `[${name}:vars] is for a group that is not there` : `group "${name}" is not in the inventory`;
      this.#draft.problems.push({ code: 'E_INV_REF', what, hint: `add a section [${name}]`, place });
    }
  }

  #await(name: string, kind: Section): void {
    if (!this.#pending.has(name)) this.#pending.set(name, { kind, start: this.#start, text: this.#line });
  }

  /** Declared here, or a group of an inventory that was read before. */
  #known(name: string): boolean {
    const group: GroupDraft | undefined = this.#draft.groups.get(name);
    return this.#declared.has(name) || (group !== undefined && group.place().file !== this.#source.file);
  }

  #expand(pattern: string): string[] {
    try {
      return expandRange(pattern);
    } catch (error) {
      if (!(error instanceof HostRangeError)) throw error;
      this.#problem('E_INV_RANGE', error.message, 'mend the range');
      return [];
    }
  }

  #locate(): Locate {
    const [start, length] = [this.#start, this.#line.length];
    return () => this.#source.place(start, start + length);
  }

  #problem(code: Problem['code'], what: string, hint: string): void {
    this.#draft.problems.push({ code, what, hint, place: this.#locate()() });
  }
}

interface VarsSection {
  readonly group: string;
  readonly values: Map<string, { readonly value: unknown; readonly place: Locate }>;
}
