import { severities } from '../result/result.schema.js';
import { duration } from './duration.js';
import type { FromSchema, JsonSchema } from './json-schema.js';
import { trendSchema } from './trend.js';

const condition = (description: string) => ({ type: ['string', 'boolean'], description }) as const;

const param = {
  type: 'object',
  description: 'A value that the caller may set with `--param NAME=VALUE`.',
  properties: {
    type: {
      enum: ['string', 'integer', 'number', 'boolean', 'array'],
      default: 'string',
      description: 'Type of the value.',
    },
    description: { type: 'string', description: 'What it means, for help.' },
    default: { description: 'Value when the caller sets none. Without it the parameter is required.' },
    enum: { type: 'array', description: 'The values that are allowed.' },
    pattern: { type: 'string', description: 'Regular expression that a text must match (linear engine).' },
    minimum: { type: 'number', description: 'Smallest number allowed.' },
    maximum: { type: 'number', description: 'Largest number allowed.' },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

const hardAfter = { type: 'integer', minimum: 1, maximum: 100, examples: [3] } as const;

const stepProperties = {
  id: {
    type: 'string',
    pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$',
    description: 'Name for later steps: `steps.ID.data`. Unique in the runbook. Letters, digits and `_`.',
    examples: ['load', 'disk_root'],
  },
  name: { type: 'string', minLength: 1, description: 'Name for people. The step kind when absent.' },
  uses: {
    type: 'string',
    description: 'Step kind: `opsctl steps` lists them.',
    examples: ['check.disk', 'run.command'],
  },
  with: { type: 'object', description: 'Parameters of the step kind: `opsctl steps KIND` documents them.' },
  when: condition('Run the step only where this CEL expression is true.'),
  each: {
    type: ['array', 'string'],
    description: 'Run once for each item; the item is `item`. A list, or a CEL expression that gives one.',
  },
  needs: {
    type: ['array', 'string'],
    minItems: 1,
    minLength: 1,
    items: { type: 'string', minLength: 1 },
    description:
      'Ids of earlier steps. Where one of them did not succeed, this step is not judged: `skipped`, `blocked`.',
    examples: ['port_open', ['mounted', 'started']],
  },
  expect: {
    enum: ['ok', 'fail'],
    description:
      '`fail` turns ok and failed around: the step is ok where it fails, such as a port that must be closed. Not for changing steps.',
  },
  hosts: { type: 'string', description: 'A narrower host pattern for this step.' },
  from: {
    enum: ['host', 'controller'],
    description: 'Where to look from. Only kinds that can look from both sides take it.',
  },
  retry: {
    type: 'object',
    description: 'Try again. Not for changing steps.',
    properties: {
      attempts: { type: 'integer', minimum: 1, maximum: 100, default: 3, description: 'How often at most.' },
      every: { ...duration('Time between two attempts.'), default: '5s' },
      until: condition('Stop trying when this CEL expression is true; `result` is the attempt. When absent: until ok.'),
    },
    additionalProperties: false,
  },
  trends: {
    type: 'array',
    minItems: 1,
    items: trendSchema,
    description: 'Numbers of the step to compare with earlier runs of this runbook.',
    examples: [[{ metric: 'used', show: 'full-in', warning: '24h:', critical: '4h:' }]],
  },
  'hard-after': {
    ...hardAfter,
    description:
      'Count what is bad only when it was so in this many runs in a row; before that it is soft. Not for changing steps.',
  },
  timeout: duration('Time that the step may take.'),
  'on-failure': {
    enum: ['stop', 'continue'],
    description:
      'What the host does after a failure: `stop` (default of changing steps) or `continue` (default of reading steps).',
  },
  tags: {
    type: 'array',
    items: { type: 'string', pattern: '^[a-zA-Z0-9_-]+$' },
    description: 'For `--tags` and `--skip-tags`.',
  },
  sensitive: { type: 'boolean', default: false, description: 'Drop the output of the step everywhere.' },
  sudo: { type: 'boolean', description: 'Run as root through sudo. The runbook or the host decides when absent.' },
  severity: { enum: severities, description: 'How bad a failure of this step is.' },
  controls: { type: 'array', items: { type: 'string' }, description: 'Control ids that the step gives evidence for.' },
} as const;

const entry = {
  type: 'object',
  description: 'A step, or a group of steps.',
  examples: [{ uses: 'check.load' }],
} as const;

const group = {
  steps: { type: 'array', minItems: 1, items: entry, description: 'Steps of the group.' },
  rescue: {
    type: 'array',
    minItems: 1,
    items: entry,
    description: 'Steps to run when a step of the group failed. When they succeed, so does the group.',
  },
  always: {
    type: 'array',
    minItems: 1,
    items: entry,
    description: 'Steps to run at the end, whatever happened.',
  },
} as const;

/** One entry of `steps`: a step (`uses`) or a group (`steps`). Validated on its own, so that a typo gives one error. */
export const stepSchema = {
  title: 'opsctl step',
  type: 'object',
  description: 'A step.',
  properties: stepProperties,
  required: ['uses'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export const stepGroupSchema = {
  title: 'opsctl step group',
  type: 'object',
  description: 'Steps that succeed or fail together.',
  properties: {
    id: { ...stepProperties.id, description: 'Name for later steps: `steps.ID.data.ok`. Goes with `require`.' },
    name: stepProperties.name,
    require: {
      type: ['string', 'integer'],
      pattern: '^(all|any)$',
      minimum: 1,
      description:
        'How many results of the group must be ok: `all`, `any` or at least a number. The group is then a result of its own, and members that fail in spite of it do not count.',
      examples: ['all', 'any', 2],
    },
    when: stepProperties.when,
    needs: { ...stepProperties.needs, description: '`needs` of each of its steps.' },
    tags: stepProperties.tags,
    sudo: stepProperties.sudo,
    ...group,
  },
  required: ['steps'],
  additionalProperties: false,
} as const satisfies JsonSchema;

/** The envelope of a runbook. Entries of `steps` are validated by stepSchema or stepGroupSchema, `with` by the kind. */
export const runbookSchema = {
  $id: 'https://opsctl.dev/schemas/v1/runbook.schema.json',
  title: 'opsctl runbook',
  type: 'object',
  description: 'What to do on which hosts.',
  properties: {
    name: { type: 'string', minLength: 1, description: 'Name for people.' },
    description: { type: 'string', description: 'What it is for.' },
    hosts: {
      type: 'string',
      default: 'all',
      description: 'Host pattern; `-l` narrows it.',
      examples: ['all', 'web*', 'prod,&db'],
    },
    sudo: { type: 'boolean', default: false, description: 'Run the steps as root through sudo.' },
    timeout: duration('Deadline of the whole run.'),
    'hard-after': { ...hardAfter, description: 'The same for all steps that set none of their own.' },
    'expect-min-results': {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      description:
        'Fewest results that each host must really give (ok, changed, warning, failed); with fewer it is unknown.',
      examples: [40],
    },
    params: { type: 'object', additionalProperties: param, description: 'Values that the caller may set.' },
    vars: { type: 'object', description: 'Values for expressions, below those of the inventory.' },
    steps: { type: 'array', minItems: 1, items: entry, description: 'What to do, in order.' },
  },
  required: ['name', 'steps'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export type Runbook = FromSchema<typeof runbookSchema>;
export type Step = FromSchema<typeof stepSchema>;
export type StepGroup = FromSchema<typeof stepGroupSchema>;
export type RunbookParam = FromSchema<typeof param>;
