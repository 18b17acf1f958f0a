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
      ...rangeSchema('Warn when the part of the time that the processors work is outside this range.'),
      default: '90%',
      examples: ['90%'],
    },
    critical: {
      ...rangeSchema('Fail when the part of the time that the processors work is outside this range.'),
      examples: ['98%'],
    },
    'warning-iowait': {
      ...rangeSchema(
        'Warn when the part of the time that the processors idle while a disk works is outside this range.',
      ),
      examples: ['30%'],
    },
    'critical-iowait': {
      ...rangeSchema(
        'Fail when the part of the time that the processors idle while a disk works is outside this range.',
      ),
      examples: ['60%'],
    },
    'warning-steal': {
      ...rangeSchema('Warn when the part of the time that the hypervisor gives to others is outside this range.'),
      examples: ['10%'],
    },
    'critical-steal': {
      ...rangeSchema('Fail when the part of the time that the hypervisor gives to others is outside this range.'),
      examples: ['30%'],
    },
    seconds: {
      type: 'integer',
      minimum: 1,
      maximum: 20,
      default: 2,
      description: 'Seconds between the two looks. The step takes as long.',
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

/** Parts of the time between the two looks, of all processors together. */
export interface CpuData {
  /** All but idle and iowait. */
  readonly busy: number;
  readonly user: number;
  readonly system: number;
  readonly iowait: number;
  readonly steal: number;
}

/** Ticks, of which a second has 100. */
const mostBack = 300;

export default defineHostStep<FromSchema<typeof params>, CpuData>({
  kind: 'check.cpu',
  summary: 'Part of the time that the processors work, wait or are stolen',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'ratio',
      critical: 'ratio',
      'warning-iowait': 'ratio',
      'critical-iowait': 'ratio',
      'warning-steal': 'ratio',
      'critical-steal': 'ratio',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ seconds }) => [String(seconds)],
  parse(output) {
    expectSuccess(output);
    const looks = new Map(tabbedLines(output));
    const first = readTimes(looks.get('first'));
    const second = readTimes(looks.get('second'));
    // iowait may go back by a little. When a processor goes offline the sums of all go back by a lot.
    if (second.some((time, index) => time + mostBack < (first[index] ?? 0)))
      throw new UnreadableOutput('the processor times went back: was a processor taken offline?');
    const spent = second.map((time, index) => Math.max(0, time - (first[index] ?? 0)));
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = spent;
    const total = user + nice + system + idle + iowait + irq + softirq + steal;
    if (total === 0) throw new UnreadableOutput('no processor time went by between the two looks');
    return {
      busy: 1 - (idle + iowait) / total,
      user: (user + nice) / total,
      system: (system + irq + softirq) / total,
      iowait: iowait / total,
      steal: steal / total,
    };
  },
  judge(data, given) {
    const part = { min: 0, max: 1 };
    const busy = measure(
      'busy',
      data.busy,
      'ratio',
      { warning: given.warning, critical: given.critical, ...part },
      (quantity) => `the processors work ${quantity} of the time`,
    );
    const iowait = measure(
      'iowait',
      data.iowait,
      'ratio',
      { warning: given['warning-iowait'], critical: given['critical-iowait'], ...part },
      (quantity) => `they wait for a disk ${quantity} of the time`,
    );
    const steal = measure(
      'steal',
      data.steal,
      'ratio',
      { warning: given['warning-steal'], critical: given['critical-steal'], ...part },
      (quantity) => `the hypervisor gives ${quantity} of the time to others`,
    );
    return judgeIssues([...busy.issues, ...iowait.issues, ...steal.issues], {
      calm: `the processors work ${formatQuantity(data.busy, 'ratio')} of the time`,
      metrics: [
        busy.metric,
        metricOf('user', data.user, 'ratio', part),
        metricOf('system', data.system, 'ratio', part),
        iowait.metric,
        steal.metric,
      ],
    });
  },
});

/** user nice system idle iowait irq softirq steal; guest times are part of user and nice. */
function readTimes(line: string | undefined): readonly number[] {
  const [name, ...times] = (line ?? '').trim().split(/\s+/);
  if (name !== 'cpu' || times.length < 4) throw new UnreadableOutput('the processor times are missing');
  return times.slice(0, 8).map((time) => numberOf(time, 'processor time'));
}
