import type { FromSchema, JsonSchema } from './json-schema.js';

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
