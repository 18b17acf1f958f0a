import type { FromSchema, JsonSchema } from '../../documents/json-schema.js';
import type { Metric } from '../../result/result.schema.js';
import { formatLimit, formatQuantity } from '../quantity.js';
import {
  dimensionOf,
  judgeNumber,
  metricOf,
  optionalRange,
  rangeProblems,
  rangeSchema,
  type Unit,
  unitNames,
} from '../range.js';
import type { StepProblem } from '../step.js';
import { ServerFault, shownText } from './dialogue.js';
import { type Issue, unclear, wrong } from './issues.js';

/** Parameters of a query of the user's own, for the kinds that speak SQL. */
export const queryParams = {
  query: {
    type: 'string',
    minLength: 1,
    description:
      'Query that reads: SELECT, WITH, VALUES, TABLE or SHOW. The first column is what is judged, the second, where there is one, the name of the row.',
    examples: ["SELECT count(*), queue FROM jobs WHERE state = 'failed' GROUP BY queue"],
  },
  'query-unit': {
    enum: [...unitNames, 'ratio'],
    default: 'count',
    description:
      'Unit of the numbers of `query`; `ratio` is from 0 to 1, `%` from 0 to 100. A limit without a unit is in it, too.',
  },
  'query-warning': { ...rangeSchema('Warn when a number of `query` is outside this range.'), examples: [100, '5:'] },
  'query-critical': { ...rangeSchema('Fail when a number of `query` is outside this range.'), examples: [1000, '1:'] },
  equals: {
    type: ['string', 'number', 'boolean'],
    description: 'Fail when the first column of a row of `query` is not this text, number or truth.',
    examples: [true, 'done'],
  },
  empty: {
    enum: ['unknown', 'ok', 'failed'],
    default: 'unknown',
    description: 'What it means that `query` finds no rows.',
  },
} as const satisfies Readonly<Record<string, JsonSchema>>;

type Given = FromSchema<{
  readonly type: 'object';
  readonly properties: typeof queryParams;
  readonly additionalProperties: false;
}>;

/** What the server gave for the query. */
export interface QueryAnswer {
  /** Every row as text, as the server has it; null is NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** There were more rows than are read. */
  readonly more: boolean;
  /** Why there is no answer, in words of ours: those of a server may repeat the query. */
  readonly refused: { readonly reason: string; readonly detail: string } | null;
}

/** Most rows of a query that are read. */
export const mostRows = 1_000;

/** Most rows that become metrics of the result. All are judged. */
const shownRows = 50;

/** A server that is given this part of the deadline ends the query before we end the connection. */
export const queryShare = 0.9;

