import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { type Issue, measure, unclear, wrong } from '../issues.js';
import { judgeParts, type Part, partOf } from '../parts.js';

const params = {
  type: 'object',
  properties: {
    paths: {
      type: 'array',
      items: { type: 'string', pattern: '^/' },
      default: [],
      description: 'Mount points that must be there; only these are looked at. Without it: every one.',
      examples: [['/home', '/srv/data']],
    },
    options: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Options that each of them must have, on the mount or on its file system.',
      examples: [['hard', 'vers=4.2', 'sec=krb5p']],
    },
    types: {
      type: 'array',
      items: { type: 'string', pattern: '^[a-z0-9._-]+$' },
      minItems: 1,
      default: ['nfs', 'nfs4'],
      description: 'File systems to look at. Others that come over the network hang the same way.',
      examples: [['nfs', 'nfs4', 'cifs', 'ceph']],
    },
    deadline: {
      type: 'integer',
      minimum: 1,
      maximum: 25,
      default: 5,
      description: 'Seconds in which all of them must answer. Keep it below the `timeout` of the step.',
      examples: [3],
    },
    warning: {
      ...rangeSchema('Warn when the time until a mount answers is outside this range; a number is seconds.'),
      default: '1s',
      examples: ['500ms', '1s'],
    },
    critical: {
      ...rangeSchema('Fail when the time until a mount answers is outside this range; a number is seconds.'),
      examples: ['3s'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

interface Mount {
  readonly path: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
  readonly answer: Answer | null;
}

/** Null stands for none within the deadline. */
interface Answer {
  readonly seconds: number;
  /** What it said instead of a size. */
  readonly refusal: string | null;
}

export interface NfsData {
  readonly mounts: readonly Mount[];
}

export default defineHostStep<Params, NfsData>({
  kind: 'check.nfs',
  summary: 'NFS mounts are there and answer in time',
  params,
  effect: 'read',
  severity: 'high',
  validate: (given) => rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ paths, types, deadline }) => [
    String(deadline),
    ` ${types.join(' ')} `,
    ...paths.map((path) => escapeName(trimmed(path))),
  ],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of mounts is cut off');
    const answers = new Map(lines.filter(([key]) => key === 'answer').map(([, value]) => readAnswer(value)));
    const hung = new Set(lines.filter(([key]) => key === 'hung').map(([, value]) => value));
    // Of several mounts on one point the last is on top, and only that one was asked.
    const mounts = new Map(lines.filter(([key]) => key === 'mount').map(([, value]) => [value.split(' ')[0], value]));
    return { mounts: [...mounts.values()].map((value) => readMount(value, answers, hung)) };
  },
  judge({ mounts }, given) {
    const absent = given.paths.map(trimmed).filter((path) => !mounts.some((mount) => mount.path === path));
    const parts: Part[] = [
      ...absent.map((name) => ({
        name,
        issues: [wrong('not-mounted', `is not a mount of ${given.types.join(', ')}`)],
        metrics: [],
      })),
      ...mounts.map((mount) => judgeMount(mount, given)),
    ];
    const slowest = Math.max(0, ...mounts.map(({ answer }) => answer?.seconds ?? 0));
    const [sole] = mounts;
    return judgeParts(
      parts,
      sole && mounts.length === 1
        ? `${sole.path} (${sole.source}) answered in ${formatQuantity(slowest, 'seconds')}`
        : `${mounts.length} mounts answered in ${formatQuantity(slowest, 'seconds')}`,
    );
  },
});

function judgeMount({ path, source, options, answer }: Mount, given: Params): Part {
  const missing = given.options.filter((option) => !options.includes(option));
  const issues: Issue[] =
    missing.length > 0 ? [wrong('option-missing', `lacks ${missing.join(', ')} (has ${options.join(',')})`)] : [];
  if (answer === null)
    return partOf(path, [], [wrong('mount-hung', `(${source}) did not answer within ${given.deadline} s`), ...issues]);
  if (answer.refusal !== null) {
    const refused = /stale file handle/i.test(answer.refusal)
      ? wrong('mount-stale', `(${source}) is stale: the server no longer has what was mounted`)
      : /permission denied/i.test(answer.refusal)
        ? unclear('no-permission', `(${source}) cannot be asked: ${answer.refusal}`)
        : wrong('mount-refused', `(${source}) does not work: ${answer.refusal}`);
    return partOf(path, [], [refused, ...issues]);
  }
  const limits = { warning: given.warning, critical: given.critical, min: 0 };
  const time = measure(
    `answer{${path}}`,
    answer.seconds,
    'seconds',
    limits,
    (said) => `(${source}) took ${said} to answer`,
  );
  return partOf(path, [time], issues);
}

/** `POINT OPTIONS TYPE SOURCE SUPER-OPTIONS`, as mountinfo has them. */
function readMount(value: string, answers: ReadonlyMap<string, Answer>, hung: ReadonlySet<string>): Mount {
  const [point = '', options, type, source, superOptions] = value.split(' ');
  if (!options || !type || !source || !superOptions) throw new UnreadableOutput(`not a mount: ${value.slice(0, 200)}`);
  const answer = answers.get(point) ?? null;
  if (!answer && !hung.has(point)) throw new UnreadableOutput(`whether ${point.slice(0, 200)} answered is missing`);
  return {
    path: unescapeName(point),
    type,
    source: unescapeName(source),
    options: [...new Set([...options.split(','), ...superOptions.split(',')])],
    answer,
  };
}

/** `POINT STATUS HUNDREDTHS TEXT`; the text is the size in blocks, or why there is none. */
function readAnswer(value: string): [string, Answer] {
  const [point = '', status, hundredths, ...words] = value.split(' ');
  const said = words.join(' ');
  const seconds = numberOf(hundredths, 'the time of an answer') / 100;
  if (numberOf(status, 'the status of an answer') !== 0)
    return [point, { seconds, refusal: said.slice(said.lastIndexOf(': ') + 1).trim() || 'no answer' }];
  numberOf(said, 'the size of a mount');
  return [point, { seconds, refusal: null }];
}

function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

/** mountinfo writes white space and backslash as octal. */
function escapeName(name: string): string {
  return name.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function unescapeName(name: string): string {
  return name.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
