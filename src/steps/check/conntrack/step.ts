import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { judgeIssues, measure } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the used part of the table is outside this range.'),
      default: '75%',
      examples: ['75%'],
    },
    critical: {
      ...rangeSchema('Fail when the used part of the table is outside this range.'),
      default: '90%',
      examples: ['90%'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface ConntrackData {
  readonly count: number;
  /** 0 stands for no limit. */
  readonly max: number;
}

export default defineHostStep<FromSchema<typeof params>, ConntrackData>({
  kind: 'check.conntrack',
  summary: 'Room in the table of tracked connections',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { warning: 'ratio', critical: 'ratio' }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    const data = { count: numberOf(values.get('count'), 'count'), max: numberOf(values.get('max'), 'max') };
    if (data.max < 0) throw new UnreadableOutput('the size of the table is less than nothing');
    return data;
  },
  judge({ count, max }, { warning, critical }) {
    if (max === 0)
      return {
        outcome: 'ok',
        reason: 'ok',
        summary: `${count} connections are tracked, without a limit`,
        metrics: [metricOf('connections', count, 'count', { min: 0 })],
      };
    const phrase = (part: string) => `${count} of ${max} connections are tracked (${part})`;
    const used = measure('used', count / max, 'ratio', { warning, critical, min: 0, max: 1 }, phrase);
    return judgeIssues(used.issues, {
      calm: phrase(formatQuantity(count / max, 'ratio')),
      metrics: [used.metric, metricOf('connections', count, 'count', { min: 0, max })],
    });
  },
});
