import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { judgeIssues, measure } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the randomness that the kernel has, in bits, is outside this range.'),
      default: '200:',
      examples: ['200:'],
    },
    critical: {
      ...rangeSchema('Fail when the randomness that the kernel has, in bits, is outside this range.'),
      default: '100:',
      examples: ['100:'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface EntropyData {
  /** Bits. */
  readonly available: number;
  readonly size: number;
}

export default defineHostStep<FromSchema<typeof params>, EntropyData>({
  kind: 'check.entropy',
  summary: 'Randomness that the kernel has, before 5.18',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, { warning: { unit: 'count', lower: true }, critical: { unit: 'count', lower: true } }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    return { available: numberOf(values.get('available'), 'available'), size: numberOf(values.get('size'), 'size') };
  },
  judge({ available, size }, { warning, critical }) {
    const phrase = () => `${available} of ${size} bits of randomness are available`;
    const { metric, issues } = measure(
      'available',
      available,
      'count',
      { warning, critical, min: 0, max: size },
      phrase,
    );
    return judgeIssues(issues, { calm: phrase(), metrics: [metric] });
  },
});
