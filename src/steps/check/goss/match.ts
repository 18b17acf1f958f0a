import { cachedRegex } from '../../../expressions/regex.js';
import { gjsonAt, readGjsonPath } from './gjson.js';
import { type Matcher, readPattern } from './matcher.js';
import { readVersion, readVersionRange } from './semver.js';

/** Text of which only the start is known. */
export class CutText {
  readonly start: string;

  constructor(start: string) {
    this.start = start;
  }
}

/** A value that a matcher cannot be asked about, such as text that should be greater than 5: goss fails it. */
export class CannotMatch extends Error {}

/** Only the start of a text is known, and that does not decide. */
export class Undecided extends Error {}

/** Whether a value is what it should be. Throws CannotMatch and Undecided. */
export function matches(matcher: Matcher, actual: unknown): boolean {
  if (actual instanceof CutText && matcher.type !== 'have-patterns') throw new Undecided();
  switch (matcher.type) {
    case 'boolean':
      return actual === matcher.expected;
    case 'text':
      return asText(actual) === matcher.expected;
    case 'number':
      return asNumber(actual) === matcher.expected;
    case 'equal':
      return isSame(actual, option(matcher));
    case 'have-prefix':
      return asText(actual).startsWith(option(matcher) as string);
    case 'have-suffix':
      return asText(actual).endsWith(option(matcher) as string);
    case 'contain-substring':
      return asText(actual).includes(option(matcher) as string);
    case 'match-regexp':
      return cachedRegex(option(matcher) as string).test(asText(actual));
    case 'gt':
      return asNumber(actual) > (option(matcher) as number);
    case 'ge':
      return asNumber(actual) >= (option(matcher) as number);
    case 'lt':
      return asNumber(actual) < (option(matcher) as number);
    case 'le':
      return asNumber(actual) <= (option(matcher) as number);
    case 'have-len':
      return lengthOf(actual) === option(matcher);
    case 'semver-constraint':
      return satisfies(actual, option(matcher) as string);
    case 'have-patterns':
      return hasPatterns(actual, patternsOf(matcher));
    case 'not':
      return !matches(matcher.inner, actual);
    case 'and':
      return matcher.list.every((inner) => matches(inner, actual));
    case 'or':
      return matcher.list.some((inner) => matches(inner, actual));
    case 'contain-element':
      return someMatches(matcher.inner, asList(actual));
    case 'contain-elements':
      return assignable(matcher.list, asList(actual));
    case 'consist-of': {
      const items = asList(actual);
      return items.length === matcher.list.length && assignable(matcher.list, items);
    }
    case 'have-key':
      return someMatches(matcher.inner, Object.keys(asMap(actual)));
    case 'have-key-with-value': {
      const map = asMap(actual);
      return matcher.entries.every(([key, inner]) => Object.hasOwn(map, key) && matches(inner, map[key]));
    }
    case 'gjson': {
      const tree = asJson(actual);
      return matcher.entries.every(([path, inner]) => {
        const value = gjsonAt(tree, readGjsonPath(path) ?? []);
        if (value === undefined) throw new CannotMatch(`it has nothing at ${path}`);
        return matches(inner, value);
      });
    }
  }
}

/** The value of a matcher that has one name and one value. */
function option({ expected }: Matcher): unknown {
  return Object.values(expected as object)[0];
}

function patternsOf({ expected }: Matcher): readonly string[] {
  return (Array.isArray(expected) ? expected : (option({ expected } as Matcher) as string[])) as string[];
}

function hasPatterns(actual: unknown, patterns: readonly string[]): boolean {
  return brokenPatterns(actual, patterns).length === 0;
}

