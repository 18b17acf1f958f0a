import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { patternProblems, patternsSchema } from '../../patterns.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, type Range, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type Judgement } from '../../step.js';
import { type FileData, readFileOutput } from './contents.js';

const params = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      pattern: '^/',
      description: 'Absolute path of the file.',
      examples: ['/etc/ssh/sshd_config'],
    },
    state: { enum: ['present', 'absent'], default: 'present', description: 'Whether it should be there.' },
    follow: {
      type: 'boolean',
      default: true,
      description: 'Look at what a symbolic link leads to. For `type: symlink` say `false`.',
    },
    type: {
      enum: ['file', 'directory', 'symlink', 'socket', 'pipe', 'block-device', 'char-device'],
      description: 'What it should be.',
    },
    mode: {
      type: 'string',
      pattern: '^[0-7]{3,4}$',
      description: 'Permission bits that it should have, as octal text in quotes: a bare 0644 is a number in YAML.',
      examples: ['0644', '0750'],
    },
    owner: {
      type: 'string',
      minLength: 1,
      description: 'User that should own it, a name or a numeric id in quotes.',
      examples: ['root'],
    },
    group: {
      type: 'string',
      minLength: 1,
      description: 'Group that should own it, a name or a numeric id in quotes.',
      examples: ['adm'],
    },
    'warning-size': {
      ...rangeSchema('Warn when its size is outside this range.'),
      examples: ['100MiB', '1:'],
    },
    'critical-size': {
      ...rangeSchema('Fail when its size is outside this range.'),
      examples: ['1GiB', '1:'],
    },
    'warning-age': {
      ...rangeSchema(
        'Warn when the time since its last change is outside this range, by the clock of the host; a number is seconds.',
      ),
      examples: ['26h', '5m:'],
    },
    'critical-age': {
      ...rangeSchema(
        'Fail when the time since its last change is outside this range, by the clock of the host; a number is seconds.',
      ),
      examples: ['2d'],
    },
    sha256: {
      type: 'string',
      pattern: '^[0-9a-fA-F]{64}$',
      description: 'SHA-256 of its contents, 64 hex digits.',
    },
    contains: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in it. The first MB is looked at.'),
      examples: ['(?m)^PermitRootLogin no$'],
    },
    lacks: {
      ...patternsSchema(
        'Regular expressions (RE2) that must not occur in it. A file above 1 MB is `unknown` unless one is found.',
      ),
      examples: ['(?i)password\\s*='],
    },
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export default defineHostStep<Params, FileData>({
  kind: 'check.file',
  summary: 'A file is there, with the right owner, mode, size, age and contents',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, {
      'warning-size': 'bytes',
      'critical-size': 'bytes',
      'warning-age': 'seconds',
      'critical-age': 'seconds',
    }),
    ...patternProblems(given, ['contains', 'lacks']),
    ...(given.type === 'symlink' && given.follow
      ? [{ path: ['type'], what: 'a link that is followed is never a symlink', hint: 'set follow: false' }]
      : []),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: (given) => [
    given.path,
    given.follow ? 'follow' : 'nofollow',
    ...(given['warning-age'] !== undefined || given['critical-age'] !== undefined ? ['clock'] : []),
    ...(given.sha256 === undefined ? [] : ['sha256']),
    ...(given.contains === undefined && given.lacks === undefined ? [] : ['contents']),
  ],
  parse: readFileOutput,
  judge(data, given) {
    const { path, state } = given;
    if (!data.present) {
      if (state === 'absent') return { outcome: 'ok', reason: 'ok', summary: `${path} is absent` };
      const detail = data.dangling ? 'is a link that leads nowhere' : 'does not exist';
      return { outcome: 'failed', reason: 'file-absent', summary: `${path} ${detail}` };
    }
    if (state === 'absent')
      return { outcome: 'failed', reason: 'file-present', summary: `${path} exists, should be absent` };
    const issues = [...attributeIssues(data, given), ...numberIssues(data, given), ...contentIssues(data, given)];
    const worst = (['failed', 'unknown', 'warning'] as const)
      .map((outcome) => issues.find((issue) => issue.outcome === outcome))
      .find((issue) => issue !== undefined);
    return {
      outcome: worst?.outcome ?? 'ok',
      reason: worst?.reason ?? 'ok',
      summary: `${path} ${worst ? issues.map(({ text }) => text).join(', ') : described(data)}`,
      metrics: metricsOf(data, given),
    };
  },
});

