import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type ParsedNode,
  Parser,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { type Problem, UserError } from '../errors.js';
import type { DocumentPath } from './document.js';
import { depthLimit, expansionLimit, forbiddenKeys, numberProblem } from './limits.js';
import { codePoint, quote, type Source } from './source.js';
import { explainSyntax } from './syntax.js';
import type { Span, Tree } from './tree.js';

/** More problems than anybody reads. */
const problemLimit = 1_000;

/** From this length on the nodes are not kept: they take ten times the room of the text. */
const longText = 256 * 1024;

/** YAML 1.2. Refuses what would be read otherwise than it looks. `subject` is what the file is: `a runbook`. */
export function readYaml(source: Source, subject: string): Tree {
  const read = (): { reader: TreeReader; document: Document.Parsed; value: unknown } => {
    const document = compose(source, subject);
    const reader = new TreeReader(source);
    return { reader, document, value: reader.read(document.contents, 0) };
  };
  const { reader, document, value } = read();
  const problems = [...directiveProblems(document, source), ...reader.problems];
  let nodes = source.text.length < longText ? { reader, document } : undefined;
  return {
    value,
    problems,
    find(path) {
      nodes ??= read();
      return nodes.reader.find(nodes.document.contents, path);
    },
  };
}

/** Text to one document. Throws for all that leaves no trustworthy tree. */
function compose(source: Source, subject: string): Document.Parsed {
  const { text } = source;
  const composer = new Composer({
    version: '1.2',
    // The library compares every key with every other one; TreeReader looks for equal keys itself.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    strict: true,
    merge: false,
  });
  const documents: Document.Parsed[] = [];
  const parser = new Parser();
  const lexer = new Lexer();
  let offset = 0;
  const take = (tokens: ReturnType<Parser['next']>) => {
    for (const token of tokens) for (const document of composer.next(token)) documents.push(document);
  };
  for (const lexeme of lexer.lex(text)) {
    take(parser.next(lexeme));
    offset +=
      lexeme.length === 1 && lexeme.charCodeAt(0) < 0x20 && lexeme !== '\n' && lexeme !== '\t' ? 0 : lexeme.length;
    // One entry of the stack is the document itself, another may be a scalar. Composing recurses, so stop here.
    if (parser.stack.length > depthLimit + 2) {
      throw new UserError({
        code: 'E_YAML_DEPTH',
        what: `nested deeper than ${depthLimit} levels`,
        place: source.place(Math.max(0, Math.min(offset, text.length) - 1)),
      });
    }
  }
  take(parser.end());
  for (const document of composer.end(true, text.length)) documents.push(document);

  const [first, second] = documents;
  const problems = explainSyntax(documents, source);
  if (second) problems.push(secondDocument(second, source, subject));
  if (problems.length > 0) throw new UserError(problems);
  if (!first || first.contents === null || isEmpty(first.contents)) {
    const what = text.trim() === '' ? 'the file is empty' : 'the file holds nothing but comments';
    throw new UserError({ code: 'E_EMPTY', what, place: { file: source.file } });
  }
  return first;
}

function isEmpty(contents: ParsedNode): boolean {
  return isScalar(contents) && contents.value === null && contents.range[0] === contents.range[1];
}

function secondDocument(document: Document.Parsed, source: Source, subject: string): Problem {
  const content = document.contents?.range?.[0] ?? document.range[0];
  const marker = source.text.lastIndexOf('\n---', content);
  const place = source.place(marker === -1 ? document.range[0] : marker + 1, marker === -1 ? undefined : marker + 4);
  return {
    code: 'E_YAML_MULTIDOC',
    what: `a second document starts at ${place.line}:${place.column}`,
    hint: `keep one ${subject.replace(/^an? /, '')} per file`,
    place,
  };
}

function directiveProblems(document: Document.Parsed, source: Source): Problem[] {
  const version = /^%YAML[^\n]*/m.exec(source.text);
  if (!version || !document.directives.yaml.explicit) return [];
  if (version[0].split(/\s+/)[1] === '1.2') return [];
  return [
    {
      code: 'E_YAML_VERSION',
      what: 'only YAML 1.2 is read',
      hint: 'remove the line',
      place: source.place(version.index, version.index + version[0].length),
    },
  ];
}

const knownTag = /^(!|tag:yaml\.org,2002:(str|int|float|bool|null|map|seq))$/;
const spaceLike = /^[\p{Z}\u200b-\u200d\u2060\ufeff]|[\p{Z}\u200b-\u200d\u2060\ufeff]$/u;

