import type { Problem } from '../errors.js';
import type { JsonSchema } from './json-schema.js';
import { nearest } from './nearest.js';
import { quote } from './source.js';
import { valueAt } from './tree.js';
import type { Check, LocatedError } from './validate.js';

type Schema = Readonly<Record<string, unknown>>;

/** What a compiled validator found, as a problem with its place and the way out. */
export function explainError(error: LocatedError, check: Check): Problem {
  const base = check.base ?? [];
  const value = valueAt(check.value, error.path);
  const schema = parentSchema(check.schema, error.schemaPath);
  const name = nameOf(error.path, check.subject);
  const place = check.place([...base, ...error.path]);
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(error.params.additionalProperty ?? error.params.unevaluatedProperty);
      const inside = error.path.length === 0 ? check.subject : `\`${lastName(error.path)}\``;
      return {
        ...unknownKey(key, Object.keys((schema.properties ?? {}) as object), inside),
        place: check.place([...base, ...error.path, key], 'key'),
      };
    }
    case 'required':
    case 'dependentRequired':
    case 'dependencies': {
      const key = String(error.params.missingProperty);
      const property = (schema.properties as Schema | undefined)?.[key] as Schema | undefined;
      const about = Array.isArray(property?.enum) ? either(property.enum.map(plain)) : describe(property);
      const inside = error.path.length === 0 ? check.subject : name;
      const at = check.place(
        [...base, ...error.path],
        error.path.length + base.length > 0 && typeof [...base, ...error.path].at(-1) === 'string' ? 'key' : 'value',
      );
      return {
        code: 'E_KEY_MISSING',
        what: `${inside} needs \`${key}\``,
        hint: `add \`${key}:\`${about ? ` (${about})` : ''}`,
        place: { ...at, length: Math.min(at.length ?? 1, firstWord(at.source, at.column)) },
      };
    }
    case 'propertyNames':
      return {
        code: 'E_PATTERN',
        what: `the key ${quote(error.params.propertyName)} does not fit`,
        hint: 'rename it',
        place: check.place([...base, ...error.path, String(error.params.propertyName)], 'key'),
      };
    case 'type':
    case 'anyOf':
    case 'oneOf': {
      if (typeof value === 'string' && isSecretReference(schema)) {
        const { source: _, ...hidden } = place;
        return {
          code: 'E_SECRET_LITERAL',
          what: `${name} is a secret in plain text`,
          hint: `write \`${lastName(error.path)}: { secret: "env:NAME" }\``,
          place: hidden,
        };
      }
      const types = error.keyword === 'type' ? [error.params.type].flat().map(String) : choices(schema[error.keyword]);
      return {
        ...typeProblem(
          name,
          types,
          value,
          check.written?.([...base, ...error.path]),
          schema,
          error.path.length === 0 ? check : undefined,
        ),
        place,
      };
    }
    case 'enum':
    case 'const': {
      const allowed = [error.params.allowedValues ?? error.params.allowedValue].flat();
      const meant =
        typeof value === 'string'
          ? nearest(
              value,
              allowed.filter((item) => typeof item === 'string'),
            )
          : undefined;
      const list = allowed.map(plain).join(', ');
      return {
        code: 'E_ENUM',
        what: `${name} is ${quote(value)}, not ${allowed.length === 1 ? list : `one of ${list}`}`,
        ...(meant !== undefined && { hint: `did you mean \`${meant}\`?` }),
        place,
      };
    }
    case 'pattern':
    case 'format':
      return {
        code: 'E_PATTERN',
        what: `${name} cannot be ${quote(value)}`,
        hint: exampleHint(schema) ?? `it must match ${error.params.pattern ?? error.params.format}`,
        place,
      };
    default:
      return { ...rangeProblem(error, name, value, schema), place };
  }
}

export function unknownKey(
  key: string,
  known: readonly string[],
  inside: string,
): Pick<Problem, 'code' | 'what' | 'hint'> {
  const meant = nearest(key, known);
  const hint =
    meant !== undefined
      ? `did you mean \`${meant}\`?`
      : known.length === 0
        ? 'it takes no keys'
        : known.length <= 12
          ? `it takes ${known.join(', ')}`
          : 'remove it';
  return {
    code: 'E_KEY_UNKNOWN',
    what: `unknown key ${quote(key).replace(/^"([\w.-]+)"$/, '`$1`')} in ${inside}`,
    hint,
  };
}

