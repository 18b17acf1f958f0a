import { nearest } from '../../../documents/nearest.js';
import { cachedRegex, RegexError } from '../../../expressions/regex.js';
import { readGjsonPath } from './gjson.js';
import { readVersionRange } from './semver.js';

/** What an attribute should be. `expected` is how the goss file says it. */
export type Matcher = { readonly expected: unknown } & (
  | { readonly type: 'text' | 'equal' | 'have-prefix' | 'have-suffix' | 'match-regexp' | 'contain-substring' }
  | {
      readonly type:
        | 'number'
        | 'boolean'
        | 'gt'
        | 'ge'
        | 'lt'
        | 'le'
        | 'have-len'
        | 'semver-constraint'
        | 'have-patterns';
    }
  | { readonly type: 'contain-element' | 'have-key' | 'not'; readonly inner: Matcher }
  | { readonly type: 'contain-elements' | 'consist-of' | 'and' | 'or'; readonly list: readonly Matcher[] }
  | { readonly type: 'have-key-with-value' | 'gjson'; readonly entries: readonly (readonly [string, Matcher])[] }
);

export interface MatcherProblem {
  readonly path: readonly (string | number)[];
  readonly part?: 'key';
  readonly what: string;
  readonly hint: string;
}

type Report = (problem: MatcherProblem) => void;
type Path = MatcherProblem['path'];
type Reader = (value: unknown, path: Path, report: Report) => Matcher | undefined;

const textual =
  (type: Extract<Matcher['type'], `have-${string}` | 'match-regexp' | 'contain-substring'>): Reader =>
  (value, path, report) => {
    if (typeof value === 'string') return { type, expected: { [type]: value } } as Matcher;
    return refuse(report, path, `\`${type}\` takes text`, 'write text, in quotes where YAML reads something else');
  };
const numeric =
  (type: 'gt' | 'ge' | 'lt' | 'le'): Reader =>
  (value, path, report) => {
    if (typeof value === 'number') return { type, expected: { [type]: value } };
    return refuse(report, path, `\`${type}\` takes a number`, 'write a number, without quotes');
  };
const single =
  (type: 'have-key' | 'not' | 'contain-element'): Reader =>
  (value, path, report) => {
    const inner = readMatcher(value, path, report);
    return inner && { type, inner, expected: { [type]: value } };
  };
const several =
  (type: 'contain-elements' | 'consist-of' | 'and' | 'or'): Reader =>
  (value, path, report) => {
    if (!Array.isArray(value) || value.length === 0)
      return refuse(
        report,
        path,
        `\`${type}\` takes a list of matchers`,
        'write every matcher as an item, such as `- gt: 50`',
      );
    const list = readList(value, path, report);
    return list && { type, list, expected: { [type]: value } };
  };
const keyed =
  (type: 'have-key-with-value' | 'gjson'): Reader =>
  (value, path, report) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return refuse(report, path, `\`${type}\` takes a mapping`, 'write names and what their values should be');
    const entries = Object.entries(value).map(([key, item]) => {
      const wrong = type === 'gjson' ? gjsonProblem(key) : undefined;
      if (wrong)
        report({
          path: [...path, key],
          part: 'key',
          what: wrong,
          hint: 'write a path of keys and indexes such as `items.0.name`',
        });
      return [key, readMatcher(item, [...path, key], report)] as const;
    });
    const known = entries.flatMap(([key, matcher]) => (matcher ? [[key, matcher] as const] : []));
    return { type, entries: known, expected: { [type]: value } };
  };

const readers: Readonly<Record<string, Reader>> = {
  equal: (value) => ({ type: 'equal', expected: { equal: value } }),
  'have-prefix': textual('have-prefix'),
  'have-suffix': textual('have-suffix'),
  'contain-substring': textual('contain-substring'),
  'match-regexp': (value, path, report) => {
    if (typeof value === 'string' && regexFails(value, path, report)) return undefined;
    return textual('match-regexp')(value, path, report);
  },
  'semver-constraint': (value, path, report) => {
    const wrong = typeof value === 'string' ? constraintProblem(value) : '`semver-constraint` takes text';
    if (wrong) return refuse(report, path, wrong, 'write a range such as ">=1.2.0 <2.0.0 || >3.0.0"');
    return { type: 'semver-constraint', expected: { 'semver-constraint': value } };
  },
  'have-len': (value, path, report) => {
    if (typeof value === 'number' && Number.isInteger(value))
      return { type: 'have-len', expected: { 'have-len': value } };
    return refuse(report, path, '`have-len` takes a whole number', 'write a number, without quotes');
  },
  'have-patterns': (value, path, report) => readPatterns(value, path, report),
  gt: numeric('gt'),
  ge: numeric('ge'),
  lt: numeric('lt'),
  le: numeric('le'),
  'have-key': single('have-key'),
  not: single('not'),
  'contain-element': single('contain-element'),
  'contain-elements': several('contain-elements'),
  'consist-of': several('consist-of'),
  and: several('and'),
  or: several('or'),
  'have-key-with-value': keyed('have-key-with-value'),
  gjson: keyed('gjson'),
};

