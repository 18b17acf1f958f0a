import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { commandProbe } from '../../command-probe.js';
import { patternProblems, patternsSchema } from '../../patterns.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import {
  dimensionOf,
  judgeNumber,
  metricOf,
  optionalRange,
  rangeProblems,
  rangeSchema,
  unitNames,
} from '../../range.js';
import { plainText, secrecyOf, type TextOrSecret, textOrSecret } from '../../secret-param.js';
import { defineHostStep, type Judgement } from '../../step.js';
import { type CommandData, readCommand } from './output.js';

const statuses = { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 } } as const;

const params = {
  type: 'object',
  properties: {
    command: {
      type: 'string',
      minLength: 1,
      maxLength: 100000,
      description:
        'Shell text, given to `SHELL -c`. It must change nothing: it runs in a dry run, too. Values belong in `args`.',
      examples: ['wc -l </var/spool/queue/index', 'curl -fsS "$1"'],
    },
    args: {
      type: 'array',
      items: textOrSecret('One argument.'),
      default: [],
      description:
        'Arguments, `"$1"` and so on. The only safe way for values of other steps and for secrets to get in; they never become shell text.',
      examples: [['http://localhost:8080/health']],
    },
    shell: {
      type: 'string',
      minLength: 1,
      default: '/bin/sh',
      description: 'Shell that runs the text, on the host.',
      examples: ['/bin/bash'],
    },
    'exit-status': {
      ...statuses,
      minItems: 1,
      default: [0],
      description: 'Exit statuses that are fine.',
      examples: [[0, 3]],
    },
    'warning-status': { ...statuses, default: [], description: 'Exit statuses that are a warning.', examples: [[1]] },
    stdout: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in standard output.'),
      examples: ['^ok', ['primary', 'in sync']],
    },
    'stdout-lacks': {
      ...patternsSchema('Regular expressions (RE2) that must not occur in standard output.'),
      examples: ['(?i)error'],
    },
    stderr: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in standard error.'),
      examples: ['done'],
    },
    'stderr-lacks': {
      ...patternsSchema('Regular expressions (RE2) that must not occur in standard error.'),
      examples: ['.'],
    },
    json: {
      type: 'string',
      pattern: '^(/|$)',
      description: 'JSON pointer to one value of the output, for `equals` and the limits.',
      examples: ['/status', '/nodes/0/lag'],
    },
    equals: {
      type: ['string', 'number', 'boolean'],
      description: 'What the value at `json` must be; without `json`: the whole output, white space at its ends cut.',
      examples: ['green'],
    },
    number: {
      type: 'string',
      minLength: 1,
      description:
        'Regular expression (RE2) whose first group is the number that the limits are for. Without it: the value at `json`, or the first number of the output.',
      examples: ['lag: ([0-9.]+)'],
    },
    unit: {
      enum: unitNames,
      default: 'count',
      description: 'Unit of that number, and of limits that name none.',
      examples: ['ms', '%', 'MiB'],
    },
    warning: { ...rangeSchema('Warn when the number is outside this range.'), examples: [100] },
    critical: { ...rangeSchema('Fail when the number is outside this range.'), examples: [500] },
  },
  required: ['command'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'args' | 'unit'> & {
  readonly args: readonly TextOrSecret[];
  readonly unit: string;
};

export default defineHostStep<Params, CommandData>({
  kind: 'check.command',
  summary: 'Exit status and output of a command that changes nothing',
  params,
  effect: 'read',
  rawStatus: true,
  validate(given) {
    const range = { unit: dimensionOf(given.unit).unit, bare: bareUnit(given.unit) };
    return [
      ...rangeProblems(given, { warning: range, critical: range }),
      ...patternProblems(given, ['stdout', 'stdout-lacks', 'stderr', 'stderr-lacks', 'number']),
    ];
  },
  probe: commandProbe,
  args: ({ shell, command, args }) => [shell, command, secrecyOf(args), ...args.map(plainText)],
  parse: readCommand,
  judge(data, given) {
    const limits = {
      warning: optionalRange(given.warning, data.unit, bareUnit(given.unit)),
      critical: optionalRange(given.critical, data.unit, bareUnit(given.unit)),
    };
    const metrics = data.number === null ? [] : [metricOf('value', data.number, data.unit, limits)];
    const judged = (outcome: Judgement['outcome'], reason: string, summary: string): Judgement => ({
      outcome,
      reason,
      summary,
      metrics,
    });

    const statusIsFine = given['exit-status'].includes(data.exitStatus);
    const statusWarns = given['warning-status'].includes(data.exitStatus);
    if (!statusIsFine && !statusWarns) {
      const said = lastLine(data.stderr) || lastLine(data.stdout);
      // The command itself could not be looked at: that is no statement about what it checks.
      const missing = data.exitStatus === 127 || data.exitStatus === 126;
      return judged(
        missing ? 'unknown' : 'failed',
        missing ? 'tool-missing' : 'exit-status',
        `exit status ${data.exitStatus}${said && `: ${said}`}`,
      );
    }
    const wrong = outputIssue(data);
    if (wrong) return judged(wrong.outcome, wrong.reason, wrong.summary);
    if (data.problem !== null) return judged('unknown', 'unreadable-output', data.problem);
    if (data.equal === false) {
      const value = data.json ?? data.stdout;
      return judged('failed', 'not-equal', `${given.json || 'output'} is ${cut(value)}, should be ${given.equals}`);
    }
    if (data.number !== null) {
      const { level, reason, limit } = judgeNumber(data.number, limits.warning, limits.critical);
      const value = formatQuantity(data.number, data.unit);
      if (level !== 'ok' && limit) return judged(level, reason, `value ${value}, ${formatLimit(limit, data.unit)}`);
      if (!statusWarns) return judged('ok', 'ok', `value ${value}`);
    }
    if (statusWarns)
      return judged('warning', 'exit-status', `exit status ${data.exitStatus}: ${firstLine(data.stdout)}`);
    return judged('ok', 'ok', firstLine(data.stdout) || `exit status ${data.exitStatus}`);
  },
});

/** A limit without a unit is in the unit of the number. */
function bareUnit(unit: string): string {
  return unit === 'count' ? '' : unit;
}

function outputIssue({
  mismatch,
}: CommandData): { outcome: 'failed' | 'unknown'; reason: string; summary: string } | undefined {
  if (!mismatch) return undefined;
  const { stream, kind, pattern } = mismatch;
  switch (kind) {
    case 'found':
      return { outcome: 'failed', reason: 'match', summary: `${stream} contains /${cut(pattern)}/` };
    case 'missing':
      return { outcome: 'failed', reason: 'no-match', summary: `${stream} does not contain /${cut(pattern)}/` };
    case 'too-long':
      return {
        outcome: 'unknown',
        reason: 'output-too-long',
        summary: `${stream} is too long to look for /${cut(pattern)}/`,
      };
  }
}

function firstLine(output: string): string {
  return cut(output.split('\n').find((line) => line.trim() !== '') ?? '');
}

function lastLine(output: string): string {
  return cut(output.split('\n').findLast((line) => line.trim() !== '') ?? '');
}

function cut(line: string): string {
  const trimmed = line.trim();
  return trimmed.length > 160 ? `${trimmed.slice(0, 159)}…` : trimmed;
}
