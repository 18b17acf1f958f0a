import { Command, Option } from 'commander';
import type { JsonSchema } from '../documents/json-schema.js';
import { nearest } from '../documents/nearest.js';
import { UserError } from '../errors.js';
import { checks } from '../steps/check/index.js';
import type { StepKind } from '../steps/step.js';
import type { CommandContext } from './command.js';
import { addRunFlags, type RunFlags, readRunFlags } from './run-flags.js';

/** `opsctl check KIND`: one check without a runbook, its flags made from the schema of the kind. */
export async function define(command: Command, context: CommandContext): Promise<void> {
  command.usage('<kind> [options]').argument('[kind]', `one of ${kindNames().join(', ')}`);
  const name = context.argv.slice(context.argv.indexOf('check') + 1).find((argument) => !argument.startsWith('-'));
  const kind = name === undefined ? undefined : await kindOf(name);
  command.action(() => {
    throw unknownKind(name);
  });
  if (!name || !kind) return;
  const child = command.command(name).description(kind.summary);
  child.copyInheritedSettings(command);
  const common = new Command();
  addRunFlags(common);
  const flags = paramFlags(kind, new Set([...common.options.map(({ long }) => long), '--sudo', '--name', '--debug']));
  child
    .optionsGroup('Check:')
    .option('--sudo', 'look as root')
    .option('--name <text>', 'what to call it in the report');
  for (const { option } of flags) child.addOption(option);
  addRunFlags(child);
  child.action(async (given: RunFlags & { sudo?: boolean; name?: string } & Record<string, unknown>) => {
    const params = Object.fromEntries(
      flags.flatMap(({ param, option }) =>
        given[option.attributeName()] === undefined ? [] : [[param, given[option.attributeName()]]],
      ),
    );
    const step = { uses: kind.kind, ...(given.name !== undefined && { name: given.name }), with: params };
    const text = JSON.stringify({
      name: `check ${name}`,
      hosts: 'all',
      ...(given.sudo && { sudo: true }),
      steps: [step],
    });
    const { perform } = await import('../perform/perform.js');
    const options = { ...readRunFlags(given), runbook: { name: 'command line', text }, mode: 'run' as const };
    context.finish(await withoutPlaces(() => perform({ ...options, verbose: given.verbose ?? true }, context)));
  });
}

interface ParamFlag {
  readonly param: string;
  readonly option: Option;
}

/** One flag a parameter. A name that every command has already gets `--with-` in front. */
function paramFlags(kind: StepKind, taken: ReadonlySet<string | undefined>): readonly ParamFlag[] {
  const properties = (kind.params.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.entries(properties).map(([param, schema]) => {
    const flag = taken.has(`--${param}`) ? `--with-${param}` : `--${param}`;
    const syntax = valueSyntax(schema);
    const option = new Option(`${flag}${syntax}`, describe(schema));
    // A switch has no text to read.
    if (syntax === '') return { param, option };
    if (Array.isArray(schema.enum) && schema.enum.every((value) => typeof value === 'string'))
      option.choices(schema.enum as string[]);
    else option.argParser((text, previous) => readValue(text, schema, previous));
    return { param, option };
  });
}

function valueSyntax(schema: JsonSchema): string {
  if (types(schema).includes('boolean') && types(schema).length === 1) return '';
  if (types(schema).includes('array')) return ' <value...>';
  if (types(schema).includes('object') && !types(schema).includes('string')) return ' <name=value...>';
  return ' <value>';
}

/** Text of the command line as the schema wants it. What does not fit is left as text for the validator to refuse. */
function readValue(text: string, schema: JsonSchema, previous: unknown): unknown {
  const kinds = types(schema);
  if (kinds.includes('array')) {
    const item = (schema.items ?? {}) as JsonSchema;
    return [...(Array.isArray(previous) ? previous : []), readScalar(text, types(item))];
  }
  if (kinds.includes('object') && !kinds.includes('string')) {
    const split = text.indexOf('=');
    if (split <= 0) throw new UserError({ code: 'E_FLAG', what: `"${text}" has no value`, hint: 'write NAME=VALUE' });
    return { ...(previous as object | undefined), [text.slice(0, split)]: text.slice(split + 1) };
  }
  return readScalar(text, kinds);
}

function readScalar(text: string, kinds: readonly string[]): unknown {
  const isNumeric = text.trim() !== '' && Number.isFinite(Number(text));
  if (isNumeric && (kinds.includes('integer') || kinds.includes('number') || kinds.length === 0)) return Number(text);
  if (kinds.includes('boolean') && !kinds.includes('string') && (text === 'true' || text === 'false'))
    return text === 'true';
  return text;
}

function types(schema: JsonSchema): readonly string[] {
  const { type } = schema as { type?: string | readonly string[] };
  if (type !== undefined) return typeof type === 'string' ? [type] : type;
  const choices = [...((schema.anyOf ?? []) as JsonSchema[]), ...((schema.oneOf ?? []) as JsonSchema[])];
  return choices.flatMap((choice) => types(choice));
}

function describe(schema: JsonSchema): string {
  const preset = (schema as { default?: unknown }).default;
  return `${schema.description ?? ''}${preset === undefined ? '' : ` (default ${JSON.stringify(preset)})`}`;
}

/** The made-up runbook has no lines that mean anything to the user. */
async function withoutPlaces<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problems = error.problems.map(({ code, what, hint, place }) => ({
      code,
      what,
      ...(hint !== undefined && { hint }),
      ...(place && place.file !== 'command line' && { place }),
    }));
    throw new UserError(problems, error.exit, { cause: error });
  }
}

async function kindOf(name: string): Promise<StepKind | undefined> {
  const full = name.startsWith('check.') ? name : `check.${name}`;
  return Object.hasOwn(checks, full) ? checks[full]?.() : undefined;
}

function kindNames(): string[] {
  return Object.keys(checks).map((name) => name.replace('check.', ''));
}

function unknownKind(name: string | undefined): UserError {
  const meant = name === undefined ? undefined : nearest(name, kindNames());
  return new UserError({
    code: 'E_STEP_UNKNOWN',
    what: name === undefined ? 'name a check' : `unknown check "${name}"`,
    hint: meant ? `did you mean \`${meant}\`?` : `checks are ${kindNames().join(', ')}`,
  });
}
