import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, text, UnreadableOutput } from '../../step.js';
import { type Issue, measure, wrong } from '../issues.js';
import { judgeParts, type Part, partOf } from '../parts.js';

const params = {
  type: 'object',
  properties: {
    groups: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Volume groups that must be there. All are looked at.',
      examples: [['vg0', 'data']],
    },
    warning: {
      ...rangeSchema('Warn when the used part of a thin pool or of a snapshot is outside this range.'),
      default: '80%',
      examples: ['80%'],
    },
    critical: {
      ...rangeSchema('Fail when the used part of a thin pool or of a snapshot is outside this range.'),
      default: '90%',
      examples: ['90%'],
    },
    'warning-metadata': {
      ...rangeSchema('Warn when the used part of the metadata of a thin pool is outside this range.'),
      default: '80%',
      examples: ['80%'],
    },
    'critical-metadata': {
      ...rangeSchema('Fail when the used part of the metadata of a thin pool is outside this range.'),
      default: '90%',
      examples: ['90%'],
    },
    'warning-free': {
      ...rangeSchema('Warn when the space of a volume group that belongs to no volume is outside this range.'),
      examples: ['10GiB:'],
    },
    'critical-free': {
      ...rangeSchema('Fail when the space of a volume group that belongs to no volume is outside this range.'),
      examples: ['1GiB:'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

interface Group {
  readonly name: string;
  readonly size: number;
  readonly free: number;
  /** Physical volumes that cannot be found. */
  readonly missing: number;
}

interface Volume {
  /** `group/volume`. */
  readonly name: string;
  readonly type: string;
  readonly active: boolean;
  /** A copy-on-write snapshot: it is lost when it is full. */
  readonly snapshot: boolean;
  readonly invalid: boolean;
  /** The metadata of a thin pool are damaged. */
  readonly checkNeeded: boolean;
  /** Parts of 1; null where LVM has no number. */
  readonly used: number | null;
  readonly metadata: number | null;
  readonly synced: number | null;
  readonly health: string;
}

export interface LvmData {
  /** Whether the kernel has a device mapper. Without it no volume can be in use. */
  readonly mapper: boolean;
  /** The kernel runs volumes of LVM, whatever its tools say. */
  readonly used: boolean;
  readonly groups: readonly Group[];
  readonly volumes: readonly Volume[];
}

export default defineHostStep<Params, LvmData>({
  kind: 'check.lvm',
  summary: 'Room and health of LVM groups, thin pools, snapshots and RAID',
  params,
  effect: 'read',
  severity: 'high',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'ratio',
      critical: 'ratio',
      'warning-metadata': 'ratio',
      'critical-metadata': 'ratio',
      'warning-free': { unit: 'bytes', lower: true },
      'critical-free': { unit: 'bytes', lower: true },
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ groups }) => [groups.length > 0 ? 'yes' : 'no'],
  parse(output) {
    expectSuccess(output);
    const [head = '', groups, volumes, rest] = text(output.stdout).split(/^== (?:groups|volumes|end)$/m);
    if (groups === undefined || volumes === undefined || rest === undefined)
      throw new UnreadableOutput('the report of LVM is cut off');
    const about = parseJson(head);
    return {
      mapper: field(about, 'mapper') === 'yes',
      used: field(about, 'used') === 'yes',
      groups: reportOf(groups, 'vg').map(readGroup),
      volumes: reportOf(volumes, 'lv').map(readVolume),
    };
  },
  judge({ mapper, used, groups, volumes }, given) {
    const absent = given.groups.filter((name) => !groups.some((group) => group.name === name));
    // An empty answer proves nothing when the kernel has no device mapper.
    if (!mapper && given.groups.length > 0)
      return {
        outcome: 'unknown',
        reason: 'no-device-mapper',
        summary: `the kernel has no device mapper, so ${given.groups.join(', ')} cannot be in use or looked at`,
      };
    if (groups.length === 0 && used)
      return {
        outcome: 'unknown',
        reason: 'groups-hidden',
        summary:
          'LVM lists no volume group, and the kernel runs volumes of it: look at its filter and its devices file',
      };
    if (groups.length === 0 && given.groups.length === 0)
      return { outcome: 'skipped', reason: 'not-applicable', summary: 'no volume groups' };
    const parts: Part[] = [
      ...absent.map((name) => ({ name, issues: [wrong('group-missing', 'is not there')], metrics: [] })),
      ...groups.map((group) => judgeGroup(group, given)),
      ...volumes.map((volume) => judgeVolume(volume, given)),
    ];
    const filling = volumes.filter(({ used, type, snapshot }) => used !== null && (isPool(type) || snapshot));
    const fullest = filling.toSorted((a, b) => (b.used ?? 0) - (a.used ?? 0))[0];
    const calm = [
      `${plural(groups.length, 'volume group')}, ${plural(volumes.length, 'volume')}`,
      ...(fullest ? [`${fullest.name} is ${formatQuantity(fullest.used ?? 0, 'ratio')} full`] : []),
      ...volumes.flatMap(({ name, synced }) =>
        synced !== null && synced < 1 ? [`${name} is in sync to ${formatQuantity(synced, 'ratio')}`] : [],
      ),
    ];
    return judgeParts(parts, calm.join('; '));
  },
});

function judgeGroup(group: Group, given: Params): Part {
  const free = measure(
    `free{${group.name}}`,
    group.free,
    'bytes',
    { warning: given['warning-free'], critical: given['critical-free'], min: 0, max: group.size },
    (bytes) => `has ${bytes} free`,
  );
  const missing = group.missing > 0 ? [wrong('disk-missing', `lacks ${plural(group.missing, 'physical volume')}`)] : [];
  return partOf(group.name, [free], missing);
}

function judgeVolume(volume: Volume, given: Params): Part {
  const { name, used, metadata, synced } = volume;
  const issues: Issue[] = [];
  const health = judgeHealth(volume.health);
  if (health) issues.push(health);
  if (volume.invalid) issues.push(wrong('snapshot-invalid', 'is a snapshot that ran full and is lost'));
  if (volume.checkNeeded)
    issues.push(wrong('check-needed', 'has metadata that need thin_check and lvconvert --repair'));
  const pool = isPool(volume.type);
  if (pool && used === null)
    issues.push({
      outcome: 'unknown',
      reason: volume.active ? 'usage-unknown' : 'not-active',
      text: volume.active ? 'does not tell how full it is' : 'is not active and does not tell how full it is',
    });
  const limits = { min: 0, max: 1 };
  const measured = [
    ...(used !== null && (pool || volume.snapshot) && !volume.invalid
      ? [
          measure(
            `used{${name}}`,
            used,
            'ratio',
            { warning: given.warning, critical: given.critical, ...limits },
            (part) => `is ${part} full`,
          ),
        ]
      : []),
    ...(metadata !== null && pool
      ? [
          measure(
            `metadata-used{${name}}`,
            metadata,
            'ratio',
            { warning: given['warning-metadata'], critical: given['critical-metadata'], ...limits },
            (part) => `has used ${part} of its metadata`,
          ),
        ]
      : []),
  ];
  const part = partOf(name, measured, issues);
  return synced === null
    ? part
    : { ...part, metrics: [...part.metrics, metricOf(`synced{${name}}`, synced, 'ratio', limits)] };
}

/** What `lv_health_status` means; see lvs(8), attribute 9. */
function judgeHealth(health: string): Issue | null {
  switch (health) {
    case '':
    case 'writemostly':
      return null;
    case 'partial':
      return wrong('volume-partial', 'lacks a part of its disks');
    case 'refresh needed':
      return wrong('refresh-needed', 'has a disk that failed and came back, it needs lvchange --refresh');
    case 'mismatches exist':
      return { outcome: 'warning', reason: 'mismatches', text: 'has mismatches between its disks' };
    case 'out_of_data':
      return wrong('out-of-data', 'has run out of space');
    case 'metadata_read_only':
      return wrong('metadata-read-only', 'has metadata that is read-only after an error');
    default:
      return wrong('volume-unhealthy', `says of its health: ${health}`);
  }
}

function isPool(type: string): boolean {
  return type === 'thin-pool' || type === 'vdo-pool';
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function readGroup(row: object): Group {
  return {
    name: named(row, 'vg_name'),
    size: numberOf(field(row, 'vg_size'), 'vg_size'),
    free: numberOf(field(row, 'vg_free'), 'vg_free'),
    missing: numberOf(field(row, 'vg_missing_pv_count'), 'vg_missing_pv_count'),
  };
}

function readVolume(row: object): Volume {
  const attributes = named(row, 'lv_attr');
  const part = (key: string) => (field(row, key) === '' ? null : numberOf(field(row, key), key) / 100);
  return {
    name: `${named(row, 'vg_name')}/${named(row, 'lv_name')}`,
    type: named(row, 'segtype'),
    active: field(row, 'lv_active') !== '',
    snapshot: /^s/i.test(attributes),
    // lvs(8): the fifth is I for an invalid snapshot, S for one that is suspended, too; c and C ask for a check.
    invalid: /^[sS]...[IS]/.test(attributes),
    checkNeeded: /^....[cC]/.test(attributes),
    used: part('data_percent'),
    metadata: part('metadata_percent'),
    synced: part('sync_percent'),
    health: field(row, 'lv_health_status') ?? '',
  };
}

function reportOf(said: string, key: string): readonly object[] {
  const reports = (parseJson(said) as { report?: unknown }).report;
  const rows = Array.isArray(reports) ? (reports[0] as Record<string, unknown> | undefined)?.[key] : undefined;
  if (!Array.isArray(rows)) throw new UnreadableOutput(`the report of LVM has no ${key}`);
  return rows as readonly object[];
}

function parseJson(said: string): object {
  try {
    const value: unknown = JSON.parse(said);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below.
  }
  throw new UnreadableOutput(`not the JSON of LVM: ${said.trim().slice(0, 200)}`);
}

function field(row: object, key: string): string | undefined {
  const value = (row as Record<string, unknown>)[key];
  return typeof value === 'string' ? value : undefined;
}

function named(row: object, key: string): string {
  const value = field(row, key);
  if (!value) throw new UnreadableOutput(`${key} is missing`);
  return value;
}
