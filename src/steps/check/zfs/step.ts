import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, text } from '../../step.js';
import { type Issue, type Measurement, measure, wrong } from '../issues.js';
import { judgeParts, type Part, partOf } from '../parts.js';
import { type Pool, readPools } from './status.js';

const params = {
  type: 'object',
  properties: {
    pools: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Pools that must be there. All are looked at.',
      examples: [['tank', 'rpool']],
    },
    warning: {
      ...rangeSchema('Warn when the used part of a pool is outside this range.'),
      default: '80%',
      examples: ['80%'],
    },
    critical: {
      ...rangeSchema('Fail when the used part of a pool is outside this range.'),
      default: '90%',
      examples: ['90%'],
    },
    'warning-fragmentation': {
      ...rangeSchema('Warn when the fragmentation of the free space of a pool is outside this range.'),
      examples: ['50%'],
    },
    'critical-fragmentation': {
      ...rangeSchema('Fail when the fragmentation of the free space of a pool is outside this range.'),
      examples: ['80%'],
    },
    'warning-errors': {
      ...rangeSchema('Warn when the reads, writes and checksums that failed on a device are outside this range.'),
      default: 0,
      examples: [0],
    },
    'critical-errors': {
      ...rangeSchema('Fail when the reads, writes and checksums that failed on a device are outside this range.'),
      examples: [10],
    },
    'warning-scrub-age': {
      ...rangeSchema('Warn when the time since the last scrub, or since the pool was made, is outside this range.'),
      default: '40d',
      examples: ['40d'],
    },
    'critical-scrub-age': {
      ...rangeSchema('Fail when the time since the last scrub, or since the pool was made, is outside this range.'),
      examples: ['100d'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface ZfsData {
  readonly pools: readonly Pool[];
}

export default defineHostStep<Params, ZfsData>({
  kind: 'check.zfs',
  summary: 'Health, room, errors and scrubs of ZFS pools',
  params,
  effect: 'read',
  severity: 'high',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'ratio',
      critical: 'ratio',
      'warning-fragmentation': 'ratio',
      'critical-fragmentation': 'ratio',
      'warning-errors': 'count',
      'critical-errors': 'count',
      'warning-scrub-age': 'seconds',
      'critical-scrub-age': 'seconds',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ pools }) => [pools.length > 0 ? 'yes' : 'no'],
  parse(output) {
    expectSuccess(output);
    return { pools: readPools(text(output.stdout)) };
  },
  judge({ pools }, given) {
    const absent = given.pools.filter((name) => !pools.some((pool) => pool.name === name));
    if (pools.length === 0 && absent.length === 0)
      return { outcome: 'skipped', reason: 'not-applicable', summary: 'no ZFS pools' };
    const parts: Part[] = [
      ...absent.map((name) => ({ name, issues: [wrong('pool-missing', 'is not imported')], metrics: [] })),
      ...pools.map((pool) => judgePool(pool, given)),
    ];
    const fullest = pools.toSorted((a, b) => b.used - a.used)[0];
    const used = fullest ? `${fullest.name} is ${formatQuantity(fullest.used, 'ratio')} full` : '';
    const busy = pools.flatMap(({ name, status }) =>
      status?.scan?.state === 'running' ? [`${name} has a ${status.scan.kind} under way`] : [],
    );
    const calm = pools.length === 1 ? `${used}, healthy` : `${pools.length} healthy pools, ${used} at most`;
    return judgeParts(parts, [calm, ...busy].join('; '));
  },
});

function judgePool(pool: Pool, given: Params): Part {
  const { name, status } = pool;
  if (!status)
    return {
      name,
      issues: [wrong('pool-suspended', 'is suspended: its devices do not answer, nor does what is on it')],
      metrics: [],
    };
  const issues: Issue[] = [];
  const bad = status.devices.filter(({ state }) => state !== 'ONLINE' && state !== 'AVAIL' && state !== 'INUSE');
  const named = bad.map((device) => `${device.name} ${device.state}`).join(', ');
  if (pool.health !== 'ONLINE')
    issues.push(
      wrong(
        pool.health === 'DEGRADED' ? 'pool-degraded' : 'pool-unhealthy',
        `is ${pool.health}${named === '' ? '' : ` (${named})`}`,
      ),
    );
  // A cache or spare can be gone while the pool is in order.
  else if (named !== '') issues.push({ outcome: 'warning', reason: 'device-unhealthy', text: `has ${named}` });
  if (status.errors !== null && status.errors !== 'No known data errors')
    issues.push(wrong('data-errors', `has lost data: ${status.errors}`));
  const { scan } = status;
  if (scan && scan.errors > 0)
    issues.push(wrong('scrub-errors', `has ${scan.errors} errors that the last ${scan.kind} could not repair`));
  return partOf(name, [...measurePool(pool, given), ...measureScrub(pool, given)], issues);
}

function measurePool({ name, used, fragmentation, status }: Pool, given: Params): readonly Measurement[] {
  const limits = { min: 0, max: 1 };
  return [
    measure(
      `used{${name}}`,
      used,
      'ratio',
      { warning: given.warning, critical: given.critical, ...limits },
      (part) => `is ${part} full`,
    ),
    ...(fragmentation === null
      ? []
      : [
          measure(
            `fragmentation{${name}}`,
            fragmentation,
            'ratio',
            { warning: given['warning-fragmentation'], critical: given['critical-fragmentation'], ...limits },
            (part) => `has fragmented ${part} of its free space`,
          ),
        ]),
    ...(status?.devices ?? []).map((device) =>
      measure(
        `errors{${name}/${device.name}}`,
        device.errors,
        'count',
        { warning: given['warning-errors'], critical: given['critical-errors'], min: 0 },
        (count) => `has ${count} errors on ${device.name}`,
      ),
    ),
  ];
}

/** A resilver takes the place of the last scrub in the status. It too has read what it could. */
function measureScrub({ name, age, status }: Pool, given: Params): readonly Measurement[] {
  const scan = status?.scan;
  if (scan?.state === 'running') return [];
  const since = scan?.age ?? age;
  if (since === null) return [];
  const thresholds = { warning: given['warning-scrub-age'], critical: given['critical-scrub-age'], min: 0 };
  const phrase = (time: string) =>
    scan?.state === 'finished'
      ? `had its last ${scan.kind} ${time} ago`
      : `is ${time} old and has no scrub that came to its end${scan ? ` (the last one: ${scan.state})` : ''}`;
  return [measure(`scrub-age{${name}}`, since, 'seconds', thresholds, phrase)];
}
