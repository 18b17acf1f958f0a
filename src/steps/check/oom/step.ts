import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { judgeIssues, measure } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the number of processes that were killed since the start is outside this range.'),
      examples: [0],
    },
    critical: {
      ...rangeSchema('Fail when the number of processes that were killed since the start is outside this range.'),
      examples: [0],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface OomData {
  /** Processes killed for lack of memory since the start of the machine. */
  readonly kills: number;
  /** Of the container that the host is, since its start; null elsewhere. */
  readonly container: number | null;
}

export default defineHostStep<FromSchema<typeof params>, OomData>({
  kind: 'check.oom',
  summary: 'Processes that the kernel killed for lack of memory',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { warning: 'count', critical: 'count' }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    return {
      kills: numberOf(values.get('kills'), 'kills'),
      container: values.has('container') ? numberOf(values.get('container'), 'container') : null,
    };
  },
  judge({ kills, container }, { warning, critical }) {
    // What was killed in a container is its own matter; the number of the machine counts its neighbours, too.
    const count = container ?? kills;
    const where = container === null ? 'since the start' : 'in this container since its start';
    const phrase = () =>
      `${count === 0 ? 'no process was' : count === 1 ? '1 process was' : `${count} processes were`} killed for lack of memory ${where}`;
    const { metric, issues } = measure('kills', count, 'count', { warning, critical, min: 0 }, phrase);
    return judgeIssues(issues, {
      calm: phrase(),
      metrics: [metric, ...(container === null ? [] : [metricOf('machine-kills', kills, 'count', { min: 0 })])],
    });
  },
});
