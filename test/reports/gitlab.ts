import { Ajv } from 'ajv';

const schema = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      description: { type: 'string', minLength: 1 },
      check_name: { type: 'string', minLength: 1 },
      fingerprint: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      severity: { enum: ['info', 'minor', 'major', 'critical', 'blocker'] },
      location: {
        type: 'object',
        properties: {
          path: { type: 'string', pattern: '^(?!\\./|/)' },
          lines: {
            type: 'object',
            properties: { begin: { type: 'integer', minimum: 1 } },
            required: ['begin'],
          },
        },
        required: ['path', 'lines'],
      },
    },
    required: ['description', 'check_name', 'fingerprint', 'severity', 'location'],
    additionalProperties: false,
  },
};

const validate = new Ajv({ strict: false }).compile(schema);

export interface Entry {
  readonly description: string;
  readonly check_name: string;
  readonly fingerprint: string;
  readonly severity: string;
  readonly location: { readonly path: string };
}

/** Reads a Code Quality report as GitLab documents it, or throws. GitLab drops all but one of a fingerprint. */
export function readGitlab(json: string): readonly Entry[] {
  const entries = JSON.parse(json) as readonly Entry[];
  if (!validate(entries)) throw new Error(JSON.stringify(validate.errors));
  if (new Set(entries.map(({ fingerprint }) => fingerprint)).size !== entries.length)
    throw new Error('a fingerprint comes twice');
  return entries;
}
