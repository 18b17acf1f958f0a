import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { judgeIssues, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      pattern: '^/',
      description: 'Mount point.',
      examples: ['/srv', '/var/lib/postgresql'],
    },
    state: { enum: ['mounted', 'unmounted'], default: 'mounted', description: 'State that it should be in.' },
    type: {
      type: 'string',
      minLength: 1,
      description: 'File system that it should have.',
      examples: ['ext4', 'nfs4'],
    },
    source: {
      type: 'string',
      minLength: 1,
      description: 'Device or export that should be mounted there, as the kernel names it.',
      examples: ['/dev/sdb1', 'nas:/export/data'],
    },
    options: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Options that must be set, on the mount or on its file system.',
      examples: [['nosuid', 'nodev', 'noexec']],
    },
    'read-only': { type: 'boolean', description: 'Whether it should refuse writes. Not looked at when absent.' },
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface MountData {
  readonly mounted: boolean;
  readonly type: string;
  readonly source: string;
  /** Options of this mount. */
  readonly options: readonly string[];
  /** Options of the file system, which all its mounts share. The two can disagree. */
  readonly superOptions: readonly string[];
}

export default defineHostStep<FromSchema<typeof params>, MountData>({
  kind: 'check.mount',
  summary: 'A file system is mounted, with the right type, source and options',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: ({ path }) => [escapeName(trimmed(path))],
  parse(output, { path }) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of mounts is cut off');
    const mounts = lines.filter(([key]) => key === 'mount').map(([, value]) => readMount(value));
    const top = mountAt(mounts);
    if (!top || top.point !== trimmed(path))
      return { mounted: false, type: '', source: '', options: [], superOptions: [] };
    const { type, source, options, superOptions } = top;
    return { mounted: true, type, source, options, superOptions };
  },
  judge(data, given) {
    const { path } = given;
    if (given.state === 'unmounted')
      return data.mounted
        ? {
            outcome: 'failed',
            reason: 'mounted',
            summary: `${path} is a mount of ${data.source} (${data.type}), should be unmounted`,
          }
        : { outcome: 'ok', reason: 'ok', summary: `nothing is mounted on ${path}` };
    if (!data.mounted) return { outcome: 'failed', reason: 'not-mounted', summary: `nothing is mounted on ${path}` };
    if (data.type === 'autofs' && given.type !== 'autofs')
      return {
        outcome: 'failed',
        reason: 'not-mounted',
        summary: `nothing is mounted on ${path} yet, an automount waits there for the first access`,
      };
    const readOnly = data.options.includes('ro') || data.superOptions.includes('ro');
    // The mount still says rw after the kernel took write access away from the file system.
    const forced = data.superOptions.includes('ro') && !data.options.includes('ro');
    const isSet = (option: string) =>
      option === 'rw' ? !readOnly : data.options.includes(option) || data.superOptions.includes(option);
    const missing = given.options.filter((option) => !isSet(option));
    const issues = [
      ...(given.type !== undefined && given.type !== data.type
        ? [wrong('wrong-type', `has ${data.type}, should have ${given.type}`)]
        : []),
      ...(given.source !== undefined && given.source !== data.source
        ? [wrong('wrong-source', `is a mount of ${data.source}, should be of ${given.source}`)]
        : []),
      ...(given['read-only'] !== undefined && given['read-only'] !== readOnly
        ? [
            readOnly
              ? wrong('read-only', forced ? 'was made read-only by the kernel' : 'is mounted read-only')
              : wrong('writable', 'is writable, should be read-only'),
          ]
        : []),
      ...(missing.length > 0
        ? [
            wrong(
              'option-missing',
              `lacks ${missing.join(', ')} (mount: ${data.options.join(',')}; file system: ${data.superOptions.join(',')})`,
            ),
          ]
        : []),
    ];
    return judgeIssues(issues, {
      subject: path,
      calm: `is a mount of ${data.source} (${data.type}, ${readOnly ? 'read-only' : 'writable'})`,
    });
  },
});

interface Mount extends Omit<MountData, 'mounted'> {
  readonly id: string;
  readonly parent: string;
  readonly point: string;
}

/** `ID PARENT POINT OPTIONS TYPE SOURCE SUPER-OPTIONS`. */
function readMount(value: string): Mount {
  const [id = '', parent = '', point, options, type, source, superOptions] = value.split(' ');
  if (!point || !options || !type || source === undefined || !superOptions)
    throw new UnreadableOutput(`not a mount: ${value.slice(0, 200)}`);
  return {
    id,
    parent,
    point: unescapeName(point),
    type,
    source: unescapeName(source),
    options: options.split(','),
    superOptions: superOptions.split(','),
  };
}

/** The mount that a path leads to, of all whose points are on its way: others may lie hidden below one of them. */
function mountAt(mounts: readonly Mount[]): Mount | undefined {
  let top: Mount | undefined;
  for (let left = mounts.length; left > 0; left--) {
    const next = mounts
      .filter(({ id, parent }) =>
        top ? parent === top.id && id !== parent : !mounts.some((one) => one.id === parent && one.id !== id),
      )
      .toSorted((a, b) => a.point.length - b.point.length)[0];
    if (!next) return top;
    top = next;
  }
  return top;
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