interface Issue {
  readonly outcome: 'failed' | 'unknown' | 'warning';
  readonly reason: string;
  readonly text: string;
}

function attributeIssues(data: FileData, given: Params): readonly Issue[] {
  const wrong = (reason: string, text: string): Issue => ({ outcome: 'failed', reason, text });
  const issues: Issue[] = [];
  if (given.type !== undefined && data.type !== given.type)
    issues.push(wrong('wrong-type', `is a ${data.type}, should be a ${given.type}`));
  if (given.mode !== undefined && data.mode !== given.mode.padStart(4, '0'))
    issues.push(wrong('wrong-mode', `has mode ${data.mode}, should be ${given.mode.padStart(4, '0')}`));
  if (given.owner !== undefined && given.owner !== data.owner && given.owner !== String(data.uid))
    issues.push(wrong('wrong-owner', `belongs to ${data.owner}, should belong to ${given.owner}`));
  if (given.group !== undefined && given.group !== data.group && given.group !== String(data.gid))
    issues.push(wrong('wrong-group', `has group ${data.group}, should be ${given.group}`));
  if (given.sha256 !== undefined && data.sha256 !== given.sha256.toLowerCase())
    issues.push(
      data.sha256 === null
        ? wrong('no-contents', `is a ${data.type}, it has no checksum`)
        : wrong('wrong-checksum', `has other contents, its SHA-256 is ${data.sha256}`),
    );
  return issues;
}

interface Limits {
  readonly warning: Range | undefined;
  readonly critical: Range | undefined;
}

function limitsOf(given: Params): { size: Limits; age: Limits } {
  return {
    size: {
      warning: optionalRange(given['warning-size'], 'bytes'),
      critical: optionalRange(given['critical-size'], 'bytes'),
    },
    age: {
      warning: optionalRange(given['warning-age'], 'seconds'),
      critical: optionalRange(given['critical-age'], 'seconds'),
    },
  };
}

function numberIssues(data: FileData, given: Params): readonly Issue[] {
  const { size, age } = limitsOf(given);
  const check = (name: string, value: number | null, unit: 'bytes' | 'seconds', limits: Limits): Issue[] => {
    if (value === null) return [];
    const { level, reason, limit } = judgeNumber(value, limits.warning, limits.critical);
    if (level === 'ok' || !limit) return [];
    return [
      {
        outcome: level,
        reason,
        text: `${name.replace('%', formatQuantity(value, unit))}, ${formatLimit(limit, unit)}`,
      },
    ];
  };
  return [...check('has %', data.size, 'bytes', size), ...check('was changed % ago', data.age, 'seconds', age)];
}

function contentIssues({ readable, missing, found, truncated, type }: FileData, { lacks }: Params): readonly Issue[] {
  if (readable === null) return [];
  if (!readable) return [{ outcome: 'failed', reason: 'no-contents', text: `is a ${type}, it has no text` }];
  const issues: Issue[] = [];
  if (missing !== null && !truncated)
    issues.push({ outcome: 'failed', reason: 'no-match', text: `does not contain ${quoted(missing)}` });
  if (found !== null) issues.push({ outcome: 'failed', reason: 'match', text: `contains ${quoted(found)}` });
  if (truncated && (missing !== null || (lacks !== undefined && found === null)))
    issues.push({ outcome: 'unknown', reason: 'too-large', text: 'is longer than the 1 MB that is looked at' });
  return issues;
}

function metricsOf(data: FileData, given: Params): NonNullable<Judgement['metrics']> {
  const { size, age } = limitsOf(given);
  return [
    ...(data.size === null || data.type !== 'file' ? [] : [metricOf('size', data.size, 'bytes', { ...size, min: 0 })]),
    ...(data.age === null ? [] : [metricOf('age', data.age, 'seconds', age)]),
  ];
}

function described({ type, mode, owner, group, size }: FileData): string {
  const long = type === 'file' && size !== null ? `, ${formatQuantity(size, 'bytes')}` : '';
  return `is a ${type}, ${mode} ${owner}:${group}${long}`;
}

function quoted(pattern: string): string {
  return `/${pattern.length > 60 ? `${pattern.slice(0, 59)}…` : pattern}/`;
}