function typeProblem(
  name: string,
  types: readonly string[],
  value: unknown,
  written: string | undefined,
  schema: Schema,
  root: Check | undefined,
): Pick<Problem, 'code' | 'what' | 'hint'> {
  if (root && types.includes('object')) {
    const required = ((root.schema as Schema).required ?? []) as readonly string[];
    const keys = required.map((key) => `\`${key}\``).join(' and ');
    return {
      code: 'E_TYPE',
      what: `${root.subject} is a map${keys ? ` with ${keys}` : ''}, got ${kindOf(value)}`,
      hint: 'write KEY: VALUE lines',
    };
  }
  const { minimum, maximum } = schema;
  if (types.includes('integer') && minimum !== undefined && maximum !== undefined) {
    if (typeof value === 'number' || (typeof value === 'string' && /^\d+\D/.test(value))) {
      return { code: 'E_RANGE', what: `${name} is a whole number from ${minimum} to ${maximum}, got ${quote(value)}` };
    }
  }
  const expected = `${name} expects ${either(types.map((type) => typeNames[type] ?? type))}`;
  const problem = (what: string, hint?: string) => ({
    code: 'E_TYPE' as const,
    what: `${expected}, ${what}`,
    ...(hint !== undefined && { hint }),
  });
  if (value === null || value === undefined) return problem('got nothing', 'give it a value, or remove the key');
  if (types.includes('string') && (typeof value === 'number' || typeof value === 'boolean')) {
    const text = written ?? String(value);
    return problem(
      typeof value === 'number' ? `read as the number ${value}` : `read as the boolean ${value}`,
      `quote it: "${text}"`,
    );
  }
  if (typeof value === 'string') {
    if (types.includes('boolean')) {
      const meant = /^(no|n|off|false|0)$/i.test(value)
        ? 'false'
        : /^(yes|y|on|true|1)$/i.test(value)
          ? 'true'
          : undefined;
      return problem(`got the text ${quote(value)}`, meant ? `write \`${meant}\`` : 'write `true` or `false`');
    }
    const isNumber =
      (types.includes('number') || types.includes('integer')) && value.trim() !== '' && Number.isFinite(Number(value));
    if (isNumber) return problem(`got the text ${quote(value)}`, `remove the quotes: ${Number(value)}`);
    if (types.includes('array'))
      return problem(
        `got the text ${quote(value)}`,
        `write a list: [${/^[\w.-]+$/.test(value) ? value : quote(value)}]`,
      );
  }
  return problem(`got ${kindOf(value)}`, exampleHint(schema));
}

/** Takes nothing but `{ secret: … }`. */
function isSecretReference({ properties, required }: Schema): boolean {
  return (
    Object.keys((properties ?? {}) as object).join() === 'secret' &&
    Array.isArray(required) &&
    required.includes('secret')
  );
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  null: 'nothing',
};

/** A value as people call it: `the text "no"`, `the number 3`, `a map`. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return `the text ${quote(value)}`;
  return typeof value === 'number' ? `the number ${value}` : String(value);
}

function rangeProblem(
  { keyword, params, message }: LocatedError,
  name: string,
  value: unknown,
  schema: Schema,
): Pick<Problem, 'code' | 'what' | 'hint'> {
  const limit = Number(params.limit);
  const { minimum, maximum } = schema;
  const range = (what: string, hint?: string) => ({
    code: 'E_RANGE' as const,
    what,
    ...(hint !== undefined && { hint }),
  });
  switch (keyword) {
    case 'minimum':
    case 'maximum':
      if (minimum !== undefined && maximum !== undefined)
        return range(`${name} is ${minimum} to ${maximum}, got ${value}`);
      return range(`${name} is ${keyword === 'minimum' ? 'at least' : 'at most'} ${limit}, got ${value}`);
    case 'exclusiveMinimum':
      return range(`${name} must be more than ${limit}, got ${value}`);
    case 'exclusiveMaximum':
      return range(`${name} must be less than ${limit}, got ${value}`);
    case 'multipleOf':
      return range(`${name} must be a multiple of ${params.multipleOf}, got ${value}`);
    case 'minLength':
      return range(limit === 1 ? `${name} is empty` : `${name} has at least ${limit} characters`, 'give it a value');
    case 'maxLength':
      return range(`${name} has at most ${limit} characters, got ${String(value).length}`, 'shorten it');
    case 'minItems':
    case 'minProperties':
      return range(limit === 1 ? `${name} is empty` : `${name} has at least ${limit} entries`, 'add an entry');
    case 'maxItems':
    case 'maxProperties':
      return range(`${name} has at most ${limit} entries`, 'remove some');
    case 'uniqueItems':
      return range(`items ${Number(params.j) + 1} and ${Number(params.i) + 1} of ${name} are the same`, 'remove one');
    default:
      return { code: 'E_VALUE', what: `${name} ${message ?? 'does not fit'}` };
  }
}

function exampleHint(schema: Schema): string | undefined {
  const examples = Array.isArray(schema.examples) ? schema.examples : [];
  return examples.length > 0 ? `such as ${examples.slice(0, 3).map(plain).join(', ')}` : undefined;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** First sentence of a description, as the middle of a sentence. */
function describe(schema: unknown): string | undefined {
  const text = (schema as { description?: string } | undefined)?.description?.split(/[.;:](\s|$)/)[0];
  return text ? text.slice(0, 1).toLowerCase() + text.slice(1) : undefined;
}

function choices(branches: unknown): string[] {
  const types = (Array.isArray(branches) ? branches : []).flatMap(
    (branch: Schema) => (branch.type as string | string[]) ?? (branch.enum ? ['string'] : []),
  );
  return [...new Set(types.length > 0 ? types : ['another value'])];
}

function either(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? 'something else') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function nameOf(path: readonly (string | number)[], subject: string): string {
  return path.length === 0 ? subject : `\`${lastName(path)}\``;
}

/** `tags[2]` for an item of a list: counted from 0, as expressions do. */
function lastName(path: readonly (string | number)[]): string {
  let name = '';
  for (let at = path.length - 1; at >= 0; at--) {
    const part = path[at];
    if (typeof part === 'string') return `${part}${name}`;
    name = `[${part}]${name}`;
  }
  return name;
}

/** The caret of a missing key underlines one word, not the whole block. */
function firstWord(source: string | undefined, column: number | undefined): number {
  return /^[\w."'-]+/.exec(source?.slice((column ?? 1) - 1) ?? '')?.[0].length ?? 1;
}

function parentSchema(schema: JsonSchema, pointer: string): Schema {
  const parts = pointer.replace(/^#\/?/, '').split('/').slice(0, -1);
  let at: unknown = schema;
  for (const part of parts) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    at = (at as Record<string, unknown> | undefined)?.[key];
  }
  return (at ?? {}) as Schema;
}
