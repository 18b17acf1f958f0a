import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type Memory, type StepProblem, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, measure } from '../issues.js';

const patterns = { type: 'array', items: { type: 'string', minLength: 1, maxLength: 1_000 }, minItems: 1 } as const;

const params = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      pattern: '^/',
      description: 'Log file. Or set `journal`.',
      examples: ['/var/log/syslog', '/var/log/nginx/error.log'],
    },
    journal: { type: 'boolean', description: 'Look at the journal of systemd in place of a file.' },
    unit: {
      type: 'string',
      pattern: '^[^-\\s]\\S*$',
      description: 'Only messages of this unit; with `journal`.',
      examples: ['nginx.service'],
    },
    priority: {
      enum: ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'],
      description: 'Only messages of this priority or worse; with `journal`.',
    },
    pattern: {
      ...patterns,
      description:
        'Extended regular expressions, as `grep -E` of the host reads them; a line counts when one of them fits. Every line when absent.',
      examples: [['error', 'segfault at [0-9a-f]+']],
    },
    ignore: {
      ...patterns,
      description: 'Lines that fit one of these do not count.',
      examples: [['connection reset by peer$']],
    },
    'ignore-case': { type: 'boolean', default: false, description: 'Capital and small letters are the same.' },
    first: {
      enum: ['end', 'start'],
      default: 'end',
      description: 'Where the first look begins: at the end, so that it only sets a mark, or at the start of the log.',
    },
    'limit-mib': {
      type: 'integer',
      minimum: 1,
      maximum: 65_536,
      default: 256,
      description: 'Most that one look reads, in MiB. Of more only the newest part is read, and the result is unknown.',
    },
    warning: { ...rangeSchema('Warn when the number of lines is outside this range.'), examples: [0] },
    critical: {
      ...rangeSchema('Fail when the number of lines is outside this range.'),
      default: 0,
      examples: [0, '1:'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface LogData {
  /** Lines that matched since the last look. */
  readonly count: number;
  /** The first of them. */
  readonly lines: readonly string[];
  /** Bytes that were read; null for a journal. */
  readonly scanned: number | null;
  /** There was no earlier look. */
  readonly first: boolean;
  /** What was lost between the last look and this one. */
  readonly gaps: readonly string[];
  /** Where this look ended; the next one begins there. */
  readonly mark: Mark;
}

interface Mark {
  /** What the mark is of; another log begins anew. */
  readonly of: string;
  /** Inode of a file, cursor of a journal. */
  readonly id: string;
  readonly offset: number;
  /** Checksums of the start of the file and of what stands before the offset, with their lengths. */
  readonly head: string;
}

export default defineHostStep<Params, LogData>({
  kind: 'check.log',
  summary: 'New lines of a log file or the journal that match a pattern',
  params,
  effect: 'read',
  remembers: true,
  timeout: 60,
  validate: (given) => [
    ...rangeProblems(given, { warning: 'count', critical: 'count' }),
    ...sourceProblems(given),
    ...(['pattern', 'ignore'] as const).flatMap((name) =>
      (given[name] ?? []).flatMap((pattern, index) => patternProblem(pattern, [name, index])),
    ),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: (given, memory) => {
    const mark = markOf(given, memory);
    return [
      given.journal ? 'journal' : 'file',
      given.path ?? given.unit ?? '',
      given.priority ?? '',
      given.first,
      given['ignore-case'] ? 'nocase' : 'case',
      String(given['limit-mib'] * 1_048_576),
      ...(mark ? [mark.id, String(mark.offset), mark.head] : ['', '', '']),
      (given.pattern ?? ['']).join('\n'),
      (given.ignore ?? []).join('\n'),
    ];
  },
  parse(output, given) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const all = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
    const counts = all('count').map((value) => numberOf(value, 'count'));
    const scanned = all('scanned').map((value) => numberOf(value, 'scanned'));
    const [mark] = all('mark');
    const [, id, offset, head] = /^(\S+) (\d+) (\S+)$/.exec(mark ?? '') ?? [];
    if (id === undefined || offset === undefined || head === undefined)
      throw new UnreadableOutput('where the look ended is missing');
    return {
      count: counts.reduce((sum, count) => sum + count, 0),
      lines: all('line').slice(0, 10),
      scanned: given.journal ? null : scanned.reduce((sum, bytes) => sum + bytes, 0),
      first: all('first').length > 0,
      gaps: [...new Set(all('gap'))],
      mark: { of: subjectOf(given), id, offset: Number(offset), head },
    };
  },
  judge({ count, lines, scanned, first, gaps, mark }, given, { memory }) {
    const subject = given.path ?? given.unit ?? 'the journal';
    const keep = mark;
    if (first && given.first === 'end') {
      if (memory?.isLost) {
        const summary = `${subject}: nobody knows what was new, the mark of the last look cannot be read`;
        return { outcome: 'unknown', reason: 'gap', summary, keep };
      }
      const summary = `${subject}: first look, from now on new lines count`;
      return { outcome: 'skipped', reason: 'first-look', summary, keep };
    }
    const what = given.pattern ? 'matching line' : 'line';
    const since = first ? '' : ' since the last look';
    const shown = lines[0] === undefined ? '' : `: ${lines[0].trim().slice(0, 160)}`;
    const phrase = () => `${count === 0 ? 'no' : count} ${what}${count === 1 ? '' : 's'}${since}`;
    const { metric, issues } = measure('lines', count, 'count', { ...given, min: 0 }, () => `${phrase()}${shown}`);
    const lost: Issue[] = gaps.map((text) => ({ outcome: 'unknown', reason: 'gap', text }));
    const judgement = judgeIssues([...issues, ...lost], {
      subject: `${subject}:`,
      calm: phrase(),
      metrics: [metric, ...(scanned === null ? [] : [metricOf('scanned', scanned, 'bytes', { min: 0 })])],
    });
    return { ...judgement, keep };
  },
});

function subjectOf({ path, unit, priority }: Params): string {
  return path ?? `journal ${unit ?? ''} ${priority ?? ''}`;
}

/** The mark of the last look at the same log. */
function markOf(given: Params, memory: Memory | undefined): Mark | undefined {
  const kept = memory?.kept as Partial<Mark> | undefined;
  if (kept?.of !== subjectOf(given)) return undefined;
  const { of, id, offset, head } = kept;
  return typeof id === 'string' && typeof offset === 'number' && typeof head === 'string'
    ? { of, id, offset, head }
    : undefined;
}

function sourceProblems({ path, journal, unit, priority }: Params): StepProblem[] {
  if (path === undefined && !journal)
    return [{ path: [], what: 'has no log to look at', hint: 'set `path`, or `journal: true`' }];
  if (path !== undefined && journal)
    return [{ path: ['journal'], what: 'a log is a file or the journal', hint: 'keep one of `path` and `journal`' }];
  if (path !== undefined && (unit ?? priority) !== undefined)
    return [
      { path: [unit === undefined ? 'priority' : 'unit'], what: 'belongs to `journal`', hint: 'remove it, or `path`' },
    ];
  return [];
}

/** What other dialects have and grep -E of some hosts reads otherwise, without a word. */
function patternProblem(pattern: string, path: (string | number)[]): StepProblem[] {
  const foreign = /\\[A-Za-z0-9]|\(\?|[*+?]\?|\n/.exec(pattern)?.[0];
  if (foreign === undefined) return [];
  const hints: Readonly<Record<string, string>> = {
    '\\d': 'write [0-9]',
    '\\w': 'write [[:alnum:]_]',
    '\\s': 'write [[:space:]]',
    '(?': 'for `(?i)` set ignore-case: true',
    '\n': 'write a list of patterns',
  };
  return [
    {
      path,
      what: `${JSON.stringify(foreign)} is not of extended regular expressions`,
      hint: hints[foreign] ?? 'write what `grep -E` understands',
    },
  ];
}
