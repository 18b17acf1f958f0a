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
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@-]*$',
      description: 'Name of the group.',
      examples: ['sudo'],
    },
    state: { enum: ['present', 'absent'], default: 'present', description: 'Whether it should exist.' },
    gid: { type: 'integer', minimum: 0, description: 'Id that it should have.', examples: [27] },
    members: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Users that must be members. Not looked at when absent.',
      examples: [['alice', 'bob']],
    },
    only: { type: 'boolean', default: false, description: 'Fail when there is a member besides `members`.' },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface GroupData {
  readonly present: boolean;
  readonly gid: number;
  readonly members: readonly string[];
}

export default defineHostStep<FromSchema<typeof params>, GroupData>({
  kind: 'check.group',
  summary: 'A group exists, with the right id and members',
  params,
  effect: 'read',
  validate: ({ only, members }) =>
    only && members === undefined
      ? [{ path: ['only'], what: 'there are no `members`', hint: 'list them, or write members: [] for none' }]
      : [],
  probe: script('./probe.sh', import.meta.url),
  args: ({ name }) => [name],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    if (values.has('absent')) return { present: false, gid: -1, members: [] };
    const entry = values.get('group')?.split(':') ?? [];
    if (entry.length < 4) throw new UnreadableOutput('the entry of the group is missing');
    return { present: true, gid: numberOf(entry[2], 'gid'), members: (entry[3] ?? '').split(',').filter(Boolean) };
  },
  judge(data, given) {
    const { name } = given;
    if (given.state === 'absent')
      return data.present
        ? { outcome: 'failed', reason: 'group-present', summary: `group ${name} exists, should not` }
        : { outcome: 'ok', reason: 'ok', summary: `group ${name} does not exist` };
    if (!data.present) return { outcome: 'failed', reason: 'group-absent', summary: `group ${name} does not exist` };
    const missing = given.members?.filter((member) => !data.members.includes(member)) ?? [];
    const others = given.only ? data.members.filter((member) => !given.members?.includes(member)) : [];
    const issues = [
      ...(given.gid !== undefined && given.gid !== data.gid
        ? [wrong('wrong-id', `has id ${data.gid}, should have ${given.gid}`)]
        : []),
      ...(others.length > 0 ? [wrong('unexpected-member', `has other members: ${others.join(', ')}`)] : []),
      ...(missing.length > 0 ? [wrong('member-missing', `lacks ${missing.join(', ')}`)] : []),
    ];
    const members = data.members.length > 0 ? data.members.join(', ') : 'no members';
    return judgeIssues(issues, { subject: `group ${name}`, calm: `has id ${data.gid}, ${members}` });
  },
});
