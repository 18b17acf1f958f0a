import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { patternProblems, patternsSchema } from '../../patterns.js';
import { metricOf, parseRange, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { type TextOrSecret, textOrSecret } from '../../secret-param.js';
import { defineHostStep, type StepProblem, UnreadableOutput } from '../../step.js';
import { judgeIssues, wrong } from '../issues.js';
import { type Expectation, type Finding, meet } from './expectation.js';
import { type Format, formatOf, formats, isTyped, readConfig } from './formats.js';
import type { Trouble } from './trouble.js';
import { parseXmlPath } from './xml.js';

const params = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      pattern: '^/',
      description: 'File to read, up to 1 MB.',
      examples: ['/etc/app/config.toml'],
    },
    format: {
      enum: formats,
      description: 'What the file is written in. Told by the end of its name when absent (`.conf` tells nothing).',
    },
    values: {
      type: 'array',
      minItems: 1,
      description: 'What must be in it: each with `at` and any of `equals`, `matches`, `range`, `state`, `sensitive`.',
      examples: [[{ at: 'server.port', equals: 8443 }]],
      items: {
        type: 'object',
        properties: {
          at: {
            type: 'string',
            minLength: 1,
            description:
              'Where the value is: `a.b.0` or a JSON pointer `/a/b/0`; `section.key` in ini; `/a/b[@id="x"]/@c` in xml.',
          },
          equals: textOrSecret('What the value must be. In json, yaml and toml a number is not a text.'),
          matches: patternsSchema('Regular expressions (RE2) that must all occur in the value.'),
          range: rangeSchema('Fail when the number is outside this range.'),
          state: { enum: ['present', 'absent'], default: 'present', description: 'Whether it must be there.' },
          sensitive: { type: 'boolean', default: false, description: 'Never show the value.' },
        },
        required: ['at'],
        additionalProperties: false,
      },
    },
  },
  required: ['path', 'values'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Given = FromSchema<typeof params>;
type Params = Omit<Given, 'values'> & {
  readonly values: readonly (Omit<Given['values'][number], 'equals'> & { readonly equals?: TextOrSecret })[];
};

export interface ConfigData {
  readonly exists: boolean;
  /** Bytes. */
  readonly size: number;
  /** Why the file could not be read as what it should be. */
  readonly trouble: Trouble | null;
  readonly values: readonly Finding[];
}

const sizeLimit = 1_000_000;

export default defineHostStep<Params, ConfigData>({
  kind: 'check.config',
  summary: 'Values in a configuration file: ini, json, yaml, toml, xml, key=value',
  params,
  effect: 'read',
  hidesOutput: true,
  validate: problemsOf,
  probe: script('./probe.sh', import.meta.url),
  args: ({ path }) => [path],
  parse(output, given) {
    expectSuccess(output);
    const end = output.stdout.indexOf('\n');
    const [, word, number] = /^(absent|size)\t(\d*)$/.exec(output.stdout.toString('latin1', 0, Math.max(0, end))) ?? [];
    if (word === 'absent') return { exists: false, size: 0, trouble: null, values: [] };
    if (word !== 'size' || !number) throw new UnreadableOutput('the size of the file is missing');
    const size = Number(number);
    const bytes = output.stdout.subarray(end + 1);
    if (size > sizeLimit) return { exists: true, size, trouble: { what: 'larger than 1 MB' }, values: [] };
    if (bytes.length !== size) throw new UnreadableOutput(`${bytes.length} of ${size} bytes of the file arrived`);
    const format = given.format ?? formatOf(given.path);
    if (format === undefined) throw new UnreadableOutput('the format of the file is not known');
    const find = readConfig(bytes, given.path, format);
    if (typeof find !== 'function') return { exists: true, size, trouble: find, values: [] };
    const values = given.values.map((value) => meet(expectationOf(value), find(value.at), isTyped(format)));
    return { exists: true, size, trouble: null, values };
  },
  judge({ exists, trouble, values }, { path, values: wanted }) {
    if (!exists) return { outcome: 'failed', reason: 'no-file', summary: `${path} does not exist` };
    if (trouble) {
      const place = [path, trouble.line, trouble.column].filter((part) => part !== undefined).join(':');
      return { outcome: 'unknown', reason: 'unreadable-file', summary: `${place}: ${trouble.what}` };
    }
    const issues = values.flatMap((value) => (value.wrong ? [wrong(value.wrong.reason, value.wrong.text)] : []));
    const metrics = values.flatMap(({ at, number }) => {
      const range = wanted.find((value) => value.at === at && value.range !== undefined)?.range;
      if (number === null || range === undefined) return [];
      return [metricOf(at, number, 'count', { critical: parseRange(range, 'count') })];
    });
    const calm = `is as it should be (${values.length} ${values.length === 1 ? 'value' : 'values'})`;
    return judgeIssues(issues, { subject: issues.length === 0 ? path : `${path}:`, calm, metrics });
  },
});

/** Defaults inside a list are not filled in by everybody who calls. */
function expectationOf({ at, equals, matches, range, state, sensitive }: Params['values'][number]): Expectation {
  return { at, equals, matches, range, state: state ?? 'present', sensitive: sensitive ?? false };
}

function problemsOf({ path, format, values }: Params): StepProblem[] {
  const told: Format | undefined = format ?? formatOf(path);
  const unknownFormat =
    told === undefined && !path.includes('${{')
      ? [
          {
            path: ['format'],
            what: `the name of ${path} does not tell its format`,
            hint: `add format: ${formats.join(', ')}`,
          },
        ]
      : [];
  return [...unknownFormat, ...values.flatMap((value, index) => valueProblems(value, told, ['values', index]))];
}

function valueProblems(
  value: Params['values'][number],
  format: Format | undefined,
  place: readonly (string | number)[],
): StepProblem[] {
  const { at, state, equals, matches, range } = value;
  const wantsValue = equals !== undefined || matches !== undefined || range !== undefined;
  return [
    ...[...rangeProblems(value, { range: 'count' }), ...patternProblems(value, ['matches'])].map((problem) => ({
      ...problem,
      path: [...place, ...problem.path],
    })),
    ...(state === 'absent' && wantsValue
      ? [{ path: [...place, 'state'], what: 'what is absent has no value', hint: 'remove equals, matches and range' }]
      : []),
    ...(format === 'xml' && !at.includes('${{') && parseXmlPath(at) === undefined
      ? [{ path: [...place, 'at'], what: `"${at}" is not a path`, hint: `write such as /a/b[2]/c[@id='x']/@name` }]
      : []),
  ];
}
