import { documentProblems } from '../../documents/load.js';
import { nearest } from '../../documents/nearest.js';
import { parse } from '../../documents/parse.js';
import type { ParsedFile } from '../../documents/tree.js';
import { ordered } from '../../documents/validate.js';
import type { Place, Problem } from '../../errors.js';
import { findSecretLiterals } from '../../secrets/literals.js';
import { isMap, readConnect } from '../connect.js';
import { addGroup, addHost, type Draft, type GroupDraft, isEmpty, type Layer, type Values } from '../draft.js';
import type { ConnectSettings } from '../inventory.js';
import { inventorySchema } from '../inventory.schema.js';
import { expandRange, HostRangeError } from '../ranges.js';
import type { SourceKind } from './source-kind.js';

/** opsctl's own format, YAML or JSON. Takes what no other kind took, so that its messages explain a mistake. */
export const opsctlSource: SourceKind = {
  name: 'opsctl',
  varsFolders: false,
  reads: () => true,
  async load(file, draft) {
    const document = await parse(file.bytes, file.name, { subject: 'an inventory' });
    if (file.bytes.includes('${{')) draft.templates = true;
    const found = new OpsctlReader(document, draft).read();
    // Looking at each key of 50,000 hosts takes longer than looking for the words first.
    const literals = mayNameSecret.test(file.bytes.toString('latin1'))
      ? findSecretLiterals(document.value, (path) => document.place(path))
      : [];
    const shape = await documentProblems(document, {
      schema: inventorySchema,
      validator: 'inventory',
      subject: 'an inventory',
    });
    // Of two problems at one place the first stays: "port is 1-65535" says more than the schema.
    draft.problems.push(...ordered([...literals, ...found, ...shape]));
  },
};

/** Any word that makes a key a secret one, or an escape that could hide it. */
const mayNameSecret = /pass|secret|token|key|\\[ux]/i;

type Path = readonly (string | number)[];

class OpsctlReader {
  readonly #document: ParsedFile;
  readonly #draft: Draft;
  readonly #problems: Problem[] = [];
  /** Hosts that groups of this file name, and where. */
  readonly #named = new Map<string, Path>();

  constructor(document: ParsedFile, draft: Draft) {
    this.#document = document;
    this.#draft = draft;
  }

  read(): readonly Problem[] {
    const { value } = this.#document;
    if (!isMap(value)) return [];
    const defaults = this.#layer(['defaults'], undefined, value.defaults);
    if (defaults) this.#draft.defaults.push(defaults);
    const groups = isMap(value.groups) ? value.groups : {};
    const hosts = isMap(value.hosts) ? value.hosts : {};
    for (const [name, raw] of Object.entries(groups)) this.#group(name, raw);
    const defined = this.#hosts(hosts);
    this.#references(defined);
    return this.#problems;
  }

  #group(name: string, raw: unknown): void {
    const path = ['groups', name];
    const group = addGroup(this.#draft, name, () => this.#place(path, 'key'));
    if (!group || !isMap(raw)) return;
    const layer = this.#layer(path, raw.vars, raw.connect);
    if (layer) group.layers.push(layer);
    for (const [text, textPath] of texts(raw.hosts, [...path, 'hosts'])) this.#members(group, text, textPath);
    for (const [child, childPath] of texts(raw.groups, [...path, 'groups'])) {
      group.groups.set(child, () => this.#place(childPath));
      // Another inventory that comes later may have it.
      this.#draft.checks.push(() =>
        this.#draft.groups.has(child)
          ? undefined
          : this.#missing(`group "${child}"`, child, this.#draft.groups.keys(), childPath),
      );
    }
  }

