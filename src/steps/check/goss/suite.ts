import type { DocumentReader, NamedFile } from '../../../documents/document-reader.js';
import type { Place } from '../../../errors.js';
import { findSecretLiterals } from '../../../secrets/literals.js';
import { gossSchema, type ResourceType } from './goss.schema.js';
import { type Matcher, type MatcherProblem, readMatcher, readPatterns, readTextMatcher } from './matcher.js';
import { nameProblem } from './names.js';
import { type Resource, resourceTypes } from './resources.js';
import { renderTemplate, type TemplateData } from './template.js';

/** A goss file with all that it includes, ready to be asked about. */
export interface Suite {
  readonly file: string;
  readonly resources: readonly Resource[];
}

export interface SuiteParams {
  readonly file: string;
  readonly vars?: string | Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
}

/** Reads, renders and checks a goss file. What is wrong goes to the reader; then the suite is not whole. */
export async function loadSuite(params: SuiteParams, reader: DocumentReader): Promise<Suite> {
  const nothing = { file: params.file, resources: [] };
  if (!reader.areFixed({ ...params }, ['file', 'vars', 'env'])) return nothing;
  const vars = await readVars(params.vars ?? {}, reader);
  const file = vars && (await reader.read(params.file, { from: reader.place(['file']) }));
  if (!file) return nothing;
  const loader = new SuiteLoader(reader, { Vars: vars, Env: params.env });
  await loader.load(file);
  return { file: params.file, resources: loader.resources };
}

type Tree = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>> | null>>;
type PlaceOf = (path: readonly (string | number)[], part?: 'key' | 'value') => Place;

class SuiteLoader {
  readonly resources: Resource[] = [];
  readonly #reader: DocumentReader;
  readonly #data: TemplateData;
  readonly #places = new Map<string, Place>();
  readonly #loaded = new Set<string>();

  constructor(reader: DocumentReader, data: TemplateData) {
    this.#reader = reader;
    this.#data = data;
  }

