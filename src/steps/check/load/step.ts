import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the load per processor over `minutes` is outside this range.'),
      default: 1.5,
      examples: [1.5, '0:1'],
    },
    critical: {
      ...rangeSchema('Fail when the load per processor over `minutes` is outside this range.'),
      default: 3,
      examples: [3],
    },
    minutes: { enum: [1, 5, 15], default: 5, description: 'Which of the three averages the limits are for.' },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface LoadData {
  readonly load1: number;
  readonly load5: number;
  readonly load15: number;
  readonly cores: number;
  /** Load per processor over the minutes asked for. */
  readonly perCore: number;
  /** Tasks in uninterruptible sleep; null when the host was not busy enough to look. */
  readonly blocked: number | null;
}

export default defineHostStep<FromSchema<typeof params>, LoadData>({
  kind: 'check.load',
  summary: 'Load average per processor',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { warning: 'count', critical: 'count' }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output, { minutes }) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    const [load1, load5, load15] = (values.get('load') ?? '').split(' ').map((part) => numberOf(part, 'load'));
    const cores = numberOf(values.get('cores'), 'cores');
    if (load1 === undefined || load5 === undefined || load15 === undefined || cores < 1)
      throw new UnreadableOutput('load averages or processors are missing');
    const blocked = values.get('blocked');
    return {
      load1,
      load5,
      load15,
      cores,
      perCore: { 1: load1, 5: load5, 15: load15 }[minutes] / cores,
      blocked: blocked === undefined ? null : numberOf(blocked, 'blocked'),
    };
  },
  judge(data, { warning, critical, minutes }) {
    const limits = { warning: optionalRange(warning, 'count'), critical: optionalRange(critical, 'count') };
    const { level, reason, limit } = judgeNumber(data.perCore, limits.warning, limits.critical);
    const load = formatQuantity(data.perCore, 'count');
    const parts = [`load ${load} per processor over ${minutes} min`];
    if (limit) parts.push(formatLimit(limit, 'count'));
    if (data.blocked) parts.push(`${data.blocked} ${data.blocked === 1 ? 'task' : 'tasks'} blocked on I/O`);
    return {
      outcome: level,
      reason,
      summary: parts.join(', '),
      metrics: [
        metricOf('per-core', data.perCore, 'count', { ...limits, min: 0 }),
        metricOf('load1', data.load1, 'count', { min: 0 }),
        metricOf('load5', data.load5, 'count', { min: 0 }),
        metricOf('load15', data.load15, 'count', { min: 0 }),
        metricOf('cores', data.cores, 'count', { min: 1 }),
        ...(data.blocked === null ? [] : [metricOf('blocked', data.blocked, 'count', { min: 0 })]),
      ],
    };
  },
});
