import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { judgeIssues, measure, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the used part of the open files that are allowed is outside this range.'),
      default: '70%',
      examples: ['70%'],
    },
    critical: {
      ...rangeSchema('Fail when the used part of the open files that are allowed is outside this range.'),
      default: '90%',
      examples: ['90%'],
    },
    process: {
      type: 'string',
      pattern: '^[^\\s/\\\\]{1,255}$',
      description: 'Look also at each process of this name and its own limit. The first 15 characters count.',
      examples: ['nginx'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface FileDescriptorsData {
  readonly open: number;
  readonly max: number;
  readonly processes: readonly { readonly pid: number; readonly open: number; readonly limit: number }[];
}

export default defineHostStep<FromSchema<typeof params>, FileDescriptorsData>({
  kind: 'check.file-descriptors',
  summary: 'Open files of the system, and of one program, against the limits',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { warning: 'ratio', critical: 'ratio' }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ process }) => [(process ?? '').slice(0, 15)],
  parse(output, { process }) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const [allocated, free, max] = (lines.find(([key]) => key === 'system')?.[1] ?? '')
      .split(/\s+/)
      .map((part) => numberOf(part, 'file-nr'));
    if (allocated === undefined || free === undefined || max === undefined || max < 1)
      throw new UnreadableOutput('the open files of the system are missing');
    if (process !== undefined && lines.at(-1)?.[0] !== 'end')
      throw new UnreadableOutput('the list of processes is cut off');
    const processes = lines
      .filter(([key]) => key === 'process')
      .map(([, value]) => {
        // pid, open, then the soft and the hard limit and a unit.
        const [pid, open, soft] = value.split(/\s+/);
        return {
          pid: numberOf(pid, 'pid'),
          open: numberOf(open, 'open files'),
          limit: soft === 'unlimited' ? Number.POSITIVE_INFINITY : numberOf(soft, 'limit'),
        };
      });
    return { open: allocated - free, max, processes };
  },
  judge({ open, max, processes }, { warning, critical, process }) {
    const limits = { warning, critical, min: 0, max: 1 };
    const system = measure(
      'system',
      open / max,
      'ratio',
      limits,
      (part) => `the system has ${open} of ${max} files open (${part})`,
    );
    const metrics = [system.metric, metricOf('open', open, 'count', { min: 0, max })];
    const part = (one: (typeof processes)[number]) => (one.limit > 0 ? one.open / one.limit : 1);
    const [fullest] = processes.toSorted((a, b) => part(b) - part(a));
    const own = fullest
      ? measure(
          'process',
          part(fullest),
          'ratio',
          limits,
          (quantity) =>
            `${process} (process ${fullest.pid}) has ${fullest.open} of ${fullest.limit} files open (${quantity})`,
        )
      : null;
    const absent = process !== undefined && !fullest ? [wrong('process-absent', `${process} does not run`)] : [];
    const calm = `${open} of ${max} files are open (${formatQuantity(open / max, 'ratio')})`;
    return judgeIssues([...(own?.issues ?? []), ...absent, ...system.issues], {
      calm: fullest ? `${calm}, ${process} ${formatQuantity(part(fullest), 'ratio')} of its own at most` : calm,
      metrics: own ? [...metrics, own.metric] : metrics,
    });
  },
});
