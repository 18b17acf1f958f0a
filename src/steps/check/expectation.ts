import { quote } from '../../documents/source.js';
import { cachedRegex } from '../../expressions/regex.js';
import { Secret } from '../../secrets/secret.js';
import { listPatterns, type Patterns } from '../patterns.js';
import { formatLimit } from '../quantity.js';
import { isOutside, parseRange } from '../range.js';
import type { TextOrSecret } from '../secret-param.js';

/** What one value must be. */
export interface Expectation {
  readonly at: string;
  readonly state: 'present' | 'absent';
  readonly equals?: TextOrSecret | undefined;
  readonly matches?: Patterns;
  /** Outside is wrong. */
  readonly range?: string | number | undefined;
  /** Outside is a warning. */
  readonly warning?: string | number | undefined;
  readonly sensitive: boolean;
}

/** How it is. Nothing in it is a secret. */
export interface Finding {
  readonly at: string;
  /** The values; `hidden` in place of each that may be a secret. */
  readonly found: readonly string[];
  /** The number that a range is for. */
  readonly number: number | null;
  /** Reason and text of what is wrong. */
  readonly wrong: { readonly outcome: 'failed' | 'warning'; readonly reason: string; readonly text: string } | null;
}

const secretName =
  /pass(?:w|ph|$|[^a-z])|passwd|pwd|secret|token|credential|api[._-]?key|(?:private|access|account|encryption|signing)[._-]?key|auth|dsn|connection[._-]?string|community/i;
/** A login in a URL, a key file, a long-lived token. What is shown is shorter than what it looks at. */
const secretValue =
  /:\/\/[^\s/:@]*:[^\s/@]+@|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{10,}\.|\b(?:ghp|glpat|xox[abp])[-_]/;

/** Holds the values at a path against what they must be. Each of them has to be right. */
export function meet(expectation: Expectation, values: readonly unknown[], typed: boolean): Finding {
  const { at, state } = expectation;
  const hidden = (value: unknown) =>
    expectation.sensitive ||
    expectation.equals instanceof Secret ||
    secretName.test(at) ||
    (typeof value === 'string' && secretValue.test(value.slice(0, 1_000)));
  const found = values.slice(0, 100).map((value) => (hidden(value) ? 'hidden' : shown(value)));
  const isNumber = expectation.range !== undefined || expectation.warning !== undefined;
  const number = values.length === 1 && isNumber && !hidden(values[0]) ? numberIn(values[0]) : null;
  const said = (reason: string, text: string, outcome: 'failed' | 'warning' = 'failed'): Finding => ({
    at,
    found,
    number,
    wrong: { outcome, reason, text },
  });
  if (state === 'absent') {
    if (values.length === 0) return { at, found, number: null, wrong: null };
    return said('present', `${at} is set${hidden(values[0]) ? '' : ` to ${found[0]}`}, should be absent`);
  }
  if (values.length === 0) return said('absent', `${at} is not set`);
  for (const value of values) {
    const wrong = mismatch(expectation, value, typed, hidden(value));
    if (wrong) return said(...wrong);
  }
  for (const value of values) {
    const text = limitText(expectation, expectation.warning, value, hidden(value));
    if (text !== undefined) return said('out-of-range', text, 'warning');
  }
  return { at, found, number, wrong: null };
}

function mismatch(
  expectation: Expectation,
  value: unknown,
  typed: boolean,
  hidden: boolean,
): readonly [reason: string, text: string] | undefined {
  const { at, equals, matches, range, warning } = expectation;
  const isNumber = range !== undefined || warning !== undefined;
  if (equals === undefined && matches === undefined && !isNumber) return undefined;
  if (typeof value === 'object' && value !== null)
    return ['not-a-value', `${at} is a ${Array.isArray(value) ? 'list' : 'map'}, should be one value`];
  const text = String(value);
  if (equals !== undefined && !isEqual(equals, value, typed)) {
    const wanted = equals instanceof Secret ? equals.reveal((plain) => plain.length) : String(equals).length;
    return [
      'not-equal',
      hidden
        ? `${at} differs (${text.length === wanted ? `both have ${wanted}` : `${text.length} characters, should be ${wanted}`})`
        : `${at} is ${shown(value)}, should be ${shown(typed ? equals : String(equals))}`,
    ];
  }
  const missing = listPatterns(matches).find((pattern) => !cachedRegex(pattern).test(text));
  if (missing !== undefined)
    return [
      'no-match',
      hidden
        ? `${at} does not match (${text.length} characters)`
        : `${at} is ${shown(value)}, should match /${missing.slice(0, 80)}/`,
    ];
  if (isNumber && numberIn(value) === null)
    return ['not-a-number', `${at} is ${hidden ? 'not a number' : `${shown(value)}, should be a number`}`];
  const outside = limitText(expectation, range, value, hidden);
  return outside === undefined ? undefined : ['out-of-range', outside];
}

/** What to say of a number that is outside a range. */
function limitText(
  { at }: Expectation,
  range: string | number | undefined,
  value: unknown,
  hidden: boolean,
): string | undefined {
  const number = range === undefined ? null : numberIn(value);
  if (range === undefined || number === null) return undefined;
  const limits = parseRange(range, 'count');
  if (!isOutside(limits, number)) return undefined;
  return `${at} is ${hidden ? 'out of range' : `${shown(value)}, ${formatLimit(limits, 'count')}`}`;
}

function numberIn(value: unknown): number | null {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return null;
  const number = String(value).trim() === '' ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : null;
}

function isEqual(wanted: TextOrSecret, value: unknown, typed: boolean): boolean {
  if (wanted instanceof Secret) return wanted.reveal((plain) => plain === String(value));
  return typed ? wanted === value : String(wanted) === String(value);
}

function shown(value: unknown): string {
  return quote(value);
}