const reading = /^[\s(]*(?:select|with|values|table|show)\b/i;
/** A SELECT that writes a file of the server, which no transaction forbids. */
const writing = /\b(?:outfile|dumpfile)\b/i;

/** What is kept of rows: two columns, and no more than could be of use. */
export function answerOf(rows: readonly (readonly (string | null)[])[]): QueryAnswer {
  const cut = rows.slice(0, mostRows).map((row) => row.slice(0, 2).map((cell) => cell?.slice(0, 1_000) ?? null));
  return { rows: cut, more: rows.length > mostRows, refused: null };
}

export function refusedQuery(reason: string, detail: string): QueryAnswer {
  return { rows: [], more: false, refused: { reason, detail } };
}

/** Asks, unless it is a statement that does more than to read. */
export async function askReading(query: string, ask: () => Promise<QueryAnswer>): Promise<QueryAnswer> {
  if (!isReading(query)) return refusedQuery('query-refused', 'is not one that only reads');
  try {
    return await ask();
  } catch (error) {
    // That we read no more is no fault of the server.
    if (!(error instanceof ServerFault) || error.reason !== 'too-large') throw error;
    return refusedQuery('too-large', 'gives more than is read here');
  }
}

/** Whether it is a statement that reads. The transaction that it runs in forbids the rest. */
function isReading(query: string): boolean {
  return reading.test(query) && !writing.test(query);
}

/** What is wrong with the parameters, for a kind's `validate`. */
export function queryProblems(given: Given): StepProblem[] {
  const { unit, bare } = numberUnit(given['query-unit']);
  const { query, equals } = given;
  const limited = given['query-warning'] !== undefined || given['query-critical'] !== undefined;
  const problem = (path: string, what: string, hint: string): StepProblem => ({ path: [path], what, hint });
  const problems: StepProblem[] = rangeProblems(given, {
    'query-warning': { unit, bare },
    'query-critical': { unit, bare },
  });
  if (query === undefined) {
    const orphan = (['query-warning', 'query-critical', 'equals'] as const).find((name) => given[name] !== undefined);
    return orphan ? [...problems, problem(orphan, 'there is no query', 'add a query that gives the number')] : problems;
  }
  if (!query.includes('${{') && !isReading(query))
    problems.push(problem('query', 'not a query that only reads', 'begin with SELECT, WITH, VALUES, TABLE or SHOW'));
  if (limited && equals !== undefined)
    problems.push(problem('equals', 'limits are for numbers, equals is for one value', 'give one of them'));
  if (!limited && equals === undefined && given.empty === 'unknown')
    problems.push(
      problem('query', 'without a limit every answer is ok', 'add query-critical, query-warning or equals'),
    );
  return problems;
}

export interface JudgedQuery {
  readonly issues: readonly Issue[];
  readonly metrics: readonly Metric[];
  /** Part of the summary when nothing is wrong. */
  readonly text: string;
}

/** Each row against the limits, or the value that it must have. What cannot be judged is unknown. */
export function judgeQuery({ rows, more, refused }: QueryAnswer, given: Given): JudgedQuery {
  const only = (...issues: Issue[]): JudgedQuery => ({ issues, metrics: [], text: '' });
  if (refused) return only(unclear(refused.reason, `the query ${refused.detail}`));
  if (more) return only(unclear('too-many-rows', `the query gives more than ${mostRows} rows`));
  if (rows.length === 0) {
    const text = 'the query finds no rows';
    return given.empty === 'ok'
      ? { issues: [], metrics: [], text }
      : only({ outcome: given.empty, reason: 'no-rows', text });
  }
  const named = rows.map(([value = null, label]) => ({ value, label }));
  const labels = named.map(({ label }) => label);
  if (rows.length > 1 && (labels.some((label) => label == null) || new Set(labels).size < labels.length))
    return only(
      unclear('no-label', `the query gives ${rows.length} rows without a name for each, add a second column with one`),
    );
  const shown = named.map(({ value, label }) => ({
    value,
    label: label == null ? null : shownText(label),
    name: label == null ? 'the query gives' : `${shownText(label)} is`,
  }));
  return given.equals === undefined ? judgeNumbers(shown, given) : judgeValues(shown, given.equals);
}

interface NamedValue {
  readonly value: string | null;
  readonly label: string | null;
  readonly name: string;
}

function judgeNumbers(rows: readonly NamedValue[], given: Given): JudgedQuery {
  const { unit, bare, factor } = numberUnit(given['query-unit']);
  const limits = {
    warning: optionalRange(given['query-warning'], unit, bare),
    critical: optionalRange(given['query-critical'], unit, bare),
  };
  const issues: Issue[] = [];
  const metrics: Metric[] = [];
  const good: number[] = [];
  for (const { value, label, name } of rows) {
    const number =
      value !== null && /^\s*-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) * factor : NaN;
    if (!Number.isFinite(number)) {
      const text = value === null ? 'NULL' : `"${shownText(value)}"`;
      issues.push(unclear('not-a-number', `${name} ${text}, not a number`));
      continue;
    }
    if (metrics.length < shownRows)
      metrics.push(metricOf(label === null ? 'value' : `value{${label}}`, number, unit, limits));
    const { level, reason, limit } = judgeNumber(number, limits.warning, limits.critical);
    const text = `${name} ${formatQuantity(number, unit)}`;
    if (level !== 'ok' && limit) issues.push({ outcome: level, reason, text: `${text}, ${formatLimit(limit, unit)}` });
    else good.push(number);
  }
  const span = [...new Set([Math.min(...good), Math.max(...good)])].map((number) => formatQuantity(number, unit));
  return {
    issues,
    metrics,
    text: `the query gives ${rows.length > 1 ? `${rows.length} rows, ` : ''}${span.join(' to ')}`,
  };
}

function judgeValues(rows: readonly NamedValue[], wanted: string | number | boolean): JudgedQuery {
  const issues = rows.flatMap(({ value, name }): Issue[] => {
    if (value === null) return [unclear('no-value', `${name} NULL`)];
    if (isEqual(value, wanted)) return [];
    return [wrong('not-equal', `${name} "${shownText(value)}", should be ${shownText(String(wanted))}`)];
  });
  const count = rows.length > 1 ? `${rows.length} times ` : '';
  return { issues, metrics: [], text: `the query gives ${count}${shownText(String(wanted))}` };
}

const truths: Readonly<Record<string, boolean>> = {
  t: true,
  true: true,
  1: true,
  on: true,
  yes: true,
  f: false,
  false: false,
  0: false,
  off: false,
  no: false,
};

/** Servers have their own words for true and false: `t`, `1`, `ON`. */
function isEqual(value: string, wanted: string | number | boolean): boolean {
  if (typeof wanted === 'boolean') return truths[value.toLowerCase()] === wanted;
  if (typeof wanted === 'number') return value.trim() !== '' && Number(value) === wanted;
  return value === wanted;
}

/** The dimension of numbers that come without one, and the factor to its base unit. */
export function numberUnit(name: string): { unit: Unit; bare: string; factor: number } {
  if (name === 'ratio') return { unit: 'ratio', bare: '', factor: 1 };
  return { ...dimensionOf(name), bare: name === 'count' ? '' : name };
}
