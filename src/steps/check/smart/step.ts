import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { rangeProblems, rangeSchema, type Unit } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, text } from '../../step.js';
import { type Issue, measure, unclear, wrong } from '../issues.js';
import { judgeParts, type Part, partOf } from '../parts.js';
import { type Disk, type Numbers, type Report, readReport } from './report.js';

const params = {
  type: 'object',
  properties: {
    devices: {
      type: 'array',
      items: { type: 'string', pattern: '^/dev/\\S+( \\S+)?$' },
      default: [],
      description:
        'Disks to look at, each with the type for `smartctl -d` behind it where it needs one. Without it: those that smartctl finds.',
      examples: [['/dev/sda', '/dev/sdb sat', '/dev/bus/0 megaraid,0']],
    },
    'warning-reallocated': {
      ...rangeSchema('Warn when the number of sectors that were moved elsewhere is outside this range.'),
      default: 0,
      examples: [0],
    },
    'critical-reallocated': {
      ...rangeSchema('Fail when the number of sectors that were moved elsewhere is outside this range.'),
      default: 100,
      examples: [100],
    },
    'warning-pending': {
      ...rangeSchema('Warn when the number of sectors that wait to be moved is outside this range.'),
      default: 0,
      examples: [0],
    },
    'critical-pending': {
      ...rangeSchema('Fail when the number of sectors that wait to be moved is outside this range.'),
      default: 10,
      examples: [10],
    },
    'warning-uncorrectable': {
      ...rangeSchema('Warn when the number of errors that the disk could not correct is outside this range.'),
      default: 0,
      examples: [0],
    },
    'critical-uncorrectable': {
      ...rangeSchema('Fail when the number of errors that the disk could not correct is outside this range.'),
      default: 10,
      examples: [10],
    },
    'warning-wear': {
      ...rangeSchema('Warn when the used part of the life of an SSD is outside this range.'),
      default: '80%',
      examples: ['80%'],
    },
    'critical-wear': {
      ...rangeSchema('Fail when the used part of the life of an SSD is outside this range.'),
      default: '95%',
      examples: ['95%'],
    },
    'warning-spare': {
      ...rangeSchema('Warn when the spare part of an NVMe disk is outside this range.'),
      examples: ['50%:'],
    },
    'critical-spare': {
      ...rangeSchema('Fail when the spare part of an NVMe disk is outside this range.'),
      examples: ['20%:'],
    },
    'warning-temperature': {
      ...rangeSchema('Warn when the temperature is outside this range, in °C.'),
      examples: [55],
    },
    'critical-temperature': {
      ...rangeSchema('Fail when the temperature is outside this range, in °C.'),
      examples: [65],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

/** The numbers with their units and words. Each has its `warning-` and `critical-`. */
const numbers: readonly (readonly [keyof Numbers, Unit, (quantity: string) => string])[] = [
  ['reallocated', 'count', (count) => `has moved ${count} sectors elsewhere`],
  ['pending', 'count', (count) => `has ${count} sectors that cannot be read and wait to be moved`],
  ['uncorrectable', 'count', (count) => `has had ${count} errors that it could not correct`],
  ['wear', 'ratio', (part) => `has used ${part} of its life`],
  ['spare', 'ratio', (part) => `has ${part} of its spare left`],
  ['temperature', 'celsius', (degrees) => `has ${degrees}`],
];

/** Volumes that a controller makes of disks, by what they say of themselves. */
const raidVolume = /\b(raid|perc|megaraid|avago|lsi|logical volume|smart array|adaptec|areca|3ware|mr\d{4})/i;

export default defineHostStep<Params, Report>({
  kind: 'check.smart',
  summary: 'Health, errors, wear and temperature of disks (SMART)',
  params,
  effect: 'read',
  severity: 'high',
  timeout: 60,
  validate: (given) =>
    rangeProblems(
      given,
      Object.fromEntries(
        numbers.flatMap(([name, unit]) =>
          ['warning', 'critical'].map((level) => [`${level}-${name}`, { unit, lower: name === 'spare' }]),
        ),
      ),
    ),
  probe: script('./probe.sh', import.meta.url),
  args: ({ devices }) => devices,
  parse(output) {
    expectSuccess(output);
    return readReport(text(output.stdout));
  },
  judge({ disks, closed }, given) {
    const asked = given.devices.length > 0;
    const parts: Part[] = [
      ...closed.map((said) => ({
        name: said.split(' ')[0] ?? '',
        issues: [unclear('disk-closed', `cannot be opened: ${said}`)],
        metrics: [],
      })),
      ...disks.filter((disk) => asked || !hasNone(disk)).map((disk) => judgeDisk(disk, given)),
    ];
    if (parts.length === 0)
      return { outcome: 'skipped', reason: 'not-applicable', summary: 'no disk that can tell about its health' };
    const [sole] = parts;
    const left = disks.length + closed.length - parts.length;
    const silent = left > 0 ? `; ${left} without SMART` : '';
    return judgeParts(
      parts,
      `${parts.length === 1 && sole ? `${sole.name} is` : `${parts.length} disks are`} healthy${silent}`,
    );
  },
});

/** A virtual disk, or another that has nothing to tell. A RAID volume hides disks that have. */
function hasNone(disk: Disk): boolean {
  return disk.passed === null && disk.capable === false && !raidVolume.test(disk.model);
}

function judgeDisk(disk: Disk, given: Params): Part {
  // Disks behind one controller share a device.
  const name = disk.type.includes(',') ? `${disk.device} ${disk.type}` : disk.device;
  if (disk.passed === null) return { name, issues: [silence(disk)], metrics: [] };
  const issues: Issue[] = [];
  if (!disk.passed) issues.push(wrong('disk-failing', 'says that it is failing: replace it'));
  if (disk.failing.length > 0)
    issues.push(wrong('attribute-failing', `is below the threshold of ${disk.failing.join(', ')}`));
  if (disk.failed.length > 0)
    issues.push({
      outcome: 'warning',
      reason: 'attribute-failed',
      text: `was once below the threshold of ${disk.failed.join(', ')}`,
    });
  // Bit 7 of smartctl(8): the log of self-tests has one that failed.
  if (disk.status & 128)
    issues.push({ outcome: 'warning', reason: 'self-test-failed', text: 'has failed a self-test' });
  const measured = numbers.flatMap(([key, unit, phrase]) => {
    const value = disk.numbers[key];
    if (value === null) return [];
    const thresholds = { warning: given[`warning-${key}`], critical: given[`critical-${key}`] };
    return [measure(`${key}{${name}}`, value, unit, thresholds, phrase)];
  });
  return partOf(name, measured, issues);
}

/** Why a disk gave no verdict. */
function silence({ device, model, messages, status }: Disk): Issue {
  const said = messages.join('; ');
  if (raidVolume.test(model) || /megaraid|-d /i.test(said))
    return unclear(
      'disk-hidden',
      `(${model || said}) hides disks behind a RAID controller: name them in devices, such as "${device} megaraid,0"`,
    );
  if (status & 3) return unclear('disk-closed', `cannot be asked: ${said || `smartctl ended with status ${status}`}`);
  return unclear('no-verdict', `does not say whether it is healthy${said ? `: ${said}` : ''}`);
}