/** Walks the composed nodes once: builds plain data and finds what YAML lets through. */
class TreeReader {
  readonly problems: Problem[] = [];
  readonly #source: Source;
  readonly #anchors = new Map<string, ParsedNode>();
  readonly #open = new Set<ParsedNode>();
  readonly #targets = new Map<Alias, ParsedNode>();
  readonly #indexes = new WeakMap<YAMLMap, Map<string, MapItem>>();
  #expanded = 0;
  /** Inside an alias: its nodes were checked where they stand. */
  #copying = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  read(node: ParsedNode | null, depth: number): unknown {
    if (node === null) return null;
    if (isAlias(node)) return this.#alias(node, depth);
    if (this.#copying > 0 && ++this.#expanded > expansionLimit) return null;
    if (node.anchor) this.#define(node);
    if (node.tag && !knownTag.test(node.tag)) this.#tag(node);
    if (isScalar(node)) return this.#scalar(node);
    if (depth >= depthLimit) return this.#refuse('E_YAML_DEPTH', `nested deeper than ${depthLimit} levels`, node.range);
    if (!node.anchor) return this.#collection(node, depth + 1);
    this.#open.add(node);
    const value = this.#collection(node, depth + 1);
    this.#open.delete(node);
    return value;
  }

  find(root: ParsedNode | null, path: DocumentPath): { span: Span; exact: boolean } {
    let node = root;
    let key: Scalar.Parsed | undefined;
    let exact = true;
    for (const part of path) {
      const inside = node && isAlias(node) ? (this.#targets.get(node) ?? null) : node;
      let child: ParsedNode | null | undefined;
      let childKey: Scalar.Parsed | undefined;
      if (inside && isMap(inside)) {
        const item = this.#index(inside as YAMLMap).get(String(part));
        childKey = item?.key;
        child = item ? item.value : undefined;
      } else if (inside && isSeq(inside) && typeof part === 'number')
        child = inside.items[part] as ParsedNode | undefined;
      if (child === undefined) {
        exact = false;
        break;
      }
      key = childKey;
      node = child;
    }
    const start = node ? node.range[0] : (key?.range[1] ?? 0);
    const end = node ? node.range[1] : start;
    const plain = node !== null && isScalar(node) && node.type === 'PLAIN';
    return { span: { start, end, plain, ...(key && { keyStart: key.range[0], keyEnd: key.range[1] }) }, exact };
  }

  #collection(node: ParsedNode, depth: number): unknown {
    if (isSeq(node)) return node.items.map((item) => this.read(item as ParsedNode, depth));
    return this.#map(node as YAMLMap.Parsed, depth);
  }

