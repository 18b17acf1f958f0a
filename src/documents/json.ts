import { type Problem, UserError } from '../errors.js';
import type { DocumentPath } from './document.js';
import { depthLimit, forbiddenKeys, numberProblem } from './limits.js';
import { quote, type Source } from './source.js';
import type { Span, Tree } from './tree.js';

interface Node {
  readonly start: number;
  end: number;
  /** Values of a list, or of a map in the order of `keys`. */
  readonly children?: Node[];
  readonly keys?: Map<string, { readonly start: number; readonly end: number; readonly child: Node }>;
}

/**
 * Strict JSON with places. JSON.parse is ten times as fast but keeps the last of two equal keys and tells no line,
 * so it reads what is faultless, and places are worked out when one is asked for.
 */
export function readJson(source: Source): Tree {
  const quick = readFaultless(source.text);
  if (!quick) return readWithPlaces(source);
  let tree: Tree | undefined;
  return {
    value: quick.value,
    problems: [],
    find(path) {
      tree ??= readWithPlaces(source);
      return tree.find(path);
    },
  };
}

/** What JSON.parse gives, when nothing about it can be wrong. */
function readFaultless(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const keys = countKeys(value, 0);
    return keys !== undefined && keys === countWrittenKeys(text) ? { value } : undefined;
  } catch {
    return undefined;
  }
}

/** Keys of all maps; undefined when there is something that readWithPlaces has to look at. */
function countKeys(value: unknown, depth: number): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) || Math.abs(value) < 2 ** 53 ? 0 : undefined;
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= depthLimit) return undefined;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) {
      const inside = countKeys(item, depth + 1);
      if (inside === undefined) return undefined;
      count += inside;
    }
    return count;
  }
  const map = value as Record<string, unknown>;
  for (const key of Object.keys(map)) {
    const inside = forbiddenKeys.has(key) ? undefined : countKeys(map[key], depth + 1);
    if (inside === undefined) return undefined;
    count += inside + 1;
  }
  return count;
}

/** Texts with a colon after them. More of them than keys in the value means that one was written twice. */
function countWrittenKeys(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at = endOfText(text, at);
    while (text.charCodeAt(at) <= 0x20) at++;
    if (text.charCodeAt(at) === 0x3a) count++;
  }
  return count;
}

function endOfText(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
}

