import { posix } from 'node:path';
import { cachedRegex } from '../../../expressions/regex.js';
import type { TemplateData } from './template.js';

export interface TemplateFunction {
  readonly least: number;
  /** The same as `least` when absent. */
  readonly most?: number;
  /** What it throws is told at the call. */
  call(args: readonly unknown[], data: TemplateData): unknown;
}

type Mapping = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`needs text, got ${typeOf(value)}`);
};
const number = (value: unknown): number => {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof read !== 'number' || !Number.isFinite(read)) throw new Error(`needs a number, got ${typeOf(value)}`);
  return read;
};
const list = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw new Error(`needs a list, got ${typeOf(value)}`);
  return value;
};
const map = (value: unknown): Mapping => {
  if (typeOf(value) !== 'mapping') throw new Error(`needs a mapping, got ${typeOf(value)}`);
  return value as Mapping;
};
const whole = (value: unknown): number => Math.trunc(number(value));

/** Functions of one text. */
const onText = (change: (value: string) => unknown): TemplateFunction => ({
  least: 1,
  call: ([value]) => change(text(value)),
});
/** Functions of an option and a text, in the order of a pipeline. */
const withText = (change: (option: string, value: string) => unknown): TemplateFunction => ({
  least: 2,
  call: ([option, value]) => change(text(option), text(value)),
});
const onNumbers = (least: number, change: (values: readonly number[]) => number): TemplateFunction => ({
  least,
  most: least === 2 ? 2 : Infinity,
  call: (values) => change(values.map(whole)),
});
const compare = (holds: (order: number) => boolean): TemplateFunction => ({
  least: 2,
  call: ([a, b]) => {
    if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string'))
      throw new Error(`cannot compare ${typeOf(a)} with ${typeOf(b)}`);
    return holds(a < (b as typeof a) ? -1 : a === b ? 0 : 1);
  },
});
const divided = (a: number, b: number, divide: (a: number, b: number) => number): number => {
  if (b === 0) throw new Error('division by zero');
  return divide(a, b);
};

