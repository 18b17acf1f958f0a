import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { judgeIssues, measure } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the time since the start is outside this range; a number is seconds.'),
      examples: ['10m:', '180d'],
    },
    critical: {
      ...rangeSchema('Fail when the time since the start is outside this range; a number is seconds.'),
      examples: ['5m:', '365d'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface UptimeData {
  /** Seconds. */
  readonly uptime: number;
  /** Differs after every start; null where the kernel does not tell. */
  readonly boot: string | null;
}

export default defineHostStep<FromSchema<typeof params>, UptimeData>({
  kind: 'check.uptime',
  summary: 'Time since the host started',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    return { uptime: numberOf(values.get('uptime'), 'uptime'), boot: values.get('boot') ?? null };
  },
  judge({ uptime }, { warning, critical }) {
    const phrase = (quantity: string) => `started ${quantity} ago`;
    const { metric, issues } = measure('uptime', uptime, 'seconds', { warning, critical, min: 0 }, phrase);
    return judgeIssues(issues, { calm: phrase(formatQuantity(uptime, 'seconds')), metrics: [metric] });
  },
});
