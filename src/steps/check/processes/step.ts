import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { judgeIssues, type Measurement, measure } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    warning: { ...rangeSchema('Warn when the number of processes is outside this range.'), examples: [2000] },
    critical: { ...rangeSchema('Fail when the number of processes is outside this range.'), examples: [4000] },
    'warning-zombies': {
      ...rangeSchema('Warn when the number of zombies is outside this range.'),
      default: 5,
      examples: [5],
    },
    'critical-zombies': {
      ...rangeSchema('Fail when the number of zombies is outside this range.'),
      default: 20,
      examples: [20],
    },
    'warning-threads': {
      ...rangeSchema('Warn when the used part of the threads that there can be is outside this range.'),
      default: '80%',
      examples: ['80%'],
    },
    'critical-threads': {
      ...rangeSchema('Fail when the used part of the threads that there can be is outside this range.'),
      default: '95%',
      examples: ['95%'],
    },
    'warning-blocked': {
      ...rangeSchema('Warn when the number of processes that wait for a disk or a dead mount is outside this range.'),
      examples: [10],
    },
    'critical-blocked': {
      ...rangeSchema('Fail when the number of processes that wait for a disk or a dead mount is outside this range.'),
      examples: [50],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface ProcessesData {
  readonly threads: number;
  /** As many ids as there are, or threads that the kernel allows, whichever is less. */
  readonly limit: number;
  /** The same of the container that the host is, when it has a limit of its own. */
  readonly container: { readonly threads: number; readonly limit: number } | null;
  /** Null where the processes of others are hidden. */
  readonly seen: { readonly total: number; readonly zombies: number; readonly blocked: number } | null;
}

export default defineHostStep<FromSchema<typeof params>, ProcessesData>({
  kind: 'check.processes',
  summary: 'Number of processes, threads, zombies and blocked processes',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'count',
      critical: 'count',
      'warning-zombies': 'count',
      'critical-zombies': 'count',
      'warning-threads': 'ratio',
      'critical-threads': 'ratio',
      'warning-blocked': 'count',
      'critical-blocked': 'count',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    const number = (name: string) => numberOf(values.get(name), name);
    const limit = Math.min(number('pid-max'), number('threads-max'));
    const seen = { total: number('total'), zombies: number('zombies'), blocked: number('blocked') };
    const container = values.has('container-max')
      ? { threads: number('container-threads'), limit: number('container-max') }
      : null;
    if (limit < 1 || seen.total < 1) throw new UnreadableOutput('there are no processes');
    return { threads: number('threads'), limit, container, seen: values.has('hidden') ? null : seen };
  },
  judge({ threads, limit, container, seen }, given) {
    const part = (one: { readonly threads: number; readonly limit: number }) =>
      one.limit > 0 ? one.threads / one.limit : 1;
    const isContainer = container !== null && part(container) > threads / limit;
    const fuller = isContainer ? container : { threads, limit };
    const plural = (count: number, one: string) => `${count} ${count === 1 ? one : `${one}s`}`;
    const measured: Measurement[] = [
      measure(
        'threads-used',
        part(fuller),
        'ratio',
        { warning: given['warning-threads'], critical: given['critical-threads'], min: 0, max: 1 },
        (quantity) =>
          `${fuller.threads} threads are ${quantity} of ${fuller.limit}${isContainer ? ' in this container' : ''}`,
      ),
    ];
    if (seen) {
      const { total, zombies, blocked } = seen;
      measured.push(
        measure(
          'processes',
          total,
          'count',
          { warning: given.warning, critical: given.critical, min: 0 },
          () => `${total} processes`,
        ),
        measure(
          'zombies',
          zombies,
          'count',
          { warning: given['warning-zombies'], critical: given['critical-zombies'], min: 0 },
          () => plural(zombies, 'zombie'),
        ),
        measure(
          'blocked',
          blocked,
          'count',
          { warning: given['warning-blocked'], critical: given['critical-blocked'], min: 0 },
          () => `${blocked} blocked on I/O`,
        ),
      );
    }
    const issues = measured.flatMap((one) => one.issues);
    if (!seen)
      issues.push({
        outcome: 'unknown',
        reason: 'needs-privilege',
        text: 'the processes of other users are hidden (hidepid)',
      });
    return judgeIssues(issues, {
      calm: `${seen?.total} processes, ${threads} threads, ${plural(seen?.zombies ?? 0, 'zombie')}`,
      metrics: [...measured.map(({ metric }) => metric), metricOf('threads', threads, 'count', { min: 0, max: limit })],
    });
  },
});