/** Of Go's text/template, of goss and of Sprig: what goss files use. */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  // text/template; `and` and `or` are in template.ts.
  and: { least: 1, most: Infinity, call: (values) => values.at(-1) },
  or: { least: 1, most: Infinity, call: (values) => values.at(-1) },
  not: { least: 1, call: ([value]) => !isTrue(value) },
  eq: { least: 2, most: Infinity, call: ([value, ...others]) => others.some((other) => same(value, other)) },
  ne: { least: 2, call: ([a, b]) => !same(a, b) },
  lt: compare((order) => order < 0),
  le: compare((order) => order <= 0),
  gt: compare((order) => order > 0),
  ge: compare((order) => order >= 0),
  len: { least: 1, call: ([value]) => lengthOf(value) },
  index: { least: 1, most: Infinity, call: ([value, ...keys]) => keys.reduce(itemOf, value) },
  print: { least: 0, most: Infinity, call: printed },
  println: { least: 0, most: Infinity, call: (values) => `${values.map(text).join(' ')}\n` },
  slice: { least: 1, most: 3, call: ([value, from, to]) => sliced(value, from ?? 0, to) },
  printf: { least: 1, most: Infinity, call: ([format, ...values]) => formatted(text(format), values) },
  // goss
  mkSlice: { least: 0, most: Infinity, call: (values) => values },
  getEnv: { least: 1, most: 2, call: ([name, preset], { Env }) => own(Env, text(name)) || (preset ?? '') },
  regexMatch: withText((pattern, value) => cachedRegex(pattern).test(value)),
  toUpper: onText((value) => value.toUpperCase()),
  toLower: onText((value) => value.toLowerCase()),
  // Sprig
  env: { least: 1, call: ([name], { Env }) => own(Env, text(name)) ?? '' },
  upper: onText((value) => value.toUpperCase()),
  lower: onText((value) => value.toLowerCase()),
  title: onText((value) => value.replace(/(?<![\p{L}\p{N}_])\p{L}/gu, (letter) => letter.toUpperCase())),
  trim: onText((value) => value.trim()),
  trimPrefix: withText((prefix, value) => (value.startsWith(prefix) ? value.slice(prefix.length) : value)),
  trimSuffix: withText((suffix, value) =>
    suffix !== '' && value.endsWith(suffix) ? value.slice(0, -suffix.length) : value,
  ),
  trimAll: withText((letters, value) => trimmed(value, letters)),
  nospace: onText((value) => value.replace(/\s/g, '')),
  cat: { least: 0, most: Infinity, call: (values) => values.map(text).join(' ') },
  b64enc: onText((value) => Buffer.from(value).toString('base64')),
  b64dec: onText((value) => Buffer.from(value, 'base64').toString()),
  base: onText((value) => posix.basename(value) || '/'),
  dir: onText((value) => posix.dirname(posix.normalize(value))),
  regexFind: withText((pattern, value) => cachedRegex(pattern).find(value)?.groups[0] ?? ''),
  contains: withText((part, value) => value.includes(part)),
  hasPrefix: withText((prefix, value) => value.startsWith(prefix)),
  hasSuffix: withText((suffix, value) => value.endsWith(suffix)),
  replace: { least: 3, call: ([from, to, value]) => text(value).replaceAll(text(from), () => text(to)) },
  repeat: { least: 2, call: ([times, value]) => repeated(text(value), whole(times)) },
  trunc: {
    least: 2,
    call: ([length, value]) =>
      whole(length) < 0 ? text(value).slice(whole(length)) : text(value).slice(0, whole(length)),
  },
  quote: { least: 1, call: ([value]) => JSON.stringify(text(value)) },
  squote: { least: 1, call: ([value]) => `'${text(value)}'` },
  indent: { least: 2, call: ([width, value]) => indented(text(value), whole(width)) },
  nindent: { least: 2, call: ([width, value]) => `\n${indented(text(value), whole(width))}` },
  splitList: withText((separator, value) => value.split(separator)),
  join: { least: 2, call: ([separator, values]) => list(values).map(text).join(text(separator)) },
  default: { least: 1, most: 2, call: ([preset, value]) => (isTrue(value) ? value : preset) },
  empty: { least: 1, call: ([value]) => !isTrue(value) },
  coalesce: { least: 1, most: Infinity, call: (values) => values.find(isTrue) ?? null },
  ternary: { least: 3, call: ([yes, no, condition]) => (isTrue(condition) ? yes : no) },
  list: { least: 0, most: Infinity, call: (values) => values },
  first: { least: 1, call: ([values]) => list(values)[0] ?? null },
  last: { least: 1, call: ([values]) => list(values).at(-1) ?? null },
  rest: { least: 1, call: ([values]) => list(values).slice(1) },
  initial: { least: 1, call: ([values]) => list(values).slice(0, -1) },
  append: { least: 2, call: ([values, value]) => [...list(values), value] },
  prepend: { least: 2, call: ([values, value]) => [value, ...list(values)] },
  concat: { least: 0, most: Infinity, call: (values) => values.flatMap(list) },
  has: { least: 2, call: ([value, values]) => list(values).some((item) => same(item, value)) },
  without: {
    least: 1,
    most: Infinity,
    call: ([values, ...left]) => list(values).filter((item) => !left.some((other) => same(item, other))),
  },
  compact: { least: 1, call: ([values]) => list(values).filter(isTrue) },
  reverse: { least: 1, call: ([values]) => list(values).toReversed() },
  uniq: { least: 1, call: ([values]) => [...new Set(list(values))] },
  sortAlpha: { least: 1, call: ([values]) => list(values).map(text).sort() },
  untilStep: { least: 3, call: ([from, to, step]) => steps(whole(from), whole(to), whole(step)) },
  until: { least: 1, call: ([count]) => Array.from({ length: Math.min(whole(count), 100_000) }, (_, index) => index) },
  dict: { least: 0, most: Infinity, call: (values) => pairs(values) },
  get: { least: 2, call: ([values, key]) => own(map(values), text(key)) ?? '' },
  hasKey: { least: 2, call: ([values, key]) => Object.hasOwn(map(values), text(key)) },
  keys: { least: 1, call: ([values]) => Object.keys(map(values)).sort() },
  values: {
    least: 1,
    call: ([values]) =>
      Object.keys(map(values))
        .sort()
        .map((key) => map(values)[key]),
  },
  add: onNumbers(1, (values) => values.reduce((sum, value) => sum + value, 0)),
  sub: onNumbers(2, ([a = 0, b = 0]) => a - b),
  mul: onNumbers(1, (values) => values.reduce((product, value) => product * value, 1)),
  div: onNumbers(2, ([a = 0, b = 0]) => divided(a, b, (x, y) => Math.trunc(x / y))),
  mod: onNumbers(2, ([a = 0, b = 0]) => divided(a, b, (x, y) => x % y)),
  add1: { least: 1, call: ([value]) => whole(value) + 1 },
  max: onNumbers(1, (values) => Math.max(...values)),
  min: onNumbers(1, (values) => Math.min(...values)),
  int: { least: 1, call: ([value]) => whole(value) },
  atoi: { least: 1, call: ([value]) => whole(value) },
  toString: { least: 1, call: (values: readonly unknown[]) => text(values[0]) },
  toStrings: { least: 1, call: ([values]) => list(values).map(text) },
  toJson: { least: 1, call: ([value]) => JSON.stringify(value) },
};

