import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { judgeIssues, measure } from '../issues.js';
import { type ClockData, readClock } from './answers.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the time between the clock and its source is outside this range; a number is seconds.'),
      default: '100ms',
      examples: ['100ms'],
    },
    critical: {
      ...rangeSchema('Fail when the time between the clock and its source is outside this range; a number is seconds.'),
      default: '1s',
      examples: ['1s'],
    },
    'warning-age': {
      ...rangeSchema('Warn when the time since the clock was last compared with its source is outside this range.'),
      default: '3h',
      examples: ['3h'],
    },
    'critical-age': {
      ...rangeSchema('Fail when the time since the clock was last compared with its source is outside this range.'),
      examples: ['1d'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export default defineHostStep<FromSchema<typeof params>, ClockData>({
  kind: 'check.clock',
  summary: 'The clock is synchronised, and how far it is off',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      'warning-age': 'seconds',
      'critical-age': 'seconds',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse: readClock,
  judge(data, given) {
    const { service, offset, age, stratum, source } = data;
    if (!data.running)
      return { outcome: 'failed', reason: 'time-service-stopped', summary: `${service} is installed and does not run` };
    if (!data.synchronised)
      return { outcome: 'failed', reason: 'not-synchronised', summary: `the clock is not synchronised (${service})` };
    if (data.ownSource)
      return {
        outcome: 'failed',
        reason: 'not-synchronised',
        summary: `the clock follows no source but itself (${service})`,
      };
    const off =
      offset === null
        ? null
        : measure(
            'offset',
            offset,
            'seconds',
            { warning: given.warning, critical: given.critical, min: 0 },
            (time) => `the clock is ${time} off (${service})`,
          );
    const old =
      age === null
        ? null
        : measure(
            'age',
            age,
            'seconds',
            { warning: given['warning-age'], critical: given['critical-age'], min: 0 },
            (time) => `the clock was last compared ${time} ago (${service})`,
          );
    const from = source ? ` with ${source}` : '';
    return judgeIssues([...(off?.issues ?? []), ...(old?.issues ?? [])], {
      calm: `the clock is synchronised${from}, ${formatQuantity(offset ?? 0, 'seconds')} off (${service})`,
      metrics: [
        ...(off ? [off.metric] : []),
        ...(old ? [old.metric] : []),
        ...(stratum === null ? [] : [metricOf('stratum', stratum, 'count', { min: 0 })]),
      ],
    });
  },
});
