import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import type { Metric } from '../../../result/result.schema.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, type Range, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type FoundIssue, type Judgement } from '../../step.js';
import { type DiskData, type Mount, readMounts } from './mounts.js';

const params = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      pattern: '^/',
      description: 'Look at the file system that holds this path. Without it: every local file system.',
      examples: ['/', '/var/lib/postgresql'],
    },
    warning: {
      ...rangeSchema(
        'Warn when the used part of the space is outside this range. Without `warning` and `critical`: when less than 15 % and less than 20 GiB are available.',
      ),
      examples: [80, '85%'],
    },
    critical: {
      ...rangeSchema(
        'Fail when the used part of the space is outside this range. Without `warning` and `critical`: when less than 5 % and less than 5 GiB are available.',
      ),
      examples: [90, '95%'],
    },
    available: {
      ...rangeSchema('Fail when the space that is available is outside this range: an amount, not a part.'),
      examples: ['10GiB:'],
    },
    'warning-inodes': {
      ...rangeSchema('Warn when the used part of the inodes is outside this range.'),
      default: '90%',
      examples: ['90%'],
    },
    'critical-inodes': {
      ...rangeSchema('Fail when the used part of the inodes is outside this range.'),
      default: '95%',
      examples: ['95%'],
    },
    writable: {
      type: 'boolean',
      default: false,
      description:
        'Fail when the kernel made a file system read-only after an error; with `path`, also when it is mounted read-only.',
    },
    network: {
      type: 'boolean',
      default: false,
      description: 'Without `path`: look at network file systems too (NFS, CIFS, Ceph …).',
    },
    ignore: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Without `path`: mount points to leave out; `*`, `?` and `[…]` as in the shell.',
      examples: [['/mnt/archive', '/var/lib/kubelet/*']],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

const gib = 2 ** 30;

export default defineHostStep<Params, DiskData>({
  kind: 'check.disk',
  summary: 'Space and inodes of the local file systems, or of one path',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'ratio',
      critical: 'ratio',
      available: { unit: 'bytes', lower: true },
      'warning-inodes': 'ratio',
      'critical-inodes': 'ratio',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: (given) => [given.network ? 'network' : 'local', given.path ?? '', ...shortage(given), ...given.ignore],
  parse: (output, { path }) => readMounts(output, path),
  judge(data, given) {
    const results = data.mounts.map((mount) => judgeMount(mount, given));
    const issues = results.flatMap(({ issues: found }) => found);
    const metrics = results.flatMap((result) => result.metrics);
    const hung: Issue[] = data.unknown.map(({ path, reason, detail }) => ({
      level: 'unknown',
      reason: reason === 'timeout' ? 'mount-hung' : 'mount-unreadable',
      text: `${path} ${reason === 'timeout' ? detail : `cannot be measured: ${detail}`}`,
      finding: {
        id: 'mount-unknown',
        severity: 'high',
        subject: path,
        detail,
        remedy: 'Find out why the mount does not answer, or leave it out with ignore',
      },
    }));
    const sorted = [...issues, ...hung].sort((a, b) => rank[a.level] - rank[b.level]);
    const [worst] = sorted;
    if (worst)
      return {
        outcome: worst.level,
        reason: worst.reason,
        summary: listed(sorted.map((issue) => issue.text)),
        metrics,
        findings: sorted.map(({ finding }) => finding),
      };
    const judged = given.path === undefined ? data.mounts.filter(({ readOnly }) => !readOnly) : data.mounts;
    return { ...calm(judged), metrics };
  },
});

interface Issue {
  readonly level: 'failed' | 'unknown' | 'warning';
  readonly reason: string;
  readonly text: string;
  readonly finding: FoundIssue;
}

const rank = { failed: 0, unknown: 1, warning: 2 } as const;

