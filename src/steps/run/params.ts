import type { JsonSchema } from '../../documents/json-schema.js';
import { textOrSecret } from '../secret-param.js';

/** What every kind of the family takes. */
export const runParams = {
  effect: {
    enum: ['read', 'change'],
    description:
      'What the author promises: `read` changes nothing and may run in a dry run; `change` runs at most once and never in a dry run.',
  },
  args: {
    type: 'array',
    items: textOrSecret('One argument.'),
    default: [],
    description:
      'Arguments, `"$1"` and so on. The only safe way for values of other steps and for secrets to get in; they never become shell text.',
    examples: [['/var/log', { secret: 'env:API_TOKEN' }]],
  },
  shell: {
    type: 'string',
    minLength: 1,
    default: '/bin/sh',
    description: 'Program that runs the text, on the host.',
    examples: ['/bin/bash', 'python3', 'perl'],
  },
  'ok-status': {
    type: 'array',
    items: { type: 'integer', minimum: 0, maximum: 255 },
    minItems: 1,
    default: [0],
    description: 'Exit statuses that mean success.',
    examples: [[0, 1]],
  },
} as const satisfies Record<string, JsonSchema>;
