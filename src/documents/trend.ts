import { parseRange, RangeSyntaxError, rangeSchema, type Unit } from '../steps/range.js';
import { durationProblem } from './duration.js';
import type { FromSchema, JsonSchema } from './json-schema.js';

export const trendShows = ['change', 'increase', 'rate', 'full-in'] as const;

/** One number of a step, followed from run to run. */
export const trendSchema = {
  type: 'object',
  description: 'A number of the step, compared with what it was in earlier runs.',
  properties: {
    metric: {
      type: 'string',
      minLength: 1,
      description: 'Name of the metric: `used` for every `used{…}`, `used{/var}` for one of them.',
      examples: ['used', 'used{/var}'],
    },
    show: {
      enum: trendShows,
      description:
        '`change` since the last run; `increase` of a counter since the last run; `rate` a second of a counter over the time of `over`; `full-in`: time until it reaches its end, if it goes on like this.',
    },
    over: {
      type: ['string', 'number'],
      description: 'How far back to look, for `rate` and `full-in`.',
      default: '24h',
      examples: ['24h', '7d'],
    },
    reaches: {
      type: ['string', 'number'],
      description: 'End for `full-in`. The largest possible value when absent.',
      examples: ['95%', 0, '500GiB'],
    },
    optional: {
      type: 'boolean',
      default: false,
      description: 'It is no matter when the step has no such metric. Otherwise that is unknown.',
    },
    warning: { ...rangeSchema('Warn when the trend is outside this range.'), examples: ['24h:', '0'] },
    critical: { ...rangeSchema('Fail when the trend is outside this range.'), examples: ['4h:', '0'] },
  },
  required: ['metric', 'show'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export type Trend = FromSchema<typeof trendSchema>;

const dimensions: readonly Unit[] = ['count', 'ratio', 'bytes', 'seconds', 'celsius'];

/** What no schema can say of a trend; paths start in it. The unit of its metric is not known before it is measured. */
export function trendProblems(trend: Trend): { path: string[]; what: string; hint: string }[] {
  const problems: { path: string[]; what: string; hint: string }[] = [];
  const units = trend.show === 'full-in' ? (['seconds'] as const) : dimensions;
  for (const name of ['warning', 'critical', 'reaches'] as const) {
    const value = trend[name];
    if (value === undefined || String(value).includes('${{')) continue;
    const errors = (name === 'reaches' ? dimensions : units).map((unit) => syntaxError(value, unit));
    if (errors.every((error) => error !== undefined))
      problems.push({ path: [name], what: errors[0] ?? '', hint: 'docs/checks.md explains thresholds' });
  }
  const length = String(trend.over).includes('${{') ? undefined : durationProblem(trend.over);
  if (length) problems.push({ path: ['over'], what: length.what, hint: length.hint ?? 'write 24h, 7d' });
  if (trend.reaches !== undefined && trend.show !== 'full-in')
    problems.push({ path: ['reaches'], what: 'belongs to `show: full-in`', hint: 'remove it' });
  return problems;
}

function syntaxError(value: string | number, unit: Unit): string | undefined {
  try {
    parseRange(value, unit);
    return undefined;
  } catch (error) {
    if (error instanceof RangeSyntaxError) return error.message;
    throw error;
  }
}
