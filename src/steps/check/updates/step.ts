import { duration, parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { patternProblems, patternsSchema } from '../../patterns.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { type Issue, judgeIssues, measure } from '../issues.js';
import { managers, readUpdates, type Update, type UpdatesData } from './read.js';

const params = {
  type: 'object',
  properties: {
    manager: {
      enum: managers,
      description: 'Package manager to ask. The one that the host is run with when absent.',
    },
    'max-list-age': {
      ...duration('Age from which package lists prove nothing: the result is `unknown` then.'),
      default: '2d',
      examples: ['36h', '8d'],
    },
    'security-sources': {
      ...patternsSchema(
        'Regular expressions (RE2) of sources that hold security updates, such as `Debian-Security:12/stable-security`. For apt alone.',
      ),
      default: '(?i)security',
      examples: [['(?i)security', '^internal-fixes:']],
    },
    warning: { ...rangeSchema('Warn when the number of updates that wait is outside this range.'), examples: [20] },
    critical: { ...rangeSchema('Fail when the number of updates that wait is outside this range.'), examples: [100] },
    'warning-security': {
      ...rangeSchema('Warn when the number of security updates that wait is outside this range.'),
      default: 0,
      examples: [0],
    },
    'critical-security': {
      ...rangeSchema('Fail when the number of security updates that wait is outside this range.'),
      examples: [0, 5],
    },
    'warning-held': {
      ...rangeSchema('Warn when the number of updates that an administrator holds back is outside this range.'),
      examples: [0],
    },
    'critical-held': {
      ...rangeSchema('Fail when the number of updates that an administrator holds back is outside this range.'),
      examples: [5],
    },
    'warning-stuck': {
      ...rangeSchema('Warn when the number of updates that cannot be installed is outside this range.'),
      default: 0,
      examples: [0],
    },
    'critical-stuck': {
      ...rangeSchema('Fail when the number of updates that cannot be installed is outside this range.'),
      examples: [0],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

const limits = ['', '-security', '-held', '-stuck'].flatMap((what) => [`warning${what}`, `critical${what}`]);

export default defineHostStep<Params, UpdatesData>({
  kind: 'check.updates',
  summary: 'Updates that wait, security apart, by lists that are fresh',
  params,
  effect: 'read',
  // dnf and zypper read all their lists anew.
  timeout: 60,
  validate: (given) => [
    ...rangeProblems(given, Object.fromEntries(limits.map((name) => [name, 'count' as const]))),
    ...patternProblems(given, ['security-sources']),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: ({ manager }) => [manager ?? ''],
  parse: (output, given) => readUpdates(output, given['security-sources']),
  judge(data, given) {
    const { manager, updates, sources, age } = data;
    const of = (state: Update['state']) => updates.filter((update) => update.state === state);
    const [held, stuck] = [of('held'), of('stuck')];
    const waiting = updates.length - held.length;
    const security = securityOf(data);
    const measured = [
      measure(
        'security',
        security.count,
        'count',
        { warning: given['warning-security'], critical: given['critical-security'], min: 0 },
        () =>
          `${said(security.count, data.patches === null ? 'security update' : 'security patch')}${names(security.updates)}`,
      ),
      measure('updates', waiting, 'count', { warning: given.warning, critical: given.critical, min: 0 }, () =>
        said(waiting),
      ),
      measure(
        'stuck',
        stuck.length,
        'count',
        { warning: given['warning-stuck'], critical: given['critical-stuck'], min: 0 },
        (count) => `${count} cannot be installed${names(stuck)}`,
      ),
      measure(
        'held',
        held.length,
        'count',
        { warning: given['warning-held'], critical: given['critical-held'], min: 0 },
        (count) => `${count} ${held.length === 1 ? 'is' : 'are'} held${names(held)}`,
      ),
    ];
    const parts = [
      ...(security.count > 0 ? [`${security.count} for security`] : []),
      ...(held.length > 0 ? [`${held.length} more held${names(held)}`] : []),
    ];
    const detail = parts.length > 0 ? ` (${parts.join('; ')})` : '';
    return judgeIssues(
      [
        ...listIssues(data, given),
        ...measured.flatMap(({ issues }) => issues),
        ...untoldIssues(data, given, measured[0]?.issues.length === 0),
        ...blindIssues(data, given, measured[0]?.issues.length === 0),
      ],
      {
        calm: `${said(waiting)}${detail}, the lists of ${manager} are ${formatQuantity(age ?? 0, 'seconds')} old`,
        metrics: [
          ...measured.map(({ metric }) => metric),
          ...(age === null ? [] : [metricOf('list-age', age, 'seconds', { min: 0 })]),
          metricOf('sources', sources.length, 'count', { min: 0 }),
        ],
      },
    );
  },
});

/** Held updates are not counted: who holds them back knows. Their names are told. */
function securityOf({ updates, patches }: UpdatesData): { count: number; untold: number; updates: readonly Update[] } {
  const free = updates.filter(({ state }) => state !== 'held');
  const urgent = free.filter(({ security }) => security);
  const untold = free.filter(({ security }) => security === null).length;
  return { count: patches ?? urgent.length, untold, updates: patches === null ? urgent : [] };
}

/** What was not looked for lately was not proven absent. */
function listIssues({ manager, sources, age }: UpdatesData, given: Params): readonly Issue[] {
  const unknown = (reason: string, text: string): Issue => ({ outcome: 'unknown', reason, text });
  if (sources.length === 0) return [unknown('no-sources', `${manager} has no package sources`)];
  const absent = sources.filter((source) => source.age === null);
  const expired = sources.filter((source) => source.expired !== null);
  const limit = parseDuration(given['max-list-age']);
  const oldest = sources.find((source) => source.age === age && age !== null);
  const whose =
    manager !== 'apt' && sources.length > 1 && oldest ? `list of ${oldest.name} is` : `lists of ${manager} are`;
  return [
    ...(absent.length > 0
      ? [
          unknown(
            'no-lists',
            `${absent.length === sources.length ? 'no package list was' : `${absent.length} of ${sources.length} package lists were never`} fetched${names(absent)}`,
          ),
        ]
      : []),
    ...(age !== null && age > limit
      ? [
          unknown(
            'stale-lists',
            `the ${whose} ${formatQuantity(age, 'seconds')} old, limit ${formatQuantity(limit, 'seconds')}`,
          ),
        ]
      : []),
    ...expired.map((source) =>
      unknown(
        'expired-list',
        `the list of ${source.name} ceased to be valid ${formatQuantity(source.expired ?? 0, 'seconds')} ago`,
      ),
    ),
  ];
}

/** Some updates may be for security, and that would break a limit that the others keep. */
function untoldIssues(data: UpdatesData, given: Params, calm: boolean): readonly Issue[] {
  const { count, untold } = securityOf(data);
  if (!calm || untold === 0) return [];
  const thresholds = { warning: given['warning-security'], critical: given['critical-security'] };
  const worst = measure('security', count + untold, 'count', thresholds, () => '');
  if (worst.issues.length === 0) return [];
  const text = `${said(untold)} of which ${data.manager} does not tell whether they are for security`;
  return [{ outcome: 'unknown', reason: 'security-not-told', text }];
}

/** Without a source for security none waits, whatever is missing. */
function blindIssues(data: UpdatesData, given: Params, calm: boolean): readonly Issue[] {
  const { securitySource: source } = data;
  if (!calm || source === null || source === 'used') return [];
  const thresholds = { warning: given['warning-security'], critical: given['critical-security'] };
  if (measure('security', Number.MAX_SAFE_INTEGER, 'count', thresholds, () => '').issues.length === 0) return [];
  const text =
    source === 'none'
      ? `${data.manager} has no source for security; where another holds such updates, name it in security-sources`
      : `the sources for security are pinned so low that ${data.manager} ignores them`;
  return [{ outcome: 'unknown', reason: 'no-security-source', text }];
}

function said(count: number, what = 'update'): string {
  if (count === 0) return `no ${what} waits`;
  return count === 1 ? `1 ${what} waits` : `${count} ${what.endsWith('h') ? `${what}es` : `${what}s`} wait`;
}

function names(items: readonly { readonly name: string }[]): string {
  if (items.length === 0) return '';
  const more = items.length - 4;
  return `: ${items
    .slice(0, 4)
    .map(({ name }) => name)
    .join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
