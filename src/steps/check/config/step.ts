import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, type StepProblem, UnreadableOutput } from '../../step.js';
import type { Finding } from '../expectation.js';
import { judgeIssues } from '../issues.js';
import { judgeValues, meetAll, valuesProblems, valuesSchema, type WantedValue } from '../values.js';
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
      ...valuesSchema(
        'What must be in it: each with `at` and any of `equals`, `matches`, `range`, `warning`, `state`, `sensitive`.',
        'Where the value is: `a.b.0` or a JSON pointer `/a/b/0`; `section.key` in ini; `/a/b[@id="x"]/@c` in xml.',
      ),
      examples: [[{ at: 'server.port', equals: 8443 }]],
    },
  },
  required: ['path', 'values'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'values'> & { readonly values: readonly WantedValue[] };

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
    const values = meetAll(given.values, find, isTyped(format));
    return { exists: true, size, trouble: null, values };
  },
  judge({ exists, trouble, values }, { path, values: wanted }) {
    if (!exists) return { outcome: 'failed', reason: 'no-file', summary: `${path} does not exist` };
    if (trouble) {
      const place = [path, trouble.line, trouble.column].filter((part) => part !== undefined).join(':');
      return { outcome: 'unknown', reason: 'unreadable-file', summary: `${place}: ${trouble.what}` };
    }
    const { issues, metrics } = judgeValues(values, wanted);
    const calm = `is as it should be (${values.length} ${values.length === 1 ? 'value' : 'values'})`;
    return judgeIssues(issues, { subject: issues.length === 0 ? path : `${path}:`, calm, metrics });
  },
});

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
  const wrongPaths = values.flatMap(({ at }, index) =>
    told === 'xml' && !at.includes('${{') && parseXmlPath(at) === undefined
      ? [
          {
            path: ['values', index, 'at'],
            what: `"${at}" is not a path`,
            hint: `write such as /a/b[2]/c[@id='x']/@name`,
          },
        ]
      : [],
  );
  return [...unknownFormat, ...valuesProblems(values, 'values'), ...wrongPaths];
}
