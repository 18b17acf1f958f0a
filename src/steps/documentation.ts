import type { JsonSchema } from '../documents/json-schema.js';

/** What people read about a step kind. All of it comes from the kind itself. */
export interface KindDocumentation {
  readonly kind: string;
  readonly summary: string;
  readonly runs: string;
  /** `declared` where the author of the runbook says it under `effect`. */
  readonly effect: 'read' | 'change' | 'declared';
  /** Seconds. */
  readonly timeout: number;
  readonly params: readonly ParamDocumentation[];
}

export interface ParamDocumentation {
  readonly name: string;
  readonly required: boolean;
  /** `text`, `number`, `list of text`, `one of a, b` … */
  readonly type: string;
  readonly description: string;
  readonly default?: unknown;
  readonly examples: readonly unknown[];
}

/** What a kind must have to be documented: every StepKind does. */
export interface Documented {
  readonly kind: string;
  readonly summary: string;
  readonly runs?: string;
  readonly effect?: unknown;
  readonly timeout?: number;
  readonly params: JsonSchema;
}

export function documentKind(kind: Documented): KindDocumentation {
  const properties = Object.entries((kind.params.properties ?? {}) as Readonly<Record<string, JsonSchema>>);
  const required = (kind.params.required ?? []) as readonly string[];
  return {
    kind: kind.kind,
    summary: kind.summary,
    runs: kind.runs ?? 'controller',
    effect: typeof kind.effect === 'function' ? 'declared' : kind.effect === 'change' ? 'change' : 'read',
    timeout: kind.timeout ?? 30,
    params: properties.map(([name, schema]) => ({
      name,
      required: required.includes(name),
      type: typeName(schema),
      description: schema.description ?? '',
      ...(schema.default !== undefined && { default: schema.default }),
      examples: (schema.examples as readonly unknown[] | undefined) ?? [],
    })),
  };
}

/** The table of parameters in the README of a kind. */
export function paramsTable({ params }: KindDocumentation): string {
  if (params.length === 0) return 'It takes no parameters.\n';
  const rows = params.map((param) => [
    `\`${param.name}\``,
    param.type,
    param.required ? 'required' : param.default === undefined ? '' : `\`${yamlText(param.default)}\``,
    param.description + (param.examples.length > 0 ? ` For example ${param.examples.map(code).join(', ')}.` : ''),
  ]);
  return [['parameter', 'type', 'default', 'meaning'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', '↵')).join(' | ')} |\n`)
    .join('');
}

/** A value as it is written in a runbook, on one line. */
export function yamlText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlText).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${key}: ${yamlText(inner)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  // Plain text of YAML needs no quotes unless it could be read as something else.
  if (typeof value === 'string' && !/^[\p{L}/_][\p{L}\d /_.*-]*$/u.test(value)) return JSON.stringify(value);
  if (typeof value === 'string' && /^(?:true|false|null|yes|no|on|off)$/i.test(value)) return JSON.stringify(value);
  return String(value);
}

function code(value: unknown): string {
  const written = yamlText(value);
  return written.includes('`') ? `\`\` ${written} \`\`` : `\`${written}\``;
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'mapping',
  array: 'list',
  null: 'null',
};

function typeName(schema: JsonSchema): string {
  if (schema.enum) return `one of ${(schema.enum as readonly unknown[]).map(yamlText).join(', ')}`;
  if (schema.const !== undefined) return yamlText(schema.const);
  if (schema.format === 'duration') return 'duration';
  const types = [schema.type ?? []].flat() as readonly string[];
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  const items = schema.items as JsonSchema | undefined;
  if ('secret' in properties) return 'text or secret';
  return (
    types
      .map((type) => {
        if (type === 'array' && items && !Array.isArray(items)) return `list of ${typeName(items)}`;
        if (type === 'object' && typeof schema.additionalProperties === 'object')
          return `mapping of ${typeName(schema.additionalProperties)}`;
        return words[type] ?? type;
      })
      .join(' or ') || 'any'
  );
}
