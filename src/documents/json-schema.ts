import type { FromSchema as Infer, JSONSchema } from 'json-schema-to-ts';

/** A schema literal, `as const satisfies JsonSchema`. The literal is the one truth: types, validators, docs come from it. */
export type JsonSchema = Exclude<JSONSchema, boolean>;

/** The type of the documents that a schema literal accepts, defaults filled in. */
export type FromSchema<S extends JSONSchema> = Infer<S>;