  #map(node: YAMLMap.Parsed, depth: number): unknown {
    const braces = this.#doubleBraces(node);
    if (braces !== undefined) return braces;
    const map: Record<string, unknown> = {};
    const lines = new Map<string, Scalar.Parsed>();
    for (const { key, value } of node.items as MapItem[]) {
      const name = this.#key(key);
      if (name === undefined) continue;
      if (name === '<<' && key.type === 'PLAIN') {
        this.#refuse('E_YAML_MERGE', 'merge keys are not supported', key.range, 'write the keys out');
        continue;
      }
      const first = lines.get(name);
      if (first) {
        const line = this.#source.place(first.range[0]).line;
        this.#refuse(
          'E_YAML_DUPKEY',
          `\`${quote(name).slice(1, -1)}\` is already set on line ${line}`,
          key.range,
          'remove one of them',
        );
        continue;
      }
      lines.set(name, key);
      const item = this.read(value, depth);
      if (forbiddenKeys.has(name))
        this.#refuse('E_KEY_FORBIDDEN', `the key \`${name}\` is not allowed`, key.range, 'rename it');
      else map[name] = item;
    }
    return map;
  }

  #key(key: ParsedNode | null): string | undefined {
    if (key && isScalar(key) && typeof key.value === 'string') {
      if (key.anchor) this.#define(key);
      const space = key.value.charCodeAt(0) > 0x20 && !isWide(key.value) ? null : spaceLike.exec(key.value);
      if (space) {
        const side = space.index === 0 ? 'starts' : 'ends';
        const name = space[0] === '\u00a0' ? 'a no-break space' : 'an invisible character';
        this.#refuse(
          'E_KEY_UNKNOWN',
          `the key ${side} with ${name} (${codePoint(space[0])})`,
          key.range,
          'use plain spaces',
        );
      }
      return key.value;
    }
    const written = key && isScalar(key) && key.source ? ` "${key.source}"` : '';
    const hint = written ? `quote it:${written}` : 'write KEY: VALUE';
    const kind =
      !key || (isScalar(key) && key.value === null)
        ? 'nothing'
        : isScalar(key)
          ? `a ${typeof key.value}`
          : isAlias(key)
            ? 'an alias'
            : isMap(key)
              ? 'a map'
              : 'a list';
    const range = key?.range ?? [0, 1];
    this.#refuse('E_KEY_TYPE', `keys must be text, got ${kind}`, [range[0], Math.max(range[1], range[0] + 1)], hint);
    return undefined;
  }

  /** `{{ x }}` without quotes is a map whose key is a map. Read on as if the quotes were there. */
  #doubleBraces(node: YAMLMap.Parsed): string | undefined {
    const [item] = node.items as MapItem[];
    if (
      !node.flow ||
      node.items.length !== 1 ||
      !item ||
      !isMap(item.key as unknown as ParsedNode) ||
      (item.value !== null && !isEmpty(item.value))
    )
      return undefined;
    const written = this.#source.text.slice(node.range[0], node.range[1]);
    if (!/^\{\{[^\n]*\}\}$/.test(written)) return undefined;
    this.#refuse('E_TYPE', 'expected text, got a map', node.range, `did you mean "$${written}" in quotes?`);
    return written;
  }

  #scalar(node: Scalar.Parsed): unknown {
    const { value } = node;
    if (typeof value === 'number') {
      const problem = numberProblem(node.source ?? String(value), value);
      if (problem) this.#refuse(problem.code, problem.what, node.range, problem.hint);
    } else if (typeof value === 'bigint' || (typeof value === 'object' && value !== null)) return node.source;
    return value;
  }

  #alias(node: Alias.Parsed, depth: number): unknown {
    const target = this.#copying > 0 ? this.#targets.get(node) : this.#anchors.get(node.source);
    if (!target) {
      const hint = 'write the value itself, or quote text that starts with *';
      return this.#refuse('E_YAML_ALIAS', `the anchor \`${node.source}\` is not defined above`, node.range, hint);
    }
    if (this.#open.has(target)) {
      return this.#refuse(
        'E_YAML_ALIAS',
        `the anchor \`${node.source}\` contains itself`,
        node.range,
        'write the value out',
      );
    }
    this.#targets.set(node, target);
    if (this.#expanded > expansionLimit) return null;
    this.#copying++;
    const value = this.read(target, depth);
    this.#copying--;
    if (this.#copying === 0 && this.#expanded > expansionLimit) {
      this.#refuse(
        'E_YAML_ALIAS',
        `aliases expand to more than ${expansionLimit.toLocaleString('en')} nodes`,
        node.range,
        'write less',
      );
    }
    return value;
  }

  #define(node: ParsedNode & { anchor?: string }): void {
    const name = node.anchor;
    if (name === undefined || this.#copying > 0) return;
    const first = this.#anchors.get(name);
    if (first) {
      const line = this.#source.place(first.range[0]).line;
      this.#refuse(
        'E_YAML_ALIAS',
        `the anchor \`${name}\` is already set on line ${line}`,
        node.range,
        'rename one of them',
      );
    }
    this.#anchors.set(name, node);
  }

  #tag(node: ParsedNode): void {
    const tag = node.tag ?? '';
    const written = tag.replace('tag:yaml.org,2002:', '!!');
    const start = this.#source.text.lastIndexOf(written, node.range[0]);
    const range = start === -1 ? node.range : [start, start + written.length];
    const hint = tag === '!vault' ? 'use `secret:`' : 'remove it';
    this.#refuse('E_YAML_TAG', `unknown tag \`${written}\``, range, hint);
  }

  #index(map: YAMLMap): Map<string, MapItem> {
    let index = this.#indexes.get(map);
    if (!index) {
      index = new Map();
      for (const item of map.items as unknown as MapItem[]) {
        const name = item.key && isScalar(item.key) ? String(item.key.value) : undefined;
        if (name !== undefined && !index.has(name)) index.set(name, item);
      }
      this.#indexes.set(map, index);
    }
    return index;
  }

  #refuse(code: Problem['code'], what: string, range: readonly number[], hint?: string): null {
    if (this.#copying > 0 || this.problems.length >= problemLimit) return null;
    const [start = 0, end = start + 1] = range;
    this.problems.push({ code, what, ...(hint !== undefined && { hint }), place: this.#source.place(start, end) });
    return null;
  }
}

interface MapItem {
  readonly key: Scalar.Parsed;
  readonly value: ParsedNode | null;
}

/** The last character is beyond ASCII, so it may be one that cannot be seen. */
function isWide(text: string): boolean {
  return text.charCodeAt(0) > 0x7e || text.charCodeAt(text.length - 1) > 0x7e;
}
