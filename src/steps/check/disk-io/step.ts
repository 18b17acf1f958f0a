import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';
import { type DiskUse, diskUses } from './counters.js';

const params = {
  type: 'object',
  properties: {
    devices: {
      type: 'array',
      items: { type: 'string', pattern: '^(/dev/)?[A-Za-z0-9][A-Za-z0-9._/-]*$' },
      minItems: 1,
      description:
        'Block devices to look at, also partitions, dm-0 or md0. All whole disks when absent, without those that stand for others.',
      examples: [['sda', 'nvme0n1', 'dm-0']],
    },
    warning: {
      ...rangeSchema('Warn when the number of requests that wait or are served, on average, is outside this range.'),
      default: 10,
      examples: [10],
    },
    critical: {
      ...rangeSchema('Fail when the number of requests that wait or are served, on average, is outside this range.'),
      examples: [50],
    },
    'warning-busy': {
      ...rangeSchema('Warn when the part of the time that a disk works is outside this range.'),
      examples: ['90%'],
    },
    'critical-busy': {
      ...rangeSchema('Fail when the part of the time that a disk works is outside this range.'),
      examples: ['99%'],
    },
    'warning-await': {
      ...rangeSchema('Warn when a request takes longer, on average; a number is seconds.'),
      examples: ['50ms'],
    },
    'critical-await': {
      ...rangeSchema('Fail when a request takes longer, on average; a number is seconds.'),
      examples: ['500ms'],
    },
    'warning-iops': {
      ...rangeSchema('Warn when the number of reads and writes per second is outside this range.'),
      examples: [2000],
    },
    'critical-iops': {
      ...rangeSchema('Fail when the number of reads and writes per second is outside this range.'),
      examples: [5000],
    },
    'warning-rate': {
      ...rangeSchema('Warn when the bytes that are read and written per second are outside this range.'),
      examples: ['200MB'],
    },
    'critical-rate': {
      ...rangeSchema('Fail when the bytes that are read and written per second are outside this range.'),
      examples: ['500MB'],
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

type Params = FromSchema<typeof params>;

export default defineHostStep<Params, readonly DiskUse[]>({
  kind: 'check.disk-io',
  summary: 'How busy disks are: queue, time in use, time per request',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'count',
      critical: 'count',
      'warning-busy': 'ratio',
      'critical-busy': 'ratio',
      'warning-await': 'seconds',
      'critical-await': 'seconds',
      'warning-iops': 'count',
      'critical-iops': 'count',
      'warning-rate': 'bytes',
      'critical-rate': 'bytes',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ seconds }) => [String(seconds)],
  parse: (output, { devices }) =>
    diskUses(
      output,
      devices?.map((name) => name.replace(/^\/dev\//, '')),
    ),
  judge(disks, given) {
    const absent = (given.devices ?? [])
      .map((name) => name.replace(/^\/dev\//, ''))
      .filter((name) => !disks.some((disk) => disk.name === name))
      .map((name) => wrong('device-absent', `there is no block device ${name}`));
    if (disks.length === 0 && absent.length === 0)
      return { outcome: 'skipped', reason: 'no-disks', summary: 'there are no disks' };
    const numbers = disks.flatMap((disk) => measureDisk(disk, given));
    const issues: readonly Issue[] = [...absent, ...numbers.flatMap(({ issues: own }) => own)];
    const [busiest] = disks.toSorted((a, b) => b.busy - a.busy);
    const calm = busiest
      ? `${busiest.name} is busy ${formatQuantity(busiest.busy, 'ratio')} of the time${
          disks.length > 1 ? `, the most of ${disks.length} disks` : ''
        }, queue ${formatQuantity(busiest.queue, 'count')}`
      : '';
    return judgeIssues(issues, { calm, metrics: numbers.map(({ metric }) => metric) });
  },
});

function measureDisk({ name, busy, queue, wait, iops, read, written }: DiskUse, given: Params) {
  const numbers = [
    measure(
      `queue{${name}}`,
      queue,
      'count',
      { warning: given.warning, critical: given.critical, min: 0 },
      (count) => `${name} has a queue of ${count}`,
    ),
    measure(
      `busy{${name}}`,
      busy,
      'ratio',
      { warning: given['warning-busy'], critical: given['critical-busy'], min: 0, max: 1 },
      (part) => `${name} is busy ${part} of the time`,
    ),
    measure(
      `iops{${name}}`,
      iops,
      'count',
      { warning: given['warning-iops'], critical: given['critical-iops'], min: 0 },
      (count) => `${name} reads and writes ${count} times a second`,
    ),
    measure(
      `rate{${name}}`,
      read + written,
      'bytes',
      { warning: given['warning-rate'], critical: given['critical-rate'], min: 0 },
      (bytes) => `${name} reads and writes ${bytes} a second`,
    ),
    { metric: metricOf(`read{${name}}`, read, 'bytes', { min: 0 }), issues: [] },
    { metric: metricOf(`written{${name}}`, written, 'bytes', { min: 0 }), issues: [] },
  ];
  if (wait === null) return numbers;
  const limits = { warning: given['warning-await'], critical: given['critical-await'], min: 0 };
  return [
    ...numbers,
    measure(`await{${name}}`, wait, 'seconds', limits, (time) => `${name} takes ${time} for a request`),
  ];
}
