import type { ParsedNode, Scalar, YAMLMap } from 'yaml';
import { type Alias, Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from 'yaml';
import { type Place, type Problem, UserError } from '../errors.js';
import { resolvePlainScalar } from './ansible-scalar.js';
import type { DocumentPath } from './document.js';
import { depthLimit, expansionLimit, forbiddenKeys } from './limits.js';
import { type Source, sourceOf } from './source.js';
import { explainSyntax } from './syntax.js';
import { UnsafeText } from './unsafe-text.js';

/** Other people's YAML, read as PyYAML and Ansible read it. */
export interface AnsibleYaml {
  /** Plain data, but for `UnsafeText`. `undefined` when the file is empty. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  place(path: DocumentPath, part?: 'key' | 'value'): Place;
}

/**
 * YAML 1.1 by PyYAML's rules: `no` is false, 0755 is octal, 1:30 is 90, `y` and 1e3 are text, merge keys, the last of
 * two equal keys counts. Text that is JSON is read as JSON, as Ansible does.
 * @throws UserError when the text has no tree
 */
export function parseAnsibleYaml(text: string, file: string): AnsibleYaml {
  const source = sourceOf(file, text);
  const json = readAsJson(text);
  const reader = new AnsibleReader(source);
  // The nodes of a big file take ten times its size, so they are not kept: places parse it once more.
  const value = json ? json.value : reader.read(compose(source)?.contents ?? null, 0);
  let contents: ParsedNode | null | undefined;
  return {
    value: value === null ? undefined : value,
    problems: reader.problems,
    warnings: reader.warnings,
    place(path, part = 'value') {
      contents ??= compose(source)?.contents ?? null;
      return placeOf(source, contents, path, part);
    },
  };
}

function readAsJson(text: string): { value: unknown } | undefined {
  // What could reach a prototype goes the long way, where keys are looked at.
  if (!/^\s*[{[]/.test(text) || /"(?:__proto__|constructor|prototype)"/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function compose(source: Source): Document.Parsed | undefined {
  const options = { version: '1.1', schema: 'failsafe', uniqueKeys: false, logLevel: 'silent', merge: false } as const;
  const composer = new Composer({ ...options, prettyErrors: false, strict: true });
  const parser = new Parser();
  const documents: Document.Parsed[] = [];
  const take = (tokens: ReturnType<Parser['next']>) => {
    for (const token of tokens) for (const document of composer.next(token)) documents.push(document);
  };
  let offset = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    take(parser.next(lexeme));
    offset += lexeme.length;
    // Composing recurses, so a bomb of brackets stops here.
    if (parser.stack.length > depthLimit + 2) {
      const place = source.place(Math.max(0, Math.min(offset, source.text.length) - 1));
      throw new UserError({ code: 'E_YAML_DEPTH', what: `nested deeper than ${depthLimit} levels`, place });
    }
  }
  take(parser.end());
  for (const document of composer.end(true, source.text.length)) documents.push(document);
  const problems = explainSyntax(documents, source);
  const [first, second] = documents;
  if (second) {
    const place = source.place(second.contents?.range?.[0] ?? second.range[0]);
    problems.push({ code: 'E_YAML_MULTIDOC', what: 'a second document starts here', hint: 'keep one per file', place });
  }
  if (problems.length > 0) throw new UserError(problems);
  return first;
}

interface MapItem {
  readonly key: ParsedNode | null;
  readonly value: ParsedNode | null;
}

const knownTag = /^(!|tag:yaml\.org,2002:(str|int|float|bool|null|map|seq|timestamp))$/;

class AnsibleReader {
  readonly problems: Problem[] = [];
  readonly warnings: string[] = [];
  readonly #source: Source;
  readonly #anchors = new Map<string, unknown>();
  #expanded = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  read(node: ParsedNode | null, depth: number): unknown {
    if (node === null) return null;
    if (isAlias(node)) return this.#alias(node);
    if (node.tag !== undefined && !knownTag.test(node.tag)) return this.#tagged(node, depth);
    let value: unknown;
    if (isScalar(node)) value = scalarValue(node);
    else if (depth >= depthLimit) return this.#refuse('E_YAML_DEPTH', `nested deeper than ${depthLimit} levels`, node);
    else if (isSeq(node)) value = node.items.map((item) => this.read(item as ParsedNode, depth + 1));
    else value = this.#map(node as YAMLMap.Parsed, depth + 1);
    if (node.anchor) this.#anchors.set(node.anchor, value);
    return value;
  }

  #map(node: YAMLMap.Parsed, depth: number): unknown {
    const own = new Map<string, unknown>();
    const merged: Record<string, unknown> = {};
    for (const { key, value } of node.items as readonly MapItem[]) {
      if (key && isScalar(key) && key.source === '<<' && key.type === 'PLAIN') {
        const maps = [this.read(value, depth)].flat();
        for (const map of maps.reverse()) if (isPlainMap(map)) Object.assign(merged, map);
        continue;
      }
      const name = this.#key(key, depth);
      if (name === undefined) continue;
      if (own.has(name)) this.#warn(`\`${name}\` is set twice; the last one counts`, key);
      if (forbiddenKeys.has(name))
        this.#refuse('E_KEY_FORBIDDEN', `the key \`${name}\` is not allowed`, key, 'rename it');
      else own.set(name, this.read(value, depth));
    }
    return Object.assign(merged, Object.fromEntries(own));
  }

  #key(key: ParsedNode | null, depth: number): string | undefined {
    const value = key === null ? null : this.read(key, depth);
    if (value instanceof UnsafeText) return value.text;
    if (typeof value !== 'object' || value === null) return String(value);
    const written = key ? this.#source.text.slice(key.range[0], key.range[1]) : '';
    if (/^\{.*\}$/.test(written))
      this.#refuse('E_INV_JINJA', 'a Jinja expression stands where a value is expected', key, 'write the value itself');
    else this.#refuse('E_KEY_TYPE', 'keys must be text', key, 'write KEY: VALUE');
    return undefined;
  }

  /** An alias shares the value, so a bomb costs nothing here; but what is printed later must stay small. */
  #alias(node: Alias.Parsed): unknown {
    if (!this.#anchors.has(node.source)) {
      return this.#refuse(
        'E_YAML_ALIAS',
        `the anchor \`${node.source}\` is not defined above`,
        node,
        'write the value itself',
      );
    }
    const value = this.#anchors.get(node.source);
    this.#expanded += sizeOf(value, expansionLimit);
    if (this.#expanded > expansionLimit) {
      const limit = expansionLimit.toLocaleString('en');
      this.#refuse('E_YAML_ALIAS', `aliases expand to more than ${limit} nodes`, node, 'write less');
      return null;
    }
    return value;
  }

  #tagged(node: ParsedNode, depth: number): unknown {
    if (node.tag === '!unsafe') {
      node.tag = undefined as never;
      return markUnsafe(this.read(node, depth));
    }
    if (node.tag === '!vault' || node.tag === '!vault-encrypted') {
      const hint = 'keep the secret in env:, file: or exec:, and write { secret: "env:NAME" }';
      return this.#refuse('E_INV_VAULT', 'the value is encrypted with ansible-vault', this.#tagRange(node), hint);
    }
    return this.#refuse('E_YAML_TAG', `unknown tag \`${node.tag}\``, this.#tagRange(node), 'remove it');
  }

  #tagRange(node: ParsedNode): { range: readonly [number, number, ...number[]] } {
    const tag = node.tag ?? '';
    const start = this.#source.text.lastIndexOf(tag, node.range[0]);
    return start === -1 ? node : { range: [start, start + tag.length] };
  }

  #warn(text: string, node: ParsedNode | null): void {
    const { file, line } = this.#source.place(node?.range[0] ?? 0);
    this.warnings.push(`${file}:${line}: ${text}`);
  }

  #refuse(code: Problem['code'], what: string, node: { range: readonly number[] } | null, hint?: string): null {
    const [start = 0, end = start + 1] = node?.range ?? [];
    this.problems.push({ code, what, ...(hint !== undefined && { hint }), place: this.#source.place(start, end) });
    return null;
  }
}