  /** Text may name several hosts, with commas between them. */
  #members(group: GroupDraft, text: string, path: Path): void {
    const place = () => this.#place(path);
    for (const part of text.includes(',') ? text.split(',') : [text]) {
      const pattern = part.trim();
      if (pattern === '') continue;
      for (const name of this.#expand(pattern, path, 'value')) {
        if (addHost(this.#draft, name, place) === undefined) continue;
        group.hosts.add(name);
        if (!this.#named.has(name)) this.#named.set(name, path);
      }
    }
  }

  #hosts(hosts: Values): Set<string> {
    const defined = new Set<string>();
    for (const [pattern, raw] of Object.entries(hosts)) {
      const path = ['hosts', pattern];
      const layer = isMap(raw) ? this.#hostLayer(path, raw) : undefined;
      const place = () => this.#place(path, 'key');
      for (const name of this.#expand(pattern, path, 'key')) {
        const host = addHost(this.#draft, name, place);
        if (!host) continue;
        defined.add(name);
        if (layer) host.layers.push(layer);
      }
    }
    return defined;
  }

  #hostLayer(path: Path, raw: Values): Layer | undefined {
    const direct = readConnect(raw, (at) => this.#place([...path, ...at]), this.#problems);
    if (raw.connect === undefined) return this.#makeLayer(path, raw.vars, direct, (name) => [...path, name]);
    const nested = readConnect(raw.connect, (at) => this.#place([...path, 'connect', ...at]), this.#problems);
    for (const name of Object.keys(nested)) {
      if (!(name in direct)) continue;
      const first = this.#place([...path, name], 'key').line;
      this.#problem([...path, 'connect', name], 'key', {
        code: 'E_INV_DUP',
        what: `\`${name}\` is set twice for "${path.at(-1)}", first at line ${first}`,
        hint: 'keep one of them',
      });
    }
    return this.#makeLayer(path, raw.vars, { ...direct, ...nested }, (name) =>
      name in nested ? [...path, 'connect', name] : [...path, name],
    );
  }

  #layer(path: Path, vars: unknown, connect: unknown): Layer | undefined {
    const base = path[0] === 'defaults' ? path : [...path, 'connect'];
    const settings = readConnect(connect, (at) => this.#place([...base, ...at]), this.#problems);
    return this.#makeLayer(path, vars, settings, (name) => [...base, name]);
  }

  #makeLayer(
    path: Path,
    rawVars: unknown,
    connect: ConnectSettings,
    connectPath: (name: string) => Path,
  ): Layer | undefined {
    const vars = isMap(rawVars) ? rawVars : {};
    if (isEmpty(vars) && isEmpty(connect)) return undefined;
    const document = this.#document;
    return {
      vars,
      connect,
      place(key) {
        const dot = key.indexOf('.');
        const name = key.slice(dot + 1);
        return document.place(key.startsWith('vars.') ? [...path, 'vars', name] : connectPath(name));
      },
    };
  }

  #expand(pattern: string, path: Path, part: 'key' | 'value'): string[] {
    try {
      return expandRange(pattern);
    } catch (error) {
      if (!(error instanceof HostRangeError)) throw error;
      this.#problem(path, part, { code: 'E_INV_RANGE', what: error.message, hint: 'mend the range' });
      return [];
    }
  }

  /**
   * A group may name hosts that have no entry, so a name is only called wrong when it looks like an entry that no
   * group names: `web0l` beside `web01`. Names that differ in a number are a series.
   */
  #references(defined: ReadonlySet<string>): void {
    const unused = [...defined].filter((name) => !this.#named.has(name));
    if (unused.length === 0 || unused.length > 1_000) return;
    for (const [host, path] of this.#named) {
      if (defined.has(host)) continue;
      const similar = unused.filter((name) => !sameSeries(name, host));
      if (nearest(host, similar) !== undefined)
        this.#problems.push(this.#missing(`host "${host}"`, host, similar, path));
    }
  }

  #missing(subject: string, name: string, candidates: Iterable<string>, path: Path): Problem {
    const better = nearest(name, candidates);
    const hint = better === undefined ? 'add it, or remove the name here' : `did you mean \`${better}\`?`;
    return { code: 'E_INV_REF', what: `${subject} is not in the inventory`, hint, place: this.#place(path) };
  }

  #problem(path: Path, part: 'key' | 'value', problem: Omit<Problem, 'place'>): void {
    this.#problems.push({ ...problem, place: this.#place(path, part) });
  }

  #place(path: Path, part: 'key' | 'value' = 'value'): Place {
    return this.#document.place(path, part);
  }
}

function texts(raw: unknown, path: Path): [string, Path][] {
  if (typeof raw === 'string') return [[raw, path]];
  if (!Array.isArray(raw)) return [];
  return raw.flatMap((item, index): [string, Path][] => (typeof item === 'string' ? [[item, [...path, index]]] : []));
}

/** The same name but for the value of its numbers: web1 and web2, not web1 and web01. */
function sameSeries(a: string, b: string): boolean {
  const shape = (name: string) => name.replace(/\d+/g, '#');
  const numbers = (name: string) => (name.match(/\d+/g) ?? []).map(Number).join();
  return shape(a) === shape(b) && numbers(a) !== numbers(b);
}
