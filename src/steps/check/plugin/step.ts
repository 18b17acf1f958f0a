import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import type { Metric } from '../../../result/result.schema.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { formatRange, judgeNumber, parseRange, type Range, RangeSyntaxError, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { plainText, type TextOrSecret, textOrSecret } from '../../secret-param.js';
import { defineHostStep, type StepProblem } from '../../step.js';
import { type Issue, judgeIssues } from '../issues.js';
import { type PluginData, readPlugin } from './output.js';
import { type Perfdatum, scaledRange } from './perfdata.js';

const params = {
  type: 'object',
  properties: {
    command: {
      type: 'array',
      items: textOrSecret('One word.'),
      minItems: 1,
      description:
        'The plugin and its arguments, one by one; no shell reads them. A name without a path is looked for where the distributions keep plugins, then on the `PATH`. It must change nothing: it runs in a dry run, too.',
      examples: [['check_load', '-w', '5,4,3', '-c', '10,8,6']],
    },
    env: {
      type: 'object',
      propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
      additionalProperties: textOrSecret('Value of the variable.'),
      default: {},
      description: 'Variables for the plugin. The place for its secrets.',
      examples: [{ PGPASSWORD: { secret: 'env:PG_PASSWORD' } }],
    },
    warning: {
      type: 'object',
      additionalProperties: rangeSchema('Warn outside this range.'),
      default: {},
      description:
        'By label of a number that the plugin prints: warn when it is outside this range. A limit without a unit is in the unit of the plugin.',
      examples: [{ load5: 4 }],
    },
    critical: {
      type: 'object',
      additionalProperties: rangeSchema('Fail outside this range.'),
      default: {},
      description: 'By label of a number that the plugin prints: fail when it is outside this range.',
      examples: [{ load5: 8, rta: '200ms' }],
    },
  },
  required: ['command'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'command' | 'env'> & {
  readonly command: readonly TextOrSecret[];
  readonly env: Readonly<Record<string, TextOrSecret>>;
};

export default defineHostStep<Params, PluginData>({
  kind: 'check.plugin',
  summary: 'What a monitoring plugin (Nagios, Icinga) says on the host',
  params,
  effect: 'read',
  alsoFrom: 'controller',
  validate: (given) => [...programProblems(given.command[0]), ...limitProblems(given)],
  probe: script('./probe.sh', import.meta.url),
  args: ({ env, command }) => [
    String(Object.keys(env).length),
    ...Object.entries(env).flatMap(([name, value]) => [name, plainText(value)]),
    ...command.map(plainText),
  ],
  parse: readPlugin,
  judge(data, given) {
    const judged = data.perfdata.map((datum) => judgeDatum(datum, given));
    const known = new Set(data.perfdata.map(({ metric }) => metric.name));
    const wanted = new Set([...Object.keys(given.warning), ...Object.keys(given.critical)]);
    const missing = [...wanted].filter((label) => !known.has(label));
    return judgeIssues(
      [
        ...statusIssues(data),
        ...judged.flatMap(({ issues }) => issues),
        ...missing.map((label) => lacking(label, data)),
      ],
      { calm: cut(data.text), metrics: judged.map(({ metric }) => metric) },
    );
  },
});

/** What the exit status and the text say. No text is no answer, whatever the status. */
function statusIssues({ status, text, error, plugin }: PluginData): Issue[] {
  const unknown = (reason: string, what: string): Issue[] => [{ outcome: 'unknown', reason, text: what }];
  const because = error === '' ? '' : `: ${cut(error)}`;
  if (status === 126 || status === 127) return unknown('tool-missing', `${plugin} could not be started${because}`);
  if (status > 128)
    return unknown('plugin-killed', `the plugin ended with status ${status}, as by signal ${status - 128}`);
  if (status > 3) return unknown('plugin-status', `exit status ${status} means nothing${because || `: ${cut(text)}`}`);
  if (text === '') return unknown('no-output', `the plugin said nothing, exit status ${status}${because}`);
  switch (status) {
    case 0:
      return [];
    case 1:
      return [{ outcome: 'warning', reason: 'plugin-warning', text: cut(text) }];
    case 2:
      return [{ outcome: 'failed', reason: 'plugin-critical', text: cut(text) }];
    default:
      return unknown('plugin-unknown', cut(text));
  }
}

/** A number of the plugin, held against the limits of the runbook where it has some. */
function judgeDatum(
  { metric, factor }: Perfdatum,
  given: Params,
): { readonly metric: Metric; readonly issues: readonly Issue[] } {
  const { name, value, unit } = metric;
  const limitOf = (limits: Params['warning']): Range | undefined => {
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    if (limit === undefined) return undefined;
    return isRange(limit, 'count') ? scaledRange(limit, factor) : parseRange(limit, unit);
  };
  try {
    const [warning, critical] = [limitOf(given.warning), limitOf(given.critical)];
    const { level, reason, limit } = judgeNumber(value, warning, critical);
    return {
      metric: {
        ...metric,
        ...(warning && { warning: formatRange(warning) }),
        ...(critical && { critical: formatRange(critical) }),
      },
      issues:
        level === 'ok' || !limit
          ? []
          : [{ outcome: level, reason, text: `${name} ${formatQuantity(value, unit)}, ${formatLimit(limit, unit)}` }],
    };
  } catch (error) {
    if (!(error instanceof RangeSyntaxError)) throw error;
    // The unit is only known now.
    return { metric, issues: [{ outcome: 'unknown', reason: 'wrong-unit', text: `${name}: ${error.message}` }] };
  }
}

function lacking(label: string, { unknown }: PluginData): Issue {
  const what = unknown.includes(label) ? `does not know its value of ${label}` : `printed no number called ${label}`;
  return { outcome: 'unknown', reason: 'no-number', text: `the plugin ${what}` };
}

function programProblems(program: TextOrSecret | undefined): StepProblem[] {
  if (typeof program === 'string' && (program.includes('${{') || /^(?:\/|[^/]+$)/.test(program))) return [];
  return [
    {
      path: ['command', 0],
      what: typeof program === 'string' ? `"${program}" is neither a name nor a whole path` : 'the plugin must be text',
      hint: 'write check_load or /usr/lib/nagios/plugins/check_load',
    },
  ];
}

/** A limit must fit one unit at least; which one the number has, the plugin tells. */
function limitProblems(given: Params): StepProblem[] {
  const units = ['count', 'bytes', 'seconds', 'ratio', 'celsius'] as const;
  return (['warning', 'critical'] as const).flatMap((level) =>
    Object.entries(given[level]).flatMap(([label, limit]) =>
      String(limit).includes('${{') || units.some((unit) => isRange(limit, unit))
        ? []
        : [
            {
              path: [level, label],
              what: `"${limit}" is not a range such as 80, 10: or @10:20`,
              hint: 'docs/checks.md explains thresholds',
            },
          ],
    ),
  );
}

function isRange(source: string | number, unit: Metric['unit']): boolean {
  try {
    parseRange(source, unit);
    return true;
  } catch (error) {
    if (error instanceof RangeSyntaxError) return false;
    throw error;
  }
}

function cut(line: string): string {
  const trimmed = line.trim();
  return trimmed.length > 200 ? `${trimmed.slice(0, 199)}…` : trimmed;
}
