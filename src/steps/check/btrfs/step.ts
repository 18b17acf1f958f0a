import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, text } from '../../step.js';
import { type Issue, type Measurement, measure, wrong } from '../issues.js';
import { judgeParts, type Part, partOf } from '../parts.js';
import { type FileSystem, readFileSystems } from './report.js';

const params = {
  type: 'object',
  properties: {
    paths: {
      type: 'array',
      items: { type: 'string', pattern: '^/' },
      default: [],
      description: 'Mount points that must be Btrfs; only these are looked at. Without it: every one that is mounted.',
      examples: [['/', '/srv/data']],
    },
    warning: {
      ...rangeSchema('Warn when the errors that a device has counted are outside this range.'),
      examples: [0],
    },
    critical: {
      ...rangeSchema('Fail when the errors that a device has counted are outside this range.'),
      default: 0,
      examples: [0, 10],
    },
    'warning-metadata': {
      ...rangeSchema('Warn when the used part of what metadata can grow to is outside this range.'),
      default: '80%',
      examples: ['80%'],
    },
    'critical-metadata': {
      ...rangeSchema('Fail when the used part of what metadata can grow to is outside this range.'),
      default: '90%',
      examples: ['90%'],
    },
    'warning-unallocated': {
      ...rangeSchema('Warn when the space that belongs neither to data nor to metadata is outside this range.'),
      examples: ['10GiB:'],
    },
    'critical-unallocated': {
      ...rangeSchema('Fail when the space that belongs neither to data nor to metadata is outside this range.'),
      examples: ['1GiB:'],
    },
    'warning-scrub-age': {
      ...rangeSchema('Warn when the time since a scrub last came to its end is outside this range.'),
      examples: ['40d'],
    },
    'critical-scrub-age': {
      ...rangeSchema('Fail when the time since a scrub last came to its end is outside this range.'),
      examples: ['100d'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface BtrfsData {
  readonly fileSystems: readonly FileSystem[];
}

export default defineHostStep<Params, BtrfsData>({
  kind: 'check.btrfs',
  summary: 'Device errors, room for metadata and scrubs of Btrfs',
  params,
  effect: 'read',
  severity: 'high',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'count',
      critical: 'count',
      'warning-metadata': 'ratio',
      'critical-metadata': 'ratio',
      'warning-unallocated': { unit: 'bytes', lower: true },
      'critical-unallocated': { unit: 'bytes', lower: true },
      'warning-scrub-age': 'seconds',
      'critical-scrub-age': 'seconds',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ paths }) => paths.map((path) => escapeName(trimmed(path))),
  parse(output) {
    expectSuccess(output);
    return { fileSystems: readFileSystems(text(output.stdout)) };
  },
  judge({ fileSystems }, given) {
    const absent = given.paths.map(trimmed).filter((path) => !fileSystems.some((one) => one.path === path));
    const parts: Part[] = [
      ...absent.map((name) => ({ name, issues: [wrong('not-mounted', 'is not a mount of Btrfs')], metrics: [] })),
      ...fileSystems.map((one) => judgeFileSystem(one, given)),
    ];
    const least = fileSystems.toSorted((a, b) => a.unallocated - b.unallocated)[0];
    const left = least ? `${formatQuantity(least.unallocated, 'bytes')} unallocated` : '';
    return judgeParts(
      parts,
      fileSystems.length === 1 && least
        ? `${least.path} has no errors, ${left}`
        : `${fileSystems.length} file systems have no errors, ${left} at least`,
    );
  },
});

function judgeFileSystem(one: FileSystem, given: Params): Part {
  const { path, scrub } = one;
  const issues: Issue[] = [];
  if (one.missing > 0) issues.push(wrong('device-missing', 'lacks a device'));
  if (scrub && scrub.uncorrectable > 0)
    issues.push(wrong('scrub-errors', `has ${scrub.uncorrectable} errors that the last scrub could not correct`));
  const age = scrub?.status === 'finished' ? scrub.age : null;
  const ages = { warning: given['warning-scrub-age'], critical: given['critical-scrub-age'], min: 0 };
  if (age === null && (ages.warning !== undefined || ages.critical !== undefined))
    issues.push({
      outcome: ages.warning === undefined ? 'failed' : 'warning',
      reason: 'never-scrubbed',
      text: `has no scrub that came to its end${scrub ? ` (the last one: ${scrub.status})` : ''}`,
    });

  const measured: Measurement[] = one.devices.map(({ device, errors }) =>
    measure(
      `errors{${device}}`,
      errors.reduce((sum, { count }) => sum + count, 0),
      'count',
      { warning: given.warning, critical: given.critical, min: 0 },
      () =>
        `has errors on ${device}: ${errors.flatMap(({ name, count }) => (count > 0 ? [`${name} ${count}`] : [])).join(', ') || 'none'}`,
    ),
  );
  measured.push(
    measure(
      `metadata-used{${path}}`,
      one.metadataUsed,
      'ratio',
      { warning: given['warning-metadata'], critical: given['critical-metadata'], min: 0, max: 1 },
      (part) => `has used ${part} of what metadata can grow to`,
    ),
    measure(
      `unallocated{${path}}`,
      one.unallocated,
      'bytes',
      { warning: given['warning-unallocated'], critical: given['critical-unallocated'], min: 0, max: one.size },
      (bytes) => `has ${bytes} unallocated`,
    ),
  );
  if (age !== null)
    measured.push(measure(`scrub-age{${path}}`, age, 'seconds', ages, (time) => `was scrubbed ${time} ago`));
  const part = partOf(path, measured, issues);
  return scrub
    ? {
        ...part,
        metrics: [...part.metrics, metricOf(`scrub-corrected{${path}}`, scrub.corrected, 'count', { min: 0 })],
      }
    : part;
}

function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

/** mountinfo writes white space and backslash as octal. */
function escapeName(name: string): string {
  return name.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