function readWithPlaces(source: Source): Tree {
  const { text } = source;
  const problems: Problem[] = [];
  let at = 0;

  const fail = (what: string, hint?: string): never => {
    const end = text[at] === undefined ? at : at + 1;
    throw new UserError({
      code: 'E_JSON_SYNTAX',
      what,
      ...(hint && { hint }),
      place: source.place(Math.min(at, Math.max(0, text.trimEnd().length)), end),
    });
  };
  const seen = () => (at >= text.length ? 'the end of the file' : quote(text[at]));
  const skip = () => {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d) at++;
      else return;
    }
  };

  const readString = (): string => {
    const start = at++;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 0x22) break;
      if (Number.isNaN(code) || code === 0x0a) {
        at = start;
        return fail('text without a closing quote', 'close it with " on the same line');
      }
      at += code === 0x5c ? 2 : 1;
    }
    at++;
    const raw = text.slice(start, at);
    if (!raw.includes('\\')) return raw.slice(1, -1);
    try {
      return JSON.parse(raw) as string;
    } catch {
      at = start;
      return fail('an escape that JSON does not know', 'write a backslash as \\\\');
    }
  };

  const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  const word = /[A-Za-z]+/y;
  const readScalar = (): unknown => {
    number.lastIndex = at;
    const digits = number.exec(text)?.[0];
    if (digits !== undefined) {
      const value = Number(digits);
      const problem = numberProblem(digits, value);
      if (problem) problems.push({ ...problem, place: source.place(at, at + digits.length) });
      at += digits.length;
      return value;
    }
    word.lastIndex = at;
    const name = word.exec(text)?.[0];
    if (name === 'true' || name === 'false' || name === 'null') {
      at += name.length;
      return name === 'null' ? null : name === 'true';
    }
    return fail(`expected a value, got ${seen()}`);
  };

  const readValue = (depth: number): [unknown, Node] => {
    skip();
    const start = at;
    const first = text[at];
    if (first === '"') {
      const value = readString();
      return [value, { start, end: at }];
    }
    if (first !== '{' && first !== '[') {
      const value = readScalar();
      return [value, { start, end: at }];
    }
    if (depth >= depthLimit) {
      throw new UserError({
        code: 'E_YAML_DEPTH',
        what: `nested deeper than ${depthLimit} levels`,
        place: source.place(at),
      });
    }
    at++;
    return first === '[' ? readList(start, depth + 1) : readMap(start, depth + 1);
  };

  const next = (close: string): boolean => {
    skip();
    if (text[at] === close) {
      at++;
      return false;
    }
    if (text[at] !== ',') return fail(`expected "," or "${close}", got ${seen()}`);
    at++;
    skip();
    if (text[at] === close) return fail(`a comma before "${close}"`, 'remove the comma');
    return true;
  };

  const readList = (start: number, depth: number): [unknown, Node] => {
    const values: unknown[] = [];
    const children: Node[] = [];
    skip();
    if (text[at] === ']') at++;
    else {
      do {
        const [value, node] = readValue(depth);
        values.push(value);
        children.push(node);
      } while (next(']'));
    }
    return [values, { start, end: at, children }];
  };

  const readMap = (start: number, depth: number): [unknown, Node] => {
    const map: Record<string, unknown> = {};
    const keys: NonNullable<Node['keys']> = new Map();
    skip();
    if (text[at] === '}') at++;
    else {
      do {
        skip();
        if (text[at] !== '"') fail(`expected a key in quotes, got ${seen()}`);
        const keyStart = at;
        const key = readString();
        const keyEnd = at;
        skip();
        if (text[at] !== ':') fail(`expected ":" after the key ${quote(key)}, got ${seen()}`);
        at++;
        const [value, child] = readValue(depth);
        const earlier = keys.get(key);
        if (forbiddenKeys.has(key)) {
          problems.push({
            code: 'E_KEY_FORBIDDEN',
            what: `the key \`${key}\` is not allowed`,
            hint: 'rename it',
            place: source.place(keyStart, keyEnd),
          });
        } else if (earlier) {
          const line = source.place(earlier.start).line;
          problems.push({
            code: 'E_YAML_DUPKEY',
            what: `\`${quote(key).slice(1, -1)}\` is already set on line ${line}`,
            hint: 'remove one of them',
            place: source.place(keyStart, keyEnd),
          });
        } else {
          map[key] = value;
          keys.set(key, { start: keyStart, end: keyEnd, child });
        }
      } while (next('}'));
    }
    return [map, { start, end: at, keys }];
  };

  if (text.trim() === '')
    throw new UserError({ code: 'E_EMPTY', what: 'the file is empty', place: { file: source.file } });
  const [value, root] = readValue(0);
  skip();
  if (at < text.length) fail(`expected the end of the file, got ${seen()}`);
  return { value, problems, find: (path) => find(root, path, text) };
}

function find(root: Node, path: DocumentPath, text: string): { span: Span; exact: boolean } {
  let node = root;
  let key: { start: number; end: number } | undefined;
  let exact = true;
  for (const part of path) {
    const entry = node.keys?.get(String(part));
    const child = entry?.child ?? (typeof part === 'number' ? node.children?.[part] : undefined);
    if (!child) {
      exact = false;
      break;
    }
    key = entry;
    node = child;
  }
  const plain = node.children === undefined && node.keys === undefined && text[node.start] !== '"';
  const span: Span = { start: node.start, end: node.end, plain, ...(key && { keyStart: key.start, keyEnd: key.end }) };
  return { span, exact };
}
