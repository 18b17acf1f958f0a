import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema, unitNames } from '../../range.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { shownText } from '../dialogue.js';
import { caParam } from '../endpoint.js';
import { apiUrl, fetchJson, type Headers, headersParam, urlProblems } from '../fetch-json.js';
import { numberUnit } from '../query.js';
import { type QueryAnswer, readAnswer } from './answer.js';

const params = {
  type: 'object',
  properties: {
    url: {
      type: 'string',
      minLength: 1,
      description: 'Where Prometheus is, `http` or `https`, with the path in front of `/api/v1`.',
      examples: ['http://prometheus.example.com:9090', 'https://metrics.example.com/prometheus'],
    },
    query: {
      type: 'string',
      minLength: 1,
      description: 'Query in PromQL that gives a number now, or one for each of several series.',
      examples: ['max_over_time(up{job="web"}[5m])', 'sum by (instance) (rate(http_errors_total[5m]))'],
    },
    unit: {
      enum: [...unitNames, 'ratio'],
      default: 'count',
      description:
        'Unit of the numbers; `ratio` is from 0 to 1, `%` from 0 to 100. A limit without a unit is in it, too.',
    },
    warning: rangeSchema('Warn when a number is outside this range.'),
    critical: rangeSchema('Fail when a number is outside this range.'),
    empty: {
      enum: ['unknown', 'ok', 'failed'],
      default: 'unknown',
      description: 'What it means that the query finds no series. With `ok`, a misspelt query is ok for ever.',
    },
    headers: headersParam,
    ca: caParam,
    deadline: deadlineParam,
  },
  required: ['url', 'query'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'headers' | 'unit'> & {
  readonly headers: Headers;
  readonly unit: string;
};

export interface PrometheusData {
  readonly failure: ConnectionFailure | null;
  readonly answer: QueryAnswer | null;
  /** Seconds in all. */
  readonly seconds: number;
}

/** Most series that become metrics of the result. All are judged. */
const shownSeries = 50;

export default defineControllerStep<Params, PrometheusData>({
  kind: 'check.prometheus',
  summary: 'Limits on the numbers that a Prometheus query gives',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => {
    const { unit, bare } = numberUnit(given.unit);
    return [
      ...rangeProblems(given, { warning: { unit, bare }, critical: { unit, bare } }),
      ...urlProblems(given.url),
      ...(given.warning === undefined && given.critical === undefined && given.empty === 'unknown'
        ? [{ path: ['critical'], what: 'without a limit every number is ok', hint: 'add critical or warning' }]
        : []),
    ];
  },
  async call(given, { signal, dial }) {
    const { failure, status, json, seconds } = await fetchJson(
      apiUrl(given.url, '/api/v1/query', { query: given.query }),
      { ...given, dial },
      signal,
    );
    return { failure, answer: failure ? null : readAnswer(json, status), seconds };
  },
  judge({ failure, answer, seconds }, given) {
    const judged = (outcome: Judgement['outcome'], reason: string, summary: string): Judgement => ({
      outcome,
      reason,
      summary,
    });
    // The server is only where the numbers are: without it nothing is known of them.
    if (failure) return judged('unknown', failure.reason, `${given.url}: ${failure.detail}`);
    if (!answer) return judged('unknown', 'no-answer', `${given.url}: no answer`);
    if (answer.refused !== null)
      return judged('unknown', 'query-refused', `${given.url}: ${shownText(answer.refused, 200)}`);
    return judgeSeries(answer, seconds, given);
  },
});

function judgeSeries({ series, warnings }: QueryAnswer, seconds: number, given: Params): Judgement {
  const { unit, bare, factor } = numberUnit(given.unit);
  const limits = {
    warning: optionalRange(given.warning, unit, bare),
    critical: optionalRange(given.critical, unit, bare),
  };
  const numbers = series.map(({ name, value }) => ({ name: name || 'the number', value: value * factor }));
  const metrics = [
    ...numbers
      .filter(({ value }) => Number.isFinite(value))
      .slice(0, shownSeries)
      .map(({ name, value }) => metricOf(series.length === 1 ? 'value' : name, value, unit, limits)),
    metricOf('query', seconds, 'seconds', { min: 0 }),
  ];
  const judged = (outcome: Judgement['outcome'], reason: string, summary: string): Judgement => ({
    outcome,
    reason,
    summary,
    metrics,
  });

  const verdicts = numbers.map(({ name, value }) => ({
    name,
    value,
    ...judgeNumber(value, limits.warning, limits.critical),
  }));
  const broken = verdicts.filter(({ value }) => !Number.isFinite(value));
  for (const level of ['failed', 'warning'] as const) {
    const found = verdicts.filter((one) => one.level === level && Number.isFinite(one.value));
    const [first] = found;
    // A number that could not be measured weighs more than a warning, less than a failure.
    if (!first?.limit || (level === 'warning' && broken.length > 0)) continue;
    const others = found.length > 1 ? `, and ${found.length - 1} more of ${series.length} series` : '';
    const text = `${shownText(first.name)} is ${formatQuantity(first.value, unit)}, ${formatLimit(first.limit, unit)}${others}`;
    return judged(level, first.reason, text);
  }
  const [unclear] = broken;
  if (unclear)
    return judged('unknown', 'not-a-number', `${shownText(unclear.name)} is ${unclear.value}, not a number to judge`);
  const [warning] = warnings;
  if (warning !== undefined)
    return judged('unknown', 'partial-result', `the answer may lack series: ${shownText(warning, 200)}`);
  const [first] = numbers;
  if (!first) {
    const reason = given.empty === 'ok' ? 'ok' : 'no-series';
    return judged(given.empty, reason, 'the query finds no series');
  }
  if (numbers.length === 1)
    return judged('ok', 'ok', `${shownText(first.name)} is ${formatQuantity(first.value, unit)}`);
  const values = numbers.map(({ value }) => value);
  const span = [Math.min(...values), Math.max(...values)].map((value) => formatQuantity(value, unit)).join(' to ');
  return judged('ok', 'ok', `${numbers.length} series, ${span}`);
}
