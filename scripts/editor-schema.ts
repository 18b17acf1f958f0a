import type { JsonSchema } from '../src/documents/json-schema.js';

type Schema = Readonly<Record<string, unknown>>;

/**
 * One schema of a whole runbook, for editors: every step's `with` completes by its `uses`. opsctl itself
 * validates the envelope, the step and its `with` apart, because that tells one mistake once.
 */
export function editorSchema(
  runbook: Schema,
  step: Schema,
  group: Schema,
  kinds: Readonly<Record<string, JsonSchema>>,
): Schema {
  const entries = { items: { $ref: '#/definitions/entry' } };
  const groupProperties = group.properties as Record<string, Schema>;
  const stepProperties = step.properties as Record<string, Schema>;
  const runbookProperties = runbook.properties as Record<string, Schema>;
  return {
    ...runbook,
    properties: { ...runbookProperties, steps: { ...runbookProperties.steps, ...entries } },
    definitions: {
      entry: {
        type: 'object',
        description: 'A step, or a group of steps.',
        if: { required: ['steps'] },
        // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it so
        then: { $ref: '#/definitions/group' },
        else: { $ref: '#/definitions/step' },
      },
      group: {
        ...group,
        properties: {
          ...groupProperties,
          ...Object.fromEntries(
            ['steps', 'rescue', 'always'].map((key) => [key, { ...groupProperties[key], ...entries }]),
          ),
        },
      },
      step: {
        ...step,
        properties: { ...stepProperties, uses: { ...stepProperties.uses, enum: Object.keys(kinds) } },
        allOf: Object.entries(kinds).map(([kind, params]) => ({
          if: { properties: { uses: { const: kind } }, required: ['uses'] },
          // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it so
          then: {
            properties: { with: { ...(orTemplate(params, true) as Schema) } },
            ...(isFilled((params as Schema).required) && { required: ['with'] }),
          },
        })),
      },
    },
  };
}

const template = { type: 'string', pattern: '\\$\\{\\{', description: 'An expression.' };

/** Every value may be an expression instead. */
function orTemplate(schema: unknown, isRoot = false): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const { properties, items, additionalProperties, ...rest } = schema as Schema;
  const inside = {
    ...rest,
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties as Schema).map(([key, value]) => [key, orTemplate(value)]),
      ),
    }),
    ...(items !== undefined && { items: orTemplate(items) }),
    ...(additionalProperties !== undefined && { additionalProperties: orTemplate(additionalProperties) }),
  };
  const { type, pattern, minLength } = schema as Schema;
  const takesText =
    ([type].flat().includes('string') || type === undefined) &&
    rest.enum === undefined &&
    !pattern &&
    !(Number(minLength) > 4);
  if (isRoot || takesText) return inside;
  const { description, default: preset, examples, ...bare } = inside as Schema;
  return {
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
    ...(examples !== undefined && { examples }),
    anyOf: [bare, template],
  };
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}
