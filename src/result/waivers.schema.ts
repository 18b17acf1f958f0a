import type { FromSchema, JsonSchema } from '../documents/json-schema.js';

const entry = {
  type: 'object',
  description: 'One accepted finding or step. It needs `finding`, `step` or both; with both, the finding of that step.',
  properties: {
    finding: {
      type: 'string',
      minLength: 1,
      description: 'Id of the findings to accept; `*` and `?` as in a shell.',
      examples: ['disk-space', 'weak-*'],
    },
    step: {
      type: 'string',
      minLength: 1,
      description: 'Id or kind of the steps to accept; `*` and `?` as in a shell.',
      examples: ['root_disk', 'check.disk'],
    },
    subject: {
      type: 'string',
      minLength: 1,
      description: 'Only findings about this: a mount point, a unit, an account; `*` and `?` as in a shell.',
      examples: ['/var', 'backup-*'],
    },
    hosts: {
      type: 'string',
      minLength: 1,
      description: 'Host pattern, as for `-l`. `all` means all; one that matches no host is an error.',
      examples: ['web1', 'prod,&db', 'all'],
    },
    owner: {
      type: 'string',
      minLength: 1,
      description: 'Who answers for it.',
      examples: ['anna@example.com', 'team-storage'],
    },
    reason: {
      type: 'string',
      minLength: 1,
      description: 'Why it is accepted.',
      examples: ['new disks arrive in January'],
    },
    ticket: { type: 'string', minLength: 1, description: 'Where it is tracked.', examples: ['OPS-1234'] },
    expires: {
      type: 'string',
      description: 'Until when. A date ends at the end of that day, UTC; a time needs its zone.',
      examples: ['2026-12-31', '2026-12-31T18:00:00+01:00'],
    },
    'reason-codes': {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1, description: 'One reason code, as a report shows it.' },
      description:
        'Only results with one of these reason codes. What is unknown, unreachable or refused is accepted only so.',
      examples: [['tool-missing']],
    },
  },
  required: ['hosts', 'owner', 'reason', 'expires'],
  additionalProperties: false,
} as const satisfies JsonSchema;

/** waivers.yaml: what is accepted for a while, and who answers for it. */
export const waiversSchema = {
  $id: 'https://opsctl.dev/schemas/v1/waivers.schema.json',
  title: 'opsctl waivers',
  type: 'object',
  description: 'Findings and results that are accepted for a while: still shown, but not counted.',
  properties: {
    waivers: { type: 'array', items: entry, description: 'The accepted findings.' },
  },
  required: ['waivers'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export type WaiversFile = FromSchema<typeof waiversSchema>;
export type WaiverEntry = FromSchema<typeof entry>;