function judgeMount(mount: Mount, given: Params): { issues: readonly Issue[]; metrics: readonly Metric[] } {
  const { path } = mount;
  const { hint, remedy } = hintOf(mount);
  const one = given.path !== undefined;
  const issues: Issue[] = [];
  const metrics: Metric[] = [];
  const add = (level: Issue['level'], reason: string, id: string, detail: string, remedy: string) =>
    issues.push({
      level,
      reason,
      text: `${path} ${detail}`,
      finding: { id, severity: level === 'failed' ? 'high' : 'medium', subject: path, detail, remedy },
    });

  if (given.writable && (mount.forcedReadOnly || (one && mount.readOnly)))
    add('failed', 'read-only', 'disk-read-only', 'is read-only', 'Look at the kernel log for errors of the device');
  // What takes no writes cannot fill up: media images are always full.
  if (mount.readOnly && !one) return { issues, metrics };

  if (mount.size > 0) {
    const limits = spaceLimits(mount, given);
    const { level, reason, limit } = judgeNumber(mount.usedRatio, limits.warning, limits.critical);
    metrics.push(metricOf(`used{${path}}`, mount.usedRatio, 'ratio', { ...limits, min: 0, max: 1 }));
    if (level !== 'ok' && limit)
      add(
        level,
        reason,
        'disk-space',
        `is ${percent(mount.usedRatio)} full, ${formatQuantity(mount.available, 'bytes')} left, ${formatLimit(limit, 'ratio')}${hint}`,
        remedy,
      );
    const amount = optionalRange(given.available, 'bytes');
    metrics.push(
      metricOf(`available{${path}}`, mount.available, 'bytes', { critical: amount, min: 0, max: mount.size }),
    );
    const verdict = judgeNumber(mount.available, undefined, amount);
    if (verdict.level !== 'ok' && verdict.limit)
      add(
        'failed',
        verdict.reason,
        'disk-space',
        `has ${formatQuantity(mount.available, 'bytes')} available, ${formatLimit(verdict.limit, 'bytes')}${hint}`,
        remedy,
      );
  }
  if (mount.inodesUsedRatio !== null) {
    const limits = {
      warning: optionalRange(given['warning-inodes'], 'ratio'),
      critical: optionalRange(given['critical-inodes'], 'ratio'),
    };
    const { level, reason, limit } = judgeNumber(mount.inodesUsedRatio, limits.warning, limits.critical);
    metrics.push(metricOf(`inodes-used{${path}}`, mount.inodesUsedRatio, 'ratio', { ...limits, min: 0, max: 1 }));
    if (level !== 'ok' && limit)
      add(
        level,
        reason,
        'disk-inodes',
        `has used ${percent(mount.inodesUsedRatio)} of its inodes, ${formatLimit(limit, 'ratio')}`,
        'Delete small files; df -i shows where they are',
      );
  }
  return { issues, metrics };
}

/** Deleted files that are still open hold space that no file shows; less than a hundredth is not worth a word. */
function hintOf({ held = [], size }: Mount): { readonly hint: string; readonly remedy: string } {
  const [first, ...others] = held;
  const all = held.reduce((sum, { bytes }) => sum + bytes, 0);
  if (!first || all < size / 100) return { hint: '', remedy: 'Delete or move data, or make the file system larger' };
  const who = `pid ${first.pid} (${first.program})`;
  const files = held.reduce((sum, holder) => sum + holder.files, 0);
  return {
    hint: `, ${formatQuantity(all, 'bytes')} held by ${files === 1 ? 'a deleted file' : `${files} deleted files`} of ${who}${
      others.length > 0 ? ` and ${others.length} more` : ''
    }`,
    remedy: `Restart ${who}, which keeps deleted files open`,
  };
}

/** When the probe shall look for deleted files: from this part on, with less than an amount left; and below a floor. */
function shortage({ warning, critical, available }: Params): readonly string[] {
  const ends = [warning, critical].flatMap((range) => {
    const { start, end, inside } = optionalRange(range, 'ratio') ?? { start: 0, end: 1, inside: false };
    return [inside ? start : end];
  });
  const given = warning !== undefined || critical !== undefined;
  const part = given ? Math.max(0, Math.min(1, ...ends)) : 0.85;
  const floor = optionalRange(available, 'bytes')?.start ?? 0;
  return [Math.floor(part * 10_000), given ? 2 ** 52 : 20 * gib, Math.min(2 ** 52, Math.max(0, floor))].map(String);
}

/**
 * Limits on the used part. The default is two limits at once, a part and an amount, so that 5 % of 40 TB is no
 * alarm: both are put into one range for this file system.
 */
function spaceLimits(
  mount: Mount,
  { warning, critical }: Params,
): { warning: Range | undefined; critical: Range | undefined } {
  if (warning !== undefined || critical !== undefined)
    return { warning: optionalRange(warning, 'ratio'), critical: optionalRange(critical, 'ratio') };
  const usable = mount.used + mount.available;
  const below = (part: number, amount: number): Range => ({
    start: 0,
    end: Math.max(1 - part, 1 - Math.min(1, amount / usable)),
    inside: false,
  });
  return { warning: below(0.15, 20 * gib), critical: below(0.05, 5 * gib) };
}

function calm(mounts: readonly Mount[]): Judgement {
  const fullest = mounts
    .filter((mount) => mount.size > 0)
    .toSorted((a, b) => b.usedRatio - a.usedRatio)
    .at(0);
  if (!fullest)
    return { outcome: 'unknown', reason: 'nothing-measured', summary: 'no file system that could be measured' };
  const used = `${fullest.path} is ${percent(fullest.usedRatio)} full`;
  return {
    outcome: 'ok',
    reason: 'ok',
    summary: mounts.length === 1 ? used : `${mounts.length} file systems, ${used} at most`,
  };
}

/** Rounded down, so that only what is full is called 100 %. */
function percent(ratio: number): string {
  return `${Math.floor(ratio * 100)} %`;
}

function listed(texts: readonly string[]): string {
  const rest = texts.length - 3;
  return `${texts.slice(0, 3).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}