function scalarValue(node: Scalar.Parsed): unknown {
  const text = String(node.value ?? '');
  if (node.tag?.endsWith(':str') || node.tag?.endsWith(':timestamp')) return text;
  if (node.tag?.endsWith(':null')) return null;
  if (node.tag?.endsWith(':float')) return Number(resolvePlainScalar(text));
  if (node.type === 'PLAIN' || node.tag !== undefined) return resolvePlainScalar(text);
  return text;
}

function markUnsafe(value: unknown): unknown {
  if (typeof value === 'string') return new UnsafeText(value);
  if (Array.isArray(value)) return value.map(markUnsafe);
  if (isPlainMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, markUnsafe(item)]));
  return value;
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof UnsafeText);
}

function sizeOf(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  let size = 1;
  for (const item of Object.values(value)) {
    size += sizeOf(item, limit - size);
    if (size > limit) break;
  }
  return size;
}

function placeOf(source: Source, root: ParsedNode | null, path: DocumentPath, part: 'key' | 'value'): Place {
  let node = root;
  let key: ParsedNode | null | undefined;
  let exact = true;
  for (const step of path) {
    let child: ParsedNode | null | undefined;
    let childKey: ParsedNode | null | undefined;
    if (node && isMap(node)) {
      // The last of equal keys is the one that counts.
      const item = (node.items as readonly MapItem[]).findLast(({ key }) => key && isScalar(key) && keyIs(key, step));
      child = item?.value;
      childKey = item?.key;
    } else if (node && isSeq(node) && typeof step === 'number') child = node.items[step] as ParsedNode | undefined;
    if (child === undefined) {
      exact = false;
      break;
    }
    node = child;
    key = childKey;
  }
  const useKey = key && (part === 'key' || !exact || node === null || !isScalar(node));
  const target = useKey ? key : node;
  return target ? source.place(target.range[0], target.range[1]) : { file: source.file };
}

function keyIs(key: Scalar.Parsed | Scalar, name: string | number): boolean {
  return String(key.value) === String(name) || String(scalarValue(key as Scalar.Parsed)) === String(name);
}