  async load(file: NamedFile): Promise<void> {
    this.#loaded.add(file.path);
    const source = renderTemplate(file.source, this.#data);
    if ('code' in source) {
      this.#reader.refuse(source);
      return;
    }
    // A template may leave everything out.
    if (source !== file.source && source.text.split('\n').every((line) => /^\s*(?:#.*|---\s*)?$/.test(line))) return;
    const check = { subject: 'a goss file', schema: gossSchema, validator: 'goss' };
    const parsed = await this.#reader.parse({ source, sha256: file.sha256 }, check);
    if (!parsed) return;
    const { gossfile, ...types } = parsed.value as Tree;
    for (const [type, resources] of Object.entries(types))
      for (const [id, given] of Object.entries(resources ?? {}))
        this.#resource(type as ResourceType, id, given, parsed.place);
    const includes = Object.entries(gossfile ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, given] of includes) await this.#include(key, given, file, parsed.place);
  }

  #resource(type: ResourceType, id: string, given: Readonly<Record<string, unknown>>, place: PlaceOf): void {
    const key = place([type, id], 'key');
    const known = this.#places.get(`${type} ${id}`);
    if (known) {
      this.#reader.refuse({
        code: 'E_DUP_ID',
        what: `${type} ${id} is tested in ${known.file}:${known.line} already, and goss would drop one of the two`,
        hint: 'merge them, or give one another key',
        place: key,
      });
      return;
    }
    this.#places.set(`${type} ${id}`, key);
    const kind = resourceTypes[type];
    const named = kind.name === undefined ? undefined : given[kind.name];
    const name = String(named ?? id);
    const wrong = nameProblem(type, name, given.server);
    if (wrong)
      this.#reader.refuse({
        code: 'E_VALUE',
        ...wrong,
        place: named === undefined ? key : place([type, id, kind.name ?? '']),
      });
    if (type === 'http') {
      const at = (option: string) => place([type, id, option]);
      if (given.password) this.#refuseSecret('`password`', at('password'));
      if (hasPassword(name)) this.#refuseSecret('the URL', named === undefined ? key : at('url'));
      if (hasPassword(given.proxy)) this.#refuseSecret('`proxy`', at('proxy'));
    }
    const options = Object.fromEntries(
      (kind.options ?? []).flatMap((key) => (key in given ? [[key, given[key]]] : [])),
    );
    const left = new Set(['title', 'meta', 'skip', kind.name, ...(kind.options ?? [])]);
    const attributes = Object.keys(given).filter((key) => !left.has(key));
    if (kind.gate !== undefined) attributes.sort((a, b) => Number(b === kind.gate) - Number(a === kind.gate));
    const tests = attributes.flatMap((attribute) => {
      const isText = kind.texts?.includes(attribute) || given['as-reader'] === true;
      const matcher = this.#matcher(given[attribute], [type, id, attribute], isText, place);
      return matcher ? [{ attribute, matcher }] : [];
    });
    this.resources.push({
      type,
      id,
      name,
      ...(typeof given.title === 'string' && { title: given.title }),
      skip: given.skip === true,
      options,
      tests,
    });
  }

  #matcher(value: unknown, path: readonly string[], isText: boolean, place: PlaceOf): Matcher | undefined {
    // goss writes an empty list where nothing is asked.
    if (Array.isArray(value) && value.length === 0 && path[2] !== 'matches') return undefined;
    const report = ({ path: below, part, what, hint }: MatcherProblem) =>
      this.#reader.refuse({ code: 'E_GOSS_MATCHER', what, hint, place: place(below, part) });
    if (!isText) return readMatcher(value, path, report);
    return Array.isArray(value) ? readPatterns(value, path, report) : readTextMatcher(value, path, report);
  }

  /** The line would show it. */
  #refuseSecret(holder: string, { file, line, column }: Place): void {
    this.#reader.refuse({
      code: 'E_SECRET_LITERAL',
      what: `${holder} holds a secret in plain text`,
      hint: 'ask with check.http, which takes secrets',
      place: { file, ...(line !== undefined && { line }), ...(column !== undefined && { column }) },
    });
  }

  async #include(
    key: string,
    given: Readonly<Record<string, unknown>>,
    beside: NamedFile,
    place: PlaceOf,
  ): Promise<void> {
    if (given.skip === true) return;
    const named = typeof given.file === 'string';
    const pattern = named ? (given.file as string) : key;
    const from = named ? place(['gossfile', key, 'file']) : place(['gossfile', key], 'key');
    const names = /[*?[]/.test(pattern) ? await this.#reader.find(pattern, { from, beside }) : [pattern];
    if (names.length === 0)
      this.#reader.refuse({
        code: 'E_NOT_FOUND',
        what: `no file is found by "${pattern}"`,
        hint: 'check the pattern',
        place: from,
      });
    for (const name of names) {
      const file = await this.#reader.read(name, { from, beside });
      // Two files may include the same third one: it tests nothing new.
      if (file && !this.#loaded.has(file.path)) await this.load(file);
    }
  }
}

function hasPassword(url: unknown): boolean {
  return typeof url === 'string' && /^[a-z0-9]+:\/\/[^/?#]*:[^/?#]*@/i.test(url);
}

async function readVars(
  vars: string | Readonly<Record<string, unknown>>,
  reader: DocumentReader,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (typeof vars !== 'string') return vars;
  const parsed = await reader.load(vars, { from: reader.place(['vars']), subject: 'goss variables' });
  if (!parsed) return undefined;
  const { value } = parsed;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const hint = 'leave it out: a goss file has no place for secrets, check.http and check.command have';
    for (const problem of findSecretLiterals(value, parsed.place)) reader.refuse({ ...problem, hint });
    return value as Record<string, unknown>;
  }
  const hint = 'write names and their values';
  reader.refuse({ code: 'E_TYPE', what: 'goss variables must be a mapping', hint, place: parsed.place([]) });
  return undefined;
}
