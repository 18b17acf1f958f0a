import type { FromSchema, JsonSchema } from './json-schema.js';

/** Of each runbook on its own, so that a job of every minute pushes out no yearly one. */
const keepRuns = {
  type: 'object',
  properties: {
    days: {
      type: 'integer',
      minimum: 1,
      maximum: 36_500,
      default: 90,
      description: 'Age from which runs are removed.',
    },
    least: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 20,
      description: 'The newest runs of each runbook that stay, however old they are.',
    },
    most: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'The most runs of each runbook, however young they are; never fewer than `least`.',
    },
  },
  additionalProperties: false,
  description: 'How long finished runs are kept, each runbook on its own.',
  examples: [{ days: 365, least: 50, most: 10_000 }],
} as const satisfies JsonSchema;

/** opsctl.yaml: what a project folder sets for every command. */
export const projectSchema = {
  $id: 'https://opsctl.dev/schemas/v1/project.schema.json',
  title: 'opsctl project',
  type: 'object',
  description: 'Defaults of a project folder. Paths are relative to this file.',
  properties: {
    inventory: {
      type: ['string', 'array'],
      minLength: 1,
      minItems: 1,
      items: { type: 'string', minLength: 1, description: 'One inventory.' },
      description: 'Inventory file or folder, or several. `-i` replaces it.',
      examples: ['inventory.yaml', ['hosts.yaml', 'cloud.json']],
    },
    known_hosts: {
      type: ['string', 'array'],
      minLength: 1,
      minItems: 1,
      items: { type: 'string', minLength: 1, description: 'One known_hosts file.' },
      description: 'Files with the host keys to trust, in place of `~/.ssh/known_hosts`.',
      examples: ['known_hosts'],
    },
    state: {
      type: 'string',
      minLength: 1,
      description: 'Folder for journals and results, in place of `$XDG_STATE_HOME/opsctl`.',
      examples: ['.opsctl'],
    },
    'keep-runs': keepRuns,
    outputs: {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[a-z][a-z0-9]*(=.+)?$',
        description: 'One report: `FORMAT` or `FORMAT=FILE`.',
        examples: ['table', 'junit=report.xml'],
      },
      description: 'Reports of every run: `FORMAT` or `FORMAT=FILE`. `-o` replaces them.',
      examples: [['table', 'junit=reports/opsctl.xml']],
    },
    waivers: {
      type: 'string',
      minLength: 1,
      description: 'File with accepted findings, each with owner, reason and expiry.',
      examples: ['waivers.yaml'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export type ProjectFile = FromSchema<typeof projectSchema>;

export type KeepRuns = Required<FromSchema<typeof keepRuns>>;

const { days, least, most } = keepRuns.properties;
export const keepByDefault: KeepRuns = { days: days.default, least: least.default, most: most.default };
