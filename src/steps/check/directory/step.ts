import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, measure, unclear, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      pattern: '^/',
      description: 'Folder to look into.',
      examples: ['/var/tmp', '/srv/backup'],
    },
    name: {
      type: 'string',
      minLength: 1,
      pattern: '^[^/]*$',
      description: 'Count only what has a name like this, with `*`, `?` and `[…]` as in a shell.',
      examples: ['*.dump', 'core.*'],
    },
    type: { enum: ['file', 'directory'], default: 'file', description: 'What to count.' },
    depth: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      description: 'How many levels to go down; 1 is the folder itself. All when absent.',
    },
    warning: { ...rangeSchema('Warn when the number of files is outside this range.'), examples: [1000] },
    critical: { ...rangeSchema('Fail when the number of files is outside this range.'), examples: ['1:10000'] },
    'warning-size': { ...rangeSchema('Warn when the size of all files is outside this range.'), examples: ['10GiB'] },
    'critical-size': { ...rangeSchema('Fail when the size of all files is outside this range.'), examples: ['1MiB:'] },
    'warning-oldest': {
      ...rangeSchema('Warn when the age of the oldest file is outside this range; a number is seconds.'),
      examples: ['1h'],
    },
    'critical-oldest': {
      ...rangeSchema('Fail when the age of the oldest file is outside this range; a number is seconds.'),
      examples: ['6h'],
    },
    'warning-newest': {
      ...rangeSchema('Warn when the age of the newest file is outside this range; a number is seconds.'),
      examples: ['26h'],
    },
    'critical-newest': {
      ...rangeSchema(
        'Fail when the age of the newest file is outside this range, or there is none; a number is seconds.',
      ),
      examples: ['50h'],
    },
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface DirectoryData {
  readonly count: number;
  /** Bytes, as the files say; a file with holes takes less. */
  readonly size: number;
  /** Seconds since the last change, negative when that is dated ahead; null without a file. */
  readonly oldest: number | null;
  readonly newest: number | null;
  /** What could not be looked at. */
  readonly complaints: number;
  readonly complaint: string;
}

export default defineHostStep<Params, DirectoryData | null>({
  kind: 'check.directory',
  summary: 'How many files are below a folder, how large, how old',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'count',
      critical: 'count',
      'warning-size': 'bytes',
      'critical-size': 'bytes',
      'warning-oldest': 'seconds',
      'critical-oldest': 'seconds',
      'warning-newest': 'seconds',
      'critical-newest': 'seconds',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ path, name, type, depth }) => [path, type === 'file' ? 'f' : 'd', String(depth ?? ''), name ?? ''],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    if (lines.length === 1 && lines[0]?.[0] === 'absent') return null;
    const values = new Map(lines);
    const [, complaints, complaint = ''] = /^(\d+) ?(.*)$/.exec(values.get('complaints') ?? '') ?? [];
    // The last line, so all that is before it is there.
    if (complaints === undefined || lines.at(-1)?.[0] !== 'complaints')
      throw new UnreadableOutput('the end of the count is missing');
    const number = (name: string) => numberOf(values.get(name), name);
    const count = number('count');
    const ageOf = (name: string) => {
      if (count === 0) return null;
      const age = number('now') - number(name);
      // Clocks of file servers differ a little. What is dated far ahead must not stay young for ever.
      return age > -60 ? Math.max(0, age) : age;
    };
    const size = number('size');
    return { count, size, oldest: ageOf('oldest'), newest: ageOf('newest'), complaints: Number(complaints), complaint };
  },
  judge(data, given) {
    const { path, name, type } = given;
    if (!data) return { outcome: 'failed', reason: 'no-directory', summary: `${path} does not exist` };
    const what = (amount: number) => {
      const word = type === 'file' ? (amount === 1 ? 'file' : 'files') : amount === 1 ? 'folder' : 'folders';
      return `${word}${name === undefined ? '' : ` ${name}`}`;
    };
    const numbers = measureDirectory(data, given, what(data.count));
    const { count, size, newest, complaints, complaint } = data;
    const wantsNewest = given['warning-newest'] !== undefined || given['critical-newest'] !== undefined;
    const issues: readonly Issue[] = [
      ...(newest === null && wantsNewest ? [wrong('no-file', `holds no ${what(1)}`)] : []),
      ...(complaints > 0
        ? [
            unclear(
              'unreadable-folder',
              `could not be searched as a whole (${complaints} times): ${complaint.slice(0, 200)}`,
            ),
          ]
        : []),
      ...numbers.flatMap((number) => number.issues),
    ];
    const age = newest === null ? '' : `, the newest ${ageText(newest)}`;
    return judgeIssues(issues, {
      subject: path,
      calm: `holds ${count} ${what(count)}${type === 'file' ? ` of ${formatQuantity(size, 'bytes')}` : ''}${age}`,
      // A part of the files would be a wrong number for what comes later.
      metrics: complaints > 0 ? [] : numbers.map(({ metric }) => metric),
    });
  },
});

function ageText(seconds: number): string {
  return seconds < 0
    ? `dated ${formatQuantity(-seconds, 'seconds')} ahead`
    : `${formatQuantity(seconds, 'seconds')} old`;
}

function measureDirectory({ count, size, oldest, newest }: DirectoryData, given: Params, what: string) {
  const limitsOf = (name: 'size' | 'oldest' | 'newest') => ({
    warning: given[`warning-${name}`],
    critical: given[`critical-${name}`],
    min: 0,
  });
  const counted = { warning: given.warning, critical: given.critical, min: 0 };
  const age = (name: 'oldest' | 'newest', seconds: number) =>
    measure(name, seconds, 'seconds', limitsOf(name), () => `the ${name} is ${ageText(seconds)}`);
  return [
    measure('count', count, 'count', counted, (number) => `holds ${number} ${what}`),
    measure('size', size, 'bytes', limitsOf('size'), (bytes) => `holds ${bytes}`),
    ...(oldest === null ? [] : [age('oldest', oldest)]),
    ...(newest === null ? [] : [age('newest', newest)]),
  ];
}