/** The patterns that a text breaks, as far as it is known. Throws Undecided when the rest could break some. */
function brokenPatterns(actual: unknown, patterns: readonly string[]): readonly string[] {
  const cut = actual instanceof CutText;
  const lines = (cut ? actual.start : asText(actual)).split('\n').map((line) => line.replace(/\r$/, ''));
  // The last line may go on; an empty one is none.
  if (cut || lines.at(-1) === '') lines.pop();
  const open: string[] = [];
  const broken = patterns.filter((pattern) => {
    const { absent, regex, text } = readPattern(pattern);
    const found =
      pattern === '' ||
      lines.some((line) => (regex === undefined ? line.includes(text) : cachedRegex(regex).test(line)));
    if (!found && cut) open.push(pattern);
    return found ? absent : !absent && !cut;
  });
  if (broken.length === 0 && open.length > 0) throw new Undecided();
  return broken;
}

/** What is wrong with a text. What it holds is not repeated: it may be a file that only root should see. */
export function brokenText(matcher: Matcher, actual: unknown): string {
  return brokenPatterns(actual, patternsOf(matcher))
    .map((pattern) => `${readPattern(pattern).absent ? 'a line matches' : 'no line matches'} ${shown(pattern)}`)
    .join(', ');
}

/** Throws what kept an item from being compared when no other is the one: then nothing shows that it is not there. */
function someMatches(matcher: Matcher, items: readonly unknown[]): boolean {
  let why: CannotMatch | undefined;
  for (const item of items) {
    try {
      if (matches(matcher, item)) return true;
    } catch (error) {
      if (!(error instanceof CannotMatch)) throw error;
      why = error;
    }
  }
  if (why) throw why;
  return false;
}

/** An item that cannot be compared is not the one that is looked for. */
function matchesItem(matcher: Matcher, item: unknown): boolean {
  try {
    return matches(matcher, item);
  } catch (error) {
    if (error instanceof CannotMatch) return false;
    throw error;
  }
}

/** Whether every matcher can have an item of its own: a bipartite matching by augmenting paths. */
function assignable(matchers: readonly Matcher[], items: readonly unknown[]): boolean {
  const owner = new Map<number, number>();
  const fits = matchers.map((matcher) => items.map((item) => matchesItem(matcher, item)));
  const assign = (wanted: number, tried: Set<number>): boolean => {
    for (const index of items.keys()) {
      if (!fits[wanted]?.[index] || tried.has(index)) continue;
      tried.add(index);
      const other = owner.get(index);
      if (other === undefined || assign(other, tried)) {
        owner.set(index, wanted);
        return true;
      }
    }
    return false;
  };
  return matchers.every((_, wanted) => assign(wanted, new Set()));
}

function satisfies(actual: unknown, range: string): boolean {
  const test = readVersionRange(range);
  const list = Array.isArray(actual) ? actual : [actual];
  if (list.length === 0) throw new CannotMatch('there is no version');
  return list.every((item) => {
    const version = typeof item === 'string' ? readVersion(item) : undefined;
    if (!version) throw new CannotMatch(`${shown(item)} is no semantic version`);
    return test?.(version) ?? false;
  });
}

function asText(value: unknown): string {
  if (Array.isArray(value)) return value.map(asText).join('\n');
  if (typeof value === 'object' && value !== null) throw new CannotMatch('a mapping is no text');
  return String(value);
}

function asNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  const text = typeof value === 'string' || Array.isArray(value) ? asText(value).trim() : '';
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw new CannotMatch(`${shown(value)} is no number`);
  return Number(text);
}

function asList(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return value.split('\n');
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && value !== null) return Object.values(value);
  throw new CannotMatch(`${shown(value)} is no list`);
}

function asMap(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CannotMatch(`${shown(value)} is no mapping`);
  return value as Readonly<Record<string, unknown>>;
}

function asJson(value: unknown): unknown {
  if (typeof value !== 'string') throw new CannotMatch(`${shown(value)} is no JSON text`);
  try {
    return JSON.parse(value);
  } catch {
    throw new CannotMatch('it is not valid JSON');
  }
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw new CannotMatch(`${shown(value)} has no length`);
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = Object.keys(a);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key as never], b[key as never]))
  );
}

/** A value in a message: short, on one line. */
export function shown(value: unknown): string {
  const text = value instanceof CutText ? JSON.stringify(value.start) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
