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
      ...rangeSchema('Warn when the used part of the swap is outside this range, and pages come back from it.'),
      default: '50%',
      examples: ['50%'],
    },
    critical: {
      ...rangeSchema('Fail when the used part of the swap is outside this range, whether it is read or not.'),
      examples: ['95%'],
    },
    idle: {
      type: 'boolean',
      default: false,
      description: 'Warn also when nothing comes back from the swap: what lies there is not missed.',
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface SwapData {
  /** Bytes. */
  readonly total: number;
  readonly used: number;
  readonly ratio: number;
  /** Pages a second that came back; null when the kernel does not tell. */
  readonly pagesIn: number | null;
}

export default defineHostStep<FromSchema<typeof params>, SwapData>({
  kind: 'check.swap',
  summary: 'Swap in use, and whether the host reads from it',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { warning: 'ratio', critical: 'ratio' }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    const total = numberOf(values.get('total'), 'total') * 1024;
    const used = total - numberOf(values.get('free'), 'free') * 1024;
    if (total <= 0 || used < 0) throw new UnreadableOutput('the swap is less than nothing');
    const [before, after] = [values.get('before'), values.get('after')];
    const pagesIn =
      before === undefined ? null : Math.max(0, numberOf(after, 'pages in') - numberOf(before, 'pages in'));
    return { total, used, ratio: used / total, pagesIn: used === 0 ? 0 : pagesIn };
  },
  judge({ total, used, ratio, pagesIn }, { warning, critical, idle }) {
    const size = formatQuantity(total, 'bytes');
    // A kernel that does not tell whether the swap is read gets no benefit of the doubt.
    const counts = idle || pagesIn !== 0;
    const { metric, issues } = measure(
      'used',
      ratio,
      'ratio',
      { warning: counts ? warning : undefined, critical, min: 0, max: 1 },
      (quantity) => `${quantity} of ${size} swap is in use`,
    );
    return judgeIssues(issues, {
      calm: `${formatQuantity(ratio, 'ratio')} of ${size} swap is in use${used > 0 && pagesIn === 0 ? ', nothing comes back from it' : ''}`,
      metrics: [
        metric,
        metricOf('used-bytes', used, 'bytes', { min: 0, max: total }),
        ...(pagesIn === null ? [] : [metricOf('pages-in', pagesIn, 'count', { min: 0 })]),
      ],
    });
  },
});
