import { validators } from '../generated/validators/index.js';

/** One error as ajv's compiled code reports it. */
export interface SchemaError {
  readonly keyword: string;
  /** JSON pointer into the value. */
  readonly instancePath: string;
  /** JSON pointer into the schema, after `#`. */
  readonly schemaPath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

export interface Validator {
  /** Fills defaults in, converts nothing. */
  (value: unknown): boolean;
  readonly errors?: readonly SchemaError[] | null;
}

/** `runbook`, `inventory` … or a step kind. Compiled from the schema literals by `npm run build`. */
export async function loadValidator(name: string): Promise<Validator> {
  const load = (validators as Readonly<Record<string, (() => Promise<{ default: unknown }>) | undefined>>)[name];
  if (!load)
    throw new Error(`no validator for ${name}: its schema is newer than the generated code; run npm run build`);
  return (await load()).default as Validator;
}
