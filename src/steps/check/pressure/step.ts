import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import type { Metric } from '../../../result/result.schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, measure } from '../issues.js';

const resources = ['cpu', 'memory', 'io'] as const;
type Resource = (typeof resources)[number];

const params = {
  type: 'object',
  properties: {
    'warning-memory': {
      ...rangeSchema('Warn when the part of the time that some task waits for memory is outside this range.'),
      default: '10%',
      examples: ['10%'],
    },
    'critical-memory': {
      ...rangeSchema('Fail when the part of the time that some task waits for memory is outside this range.'),
      default: '25%',
      examples: ['25%'],
    },
    'warning-io': {
      ...rangeSchema('Warn when the part of the time that some task waits for a disk is outside this range.'),
      examples: ['40%'],
    },
    'critical-io': {
      ...rangeSchema('Fail when the part of the time that some task waits for a disk is outside this range.'),
      examples: ['80%'],
    },
    'warning-cpu': {
      ...rangeSchema('Warn when the part of the time that some task waits for a processor is outside this range.'),
      examples: ['60%'],
    },
    'critical-cpu': {
      ...rangeSchema('Fail when the part of the time that some task waits for a processor is outside this range.'),
      examples: ['95%'],
    },
    seconds: { enum: [10, 60, 300], default: 60, description: 'Which of the three averages the limits are for.' },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface PressureData {
  /** Part of the time that some task, or every task, waited; null where the kernel does not tell. */
  readonly some: Readonly<Record<Resource, number | null>>;
  readonly full: Readonly<Record<Resource, number | null>>;
}

const waits: Readonly<Record<Resource, string>> = { cpu: 'a processor', memory: 'memory', io: 'a disk' };

export default defineHostStep<FromSchema<typeof params>, PressureData>({
  kind: 'check.pressure',
  summary: 'Part of the time that tasks wait for processor, memory or disk',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(
      given,
      Object.fromEntries(
        resources.flatMap((resource) => [
          [`warning-${resource}`, 'ratio' as const],
          [`critical-${resource}`, 'ratio' as const],
        ]),
      ),
    ),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output, { seconds }) {
    expectSuccess(output);
    const lines = new Map(tabbedLines(output));
    const part = (key: string) => {
      const averages = lines.get(key);
      if (averages === undefined) return null;
      return numberOf(new RegExp(`(?:^| )avg${seconds}=(\\S+)`).exec(averages)?.[1], key) / 100;
    };
    const of = (kind: string) => ({ cpu: part(`cpu-${kind}`), memory: part(`memory-${kind}`), io: part(`io-${kind}`) });
    const data = { some: of('some'), full: of('full') };
    if (resources.every((resource) => data.some[resource] === null))
      throw new UnreadableOutput('the averages are missing');
    return data;
  },
  judge(data, given) {
    const metrics: Metric[] = [];
    const issues: Issue[] = [];
    for (const resource of resources) {
      const value = data.some[resource];
      const limits = { warning: given[`warning-${resource}`], critical: given[`critical-${resource}`] };
      if (value !== null) {
        const measured = measure(
          resource,
          value,
          'ratio',
          { ...limits, min: 0, max: 1 },
          (quantity) => `tasks wait for ${waits[resource]} ${quantity} of the time`,
        );
        metrics.push(measured.metric);
        issues.push(...measured.issues);
      } else if (limits.warning !== undefined || limits.critical !== undefined) {
        // Somebody asked for it, so its absence is not fine.
        issues.push({
          outcome: 'unknown',
          reason: 'not-measured',
          text: `the kernel does not tell the pressure on ${resource}`,
        });
      }
    }
    const full = resources.flatMap((resource) => {
      const value = data.full[resource];
      return value === null ? [] : [metricOf(`${resource}-full`, value, 'ratio', { min: 0, max: 1 })];
    });
    const parts = resources.flatMap((resource) => {
      const value = data.some[resource];
      return value === null ? [] : [`${formatQuantity(value, 'ratio')} for ${waits[resource]}`];
    });
    return judgeIssues(issues, { calm: `tasks wait ${parts.join(', ')}`, metrics: [...metrics, ...full] });
  },
});
