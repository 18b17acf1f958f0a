import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { cachedRegex } from '../../../expressions/regex.js';
import { patternProblems } from '../../patterns.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, parseRange, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { type Issue, judgeIssues, measure, type Thresholds } from '../issues.js';
import { type Process, type ProcessData, readProcesses } from './processes.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      pattern: '^[^\\s/]+$',
      description: 'Name of the program, without its folder.',
      examples: ['nginx', 'systemd-journald'],
    },
    pattern: {
      type: 'string',
      minLength: 1,
      description: 'Regular expression (RE2) that must occur in the command line, its words apart by one space.',
      examples: ['^java .*-jar /srv/app\\.jar'],
    },
    user: {
      type: 'string',
      pattern: '^[^-\\s][^\\s]*$',
      description: 'User that it must run as. Processes of others do not count.',
      examples: ['www-data'],
    },
    count: {
      ...rangeSchema('Fail when the number of such processes is outside this range. 0 for none.'),
      default: '1:',
      examples: ['1:', '2:8', 0],
    },
    'warning-rss': {
      ...rangeSchema('Warn when the resident memory of one of them is outside this range.'),
      examples: ['1GiB'],
    },
    'critical-rss': {
      ...rangeSchema('Fail when the resident memory of one of them is outside this range.'),
      examples: ['4GiB'],
    },
    'warning-age': {
      ...rangeSchema('Warn when the time since one of them started is outside this range; a number is seconds.'),
      examples: ['5m:', '12h'],
    },
    'critical-age': {
      ...rangeSchema('Fail when the time since one of them started is outside this range; a number is seconds.'),
      examples: ['1m:', '1d'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

/** What the kernel keeps of a name. */
const kernelName = 15;

export default defineHostStep<Params, ProcessData>({
  kind: 'check.process',
  summary: 'How many processes run, as whom, how large and how old',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, {
      count: 'count',
      'warning-rss': 'bytes',
      'critical-rss': 'bytes',
      'warning-age': 'seconds',
      'critical-age': 'seconds',
    }),
    ...patternProblems(given, ['pattern']),
    ...(given.name === undefined && given.pattern === undefined
      ? [{ path: [], what: 'there is neither `name` nor `pattern`', hint: 'say which process: name: nginx' }]
      : []),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: ({ name, user }) => [(name ?? '').slice(0, kernelName).replaceAll('\\', '\\\\'), user ?? ''],
  parse: readProcesses,
  judge({ processes, user }, given) {
    const found = processes.filter((process) => isMeant(process, given) && (user === null || process.uid === user));
    const subject = `${given.name ?? `/${given.pattern}/`}${given.user === undefined ? '' : ` of ${given.user}`}`;
    const range = parseRange(given.count, 'count');
    const count = judgeNumber(found.length, undefined, range);
    const running =
      found.length === 1 ? 'is 1 process' : found.length === 0 ? 'does not run' : `is ${found.length} processes`;
    const issues: Issue[] = [];
    if (count.level === 'failed')
      issues.push({
        outcome: 'failed',
        reason: found.length === 0 ? 'process-absent' : count.reason,
        text: found.length === 0 ? running : `${running}, ${formatLimit(range, 'count')}`,
      });
    const rss = worst(found, 'rss', given);
    const age = worst(found, 'age', given);
    const asksAge = given['warning-age'] !== undefined || given['critical-age'] !== undefined;
    if (asksAge && found.some((process) => process.age === null))
      issues.push({ outcome: 'unknown', reason: 'not-measured', text: 'does not tell its age' });
    const total = found.reduce((sum, process) => sum + process.rss, 0);
    return judgeIssues([...issues, ...rss.issues, ...age.issues], {
      subject,
      calm: found.length === 0 ? running : `${running}, ${formatQuantity(total, 'bytes')}`,
      metrics: [
        metricOf('processes', found.length, 'count', { critical: range, min: 0 }),
        metricOf('rss-total', total, 'bytes', { min: 0 }),
        ...rss.metrics,
        ...age.metrics,
      ],
    });
  },
});

function isMeant(process: Process, { name, pattern }: Params): boolean {
  if (name !== undefined) {
    if (process.name !== name.slice(0, kernelName)) return false;
    // The kernel cut it: the first word of the command line has all of it.
    if (name.length > kernelName && process.command.split(/[ :]/)[0]?.split('/').at(-1) !== name) return false;
  }
  return pattern === undefined || (process.command !== '' && cachedRegex(pattern).test(process.command));
}

/** The process that is worst by its memory or age; of equals the largest. */
function worst(found: readonly Process[], name: 'rss' | 'age', given: Params) {
  const unit = name === 'rss' ? 'bytes' : 'seconds';
  const limits: Thresholds = { warning: given[`warning-${name}`], critical: given[`critical-${name}`], min: 0 };
  const ranks = { ok: 0, warning: 1, unknown: 1, failed: 2 } as const;
  const measured = found
    .flatMap((process) => (process[name] === null ? [] : [{ pid: process.pid, value: process[name] }]))
    .map(({ pid, value }) => ({
      value,
      ...measure(name, value, unit, limits, (quantity) =>
        name === 'rss' ? `process ${pid} uses ${quantity}` : `process ${pid} started ${quantity} ago`,
      ),
    }))
    .toSorted((a, b) => {
      const rank = (one: typeof a) => ranks[one.issues[0]?.outcome ?? 'ok'];
      return rank(b) - rank(a) || b.value - a.value;
    });
  const [first] = measured;
  return first ? { issues: first.issues, metrics: [first.metric] } : { issues: [], metrics: [] };
}
