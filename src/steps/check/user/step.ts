import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { judgeIssues, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@$\\\\-]*$',
      description: 'Name of the user.',
      examples: ['deploy'],
    },
    state: { enum: ['present', 'absent'], default: 'present', description: 'Whether it should exist.' },
    uid: { type: 'integer', minimum: 0, description: 'Id that it should have.', examples: [1000] },
    group: {
      type: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@-]*$',
      description: 'Primary group that it should have, a name or a numeric id in quotes.',
      examples: ['deploy'],
    },
    groups: {
      type: 'array',
      items: { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@-]*$' },
      default: [],
      description: 'Groups that it must be in, the primary one counts.',
      examples: [['sudo', 'adm']],
    },
    home: {
      type: 'string',
      pattern: '^/',
      description: 'Home folder that it should have.',
      examples: ['/home/deploy'],
    },
    shell: {
      type: 'string',
      pattern: '^/',
      description: 'Shell that it should have.',
      examples: ['/usr/sbin/nologin'],
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface UserData {
  readonly present: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** Ids of its groups; null when they were not asked for. */
  readonly gids: readonly number[] | null;
  /** Ids of the groups that were asked for; null for one that does not exist. */
  readonly groups: Readonly<Record<string, number | null>>;
}

export default defineHostStep<Params, UserData>({
  kind: 'check.user',
  summary: 'A user exists, with the right id, groups, home and shell',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: (given) => [given.name, ...asked(given)],
  parse(output, given) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const values = new Map(lines);
    if (values.has('absent')) return { present: false, uid: -1, gid: -1, home: '', shell: '', gids: null, groups: {} };
    const entry = values.get('user')?.split(':') ?? [];
    if (entry.length < 7) throw new UnreadableOutput('the entry of the user is missing');
    const found = lines.filter(([key]) => key === 'group').map(([, value]) => value.split(':'));
    const wanted = asked(given);
    if (found.length !== wanted.length) throw new UnreadableOutput('an entry of a group is missing');
    return {
      present: true,
      uid: numberOf(entry[2], 'uid'),
      gid: numberOf(entry[3], 'gid'),
      home: entry[5] ?? '',
      shell: entry[6] ?? '',
      gids:
        values
          .get('gids')
          ?.split(' ')
          .map((gid) => numberOf(gid, 'gid')) ?? null,
      groups: Object.fromEntries(
        wanted.map((name, index) => {
          const gid = found[index]?.[2];
          return [name, gid === undefined ? null : numberOf(gid, 'gid')];
        }),
      ),
    };
  },
  judge(data, given) {
    const { name } = given;
    if (given.state === 'absent')
      return data.present
        ? { outcome: 'failed', reason: 'user-present', summary: `user ${name} exists, should not` }
        : { outcome: 'ok', reason: 'ok', summary: `user ${name} does not exist` };
    if (!data.present) return { outcome: 'failed', reason: 'user-absent', summary: `user ${name} does not exist` };
    const issues = [];
    if (given.uid !== undefined && given.uid !== data.uid)
      issues.push(wrong('wrong-id', `has id ${data.uid}, should have ${given.uid}`));
    if (given.group !== undefined && given.group !== String(data.gid) && data.groups[given.group] !== data.gid)
      issues.push(wrong('wrong-group', `has the primary group ${data.gid}, should have ${given.group}`));
    const gids = data.gids ?? [];
    const missing = given.groups.filter((group) => {
      const gid = data.groups[group];
      return gid === null || gid === undefined || !gids.includes(gid);
    });
    if (missing.length > 0) issues.push(wrong('not-in-group', `is not in ${missing.join(', ')}`));
    if (given.home !== undefined && given.home !== data.home)
      issues.push(wrong('wrong-home', `has home ${data.home}, should have ${given.home}`));
    if (given.shell !== undefined && given.shell !== data.shell)
      issues.push(wrong('wrong-shell', `has shell ${data.shell || '(none)'}, should have ${given.shell}`));
    return judgeIssues(issues, { subject: `user ${name}`, calm: `has id ${data.uid}, ${data.home}, ${data.shell}` });
  },
});

/** Groups whose ids are needed. */
function asked({ group, groups }: Params): readonly string[] {
  return [...new Set([...(group === undefined ? [] : [group]), ...groups])];
}