/** Reads a matcher as a goss file writes it. Undefined when something is wrong, which has been reported then. */
export function readMatcher(value: unknown, path: Path, report: Report): Matcher | undefined {
  if (typeof value === 'string') return { type: 'text', expected: value };
  if (typeof value === 'number') return { type: 'number', expected: value };
  if (typeof value === 'boolean') return { type: 'boolean', expected: value };
  if (Array.isArray(value)) {
    const list = readList(value, path, report);
    return list && { type: 'contain-elements', list, expected: value };
  }
  if (typeof value !== 'object' || value === null)
    return refuse(report, path, 'a value or a matcher is missing', 'write what it should be, or remove the key');
  const [first, ...others] = Object.keys(value);
  if (first === undefined) return refuse(report, path, 'a matcher is missing', 'write one such as `have-prefix: x`');
  const read = Object.hasOwn(readers, first) ? readers[first] : undefined;
  if (!read) {
    const meant = nearest(first, Object.keys(readers));
    const hint = meant ? `did you mean \`${meant}\`?` : `matchers are ${Object.keys(readers).join(', ')}`;
    return refuse(report, [...path, first], `unknown matcher \`${first}\``, hint, 'key');
  }
  if (others.length > 0)
    return refuse(
      report,
      [...path, others[0] as string],
      `\`${first}\` and \`${others[0]}\` stand side by side`,
      'write `and:` with one matcher an item',
      'key',
    );
  return read((value as Readonly<Record<string, unknown>>)[first], [...path, first], report);
}

/** The matcher of `contents`, `stdout` and the like. A list below `not`, `and` or `or` would not be read as patterns. */
export function readTextMatcher(value: unknown, path: Path, report: Report): Matcher | undefined {
  const list = listBelow(value, path);
  if (list)
    return refuse(
      report,
      list,
      'a list stands for patterns only directly at its attribute',
      'write `have-patterns:` before it, or `contain-elements:` for whole lines',
    );
  return readMatcher(value, path, report);
}

function listBelow(value: unknown, path: Path): Path | undefined {
  if (Array.isArray(value)) return path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const branches = ['and', 'or'].includes(name) && Array.isArray(inner) ? [...inner.entries()] : [];
    const found =
      name === 'not'
        ? listBelow(inner, [...path, name])
        : branches.map(([index, item]) => listBelow(item, [...path, name, index])).find(Boolean);
    if (found) return found;
  }
  return undefined;
}

/** The patterns of `contents`, `stdout` and the like, when they are a list. */
export function readPatterns(value: unknown, path: Path, report: Report): Matcher | undefined {
  if (!Array.isArray(value))
    return refuse(report, path, '`have-patterns` takes a list of patterns', 'write every pattern as an item');
  let good = true;
  for (const [index, pattern] of value.entries()) {
    if (typeof pattern !== 'string') {
      refuse(report, [...path, index], 'a pattern is text', 'put it in quotes, or write `and:` with matchers');
      good = false;
    } else {
      const { regex } = readPattern(pattern);
      if (regex !== undefined && regexFails(regex, [...path, index], report)) good = false;
    }
  }
  return good ? { type: 'have-patterns', expected: value } : undefined;
}

export interface Pattern {
  readonly absent: boolean;
  readonly regex?: string;
  readonly text: string;
}

/** `foo`, `!foo`, `/regex/`, `!/regex/`; a backslash in front takes the meaning from what follows. */
export function readPattern(pattern: string): Pattern {
  const absent = pattern.startsWith('!');
  const body = absent ? pattern.slice(1) : pattern;
  if (body.length > 1 && body.startsWith('/') && body.endsWith('/'))
    return { absent, regex: body.slice(1, -1), text: body };
  return { absent, text: /^\\[!/\\]/.test(body) ? body.slice(1) : body };
}

function readList(values: readonly unknown[], path: Path, report: Report): Matcher[] | undefined {
  const list = values.map((value, index) => readMatcher(value, [...path, index], report));
  return list.every((matcher) => matcher !== undefined) ? list : undefined;
}

function regexFails(source: string, path: Path, report: Report): boolean {
  try {
    cachedRegex(source);
    return false;
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    report({ path, what: `not a regular expression: ${error.message}`, hint: 'patterns are RE2 syntax' });
    return true;
  }
}

function constraintProblem(source: string): string | undefined {
  return readVersionRange(source) ? undefined : `"${source}" is no range of versions`;
}

function gjsonProblem(path: string): string | undefined {
  return readGjsonPath(path) ? undefined : `the path "${path}" is not supported`;
}

function refuse(report: Report, path: Path, what: string, hint: string, part?: 'key'): undefined {
  report({ path, what, hint, ...(part && { part }) });
}
