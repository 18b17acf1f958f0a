import type { FromSchema, JsonSchema } from './json-schema.js';

/** The step kind that the loader itself resolves, so it is in no registry of kinds. */
export const includeKind = 'flow.runbook';
export const includeSummary = 'Run the steps of another runbook';

export const includeSchema = {
  title: includeSummary,
  type: 'object',
  description: 'Parameters of flow.runbook.',
  properties: {
    file: {
      type: 'string',
      minLength: 1,
      description: 'Runbook to run here, relative to this file and inside the project folder.',
      examples: ['host-health.yaml'],
    },
    params: { type: 'object', default: {}, description: 'Values of its parameters.' },
  },
  required: ['file'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export type IncludeParams = FromSchema<typeof includeSchema>;