/** As Go's text/template: nothing, zero and what is empty is false. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

export function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'list';
  const names: Readonly<Record<string, string>> = { string: 'text', object: 'mapping', boolean: 'true or false' };
  return names[typeof value] ?? typeof value;
}

function same(a: unknown, b: unknown): boolean {
  const basic = (value: unknown) => value === null || typeof value !== 'object';
  if (!basic(a) || !basic(b)) throw new Error(`cannot compare ${typeOf(a)} with ${typeOf(b)}`);
  if (a !== null && b !== null && typeof a !== typeof b)
    throw new Error(`cannot compare ${typeOf(a)} with ${typeOf(b)}`);
  return a === b;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return Array.isArray(value) ? value.length : Object.keys(map(value)).length;
}

function itemOf(value: unknown, key: unknown): unknown {
  if (!Array.isArray(value)) return own(map(value), text(key)) ?? null;
  const at = whole(key);
  if (at < 0 || at >= value.length) throw new Error(`there is no item ${at} in a list of ${value.length}`);
  return value[at];
}

function own(values: Mapping, key: string): unknown {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

function pairs(values: readonly unknown[]): Mapping {
  if (values.length % 2 === 1) throw new Error('needs a value for every key');
  return Object.fromEntries(
    Array.from({ length: values.length / 2 }, (_, index) => [text(values[index * 2]), values[index * 2 + 1]]),
  );
}

/** A space between two values neither of which is text. */
function printed(values: readonly unknown[]): string {
  const apart = (index: number) =>
    index > 0 && [values[index - 1], values[index]].every((one) => typeof one !== 'string');
  return values.map((value, index) => (apart(index) ? ` ${text(value)}` : text(value))).join('');
}

function sliced(value: unknown, from: unknown, to?: unknown): unknown {
  const all = typeof value === 'string' ? value : list(value);
  const [start, end] = [whole(from), to === undefined ? all.length : whole(to)];
  if (start < 0 || end < start || end > all.length) throw new Error(`there is no part ${start} to ${end}`);
  return all.slice(start, end);
}

function trimmed(value: string, letters: string): string {
  let [start, end] = [0, value.length];
  while (start < end && letters.includes(value.charAt(start))) start++;
  while (end > start && letters.includes(value.charAt(end - 1))) end--;
  return value.slice(start, end);
}

function steps(from: number, to: number, step: number): readonly number[] {
  const count = step === 0 ? 0 : Math.ceil((to - from) / step);
  return Array.from({ length: Math.max(0, Math.min(count, 100_000)) }, (_, index) => from + index * step);
}

function repeated(value: string, times: number): string {
  if (times < 0 || times * value.length > 1_000_000) throw new Error(`cannot repeat ${times} times`);
  return value.repeat(times);
}

function indented(value: string, width: number): string {
  return value.replaceAll(/^/gm, ' '.repeat(Math.max(0, Math.min(width, 1_000))));
}

function formatted(format: string, values: readonly unknown[]): string {
  let next = 0;
  const written = format.replace(/%(-?)(0?)(\d*)(?:\.(\d+))?([a-zA-Z%])/g, (all, left, zero, width, digits, verb) => {
    if (verb === '%') return '%';
    if (next >= values.length) throw new Error(`${all} has no value`);
    const value = values[next++];
    const plain = spelled(verb, value, digits === undefined ? undefined : Number(digits));
    const length = Math.min(Number(width), 1_000);
    return left ? plain.padEnd(length) : plain.padStart(length, zero ? '0' : ' ');
  });
  if (next < values.length) throw new Error(`has ${values.length - next} values too many`);
  return written;
}

function spelled(verb: string, value: unknown, digits: number | undefined): string {
  switch (verb) {
    case 's':
    case 'v':
      return text(value);
    case 'q':
      return JSON.stringify(text(value));
    case 't':
      return String(value === true);
    case 'd':
      return String(whole(value));
    case 'f':
      return number(value).toFixed(Math.min(digits ?? 6, 20));
    case 'x':
      return whole(value).toString(16);
    default:
      throw new Error(`%${verb} is not supported`);
  }
}
