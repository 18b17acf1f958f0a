import type { Command } from 'commander';
import { includeKind, includeSchema, includeSummary } from '../documents/include.schema.js';
import { nearestKind } from '../documents/nearest.js';
import { UserError } from '../errors.js';
import { documentKind, type KindDocumentation, yamlText } from '../steps/documentation.js';
import { stepKinds } from '../steps/index.js';
import type { CommandContext } from './command.js';

export interface StepsOptions {
  /** A kind, or the start of some such as `check`. All when absent. */
  readonly kind: string | undefined;
  readonly json: boolean;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument('[kind]', 'step kind such as check.disk, or a family such as check')
    .option('--json', 'print JSON')
    .action(async (kind: string | undefined, flags: { readonly json?: boolean }) =>
      runSteps({ kind, json: flags.json ?? false }, context),
    );
}

/** Lists the step kinds, or tells all about one. */
export async function runSteps({ kind, json }: StepsOptions, { terminal }: CommandContext): Promise<void> {
  const names = [...Object.keys(stepKinds), includeKind].sort();
  const one = kind !== undefined && names.includes(kind);
  const chosen = kind === undefined ? names : names.filter((name) => name === kind || name.startsWith(`${kind}.`));
  if (kind !== undefined && chosen.length === 0) throw unknownKind(kind, names);
  const documents = await Promise.all(chosen.map(documentationOf));
  if (json) {
    await terminal.out(`${JSON.stringify(one ? documents[0] : documents, null, 2)}\n`);
    return;
  }
  const [first] = documents;
  await terminal.out(one && first ? page(first, terminal.width) : list(documents));
}

async function documentationOf(name: string): Promise<KindDocumentation> {
  const load = stepKinds[name];
  if (load) return documentKind(await load());
  return { ...documentKind({ kind: includeKind, summary: includeSummary, params: includeSchema }), effect: 'declared' };
}

function list(documents: readonly KindDocumentation[]): string {
  const widest = Math.max(...documents.map(({ kind }) => kind.length));
  const lines = documents.map(
    ({ kind, effect, summary }) => `${kind.padEnd(widest)}  ${effect === 'read' ? '      ' : 'change'}  ${summary}`,
  );
  return `${lines.join('\n')}\n\nAll about one: opsctl steps KIND\n`;
}

function page({ kind, summary, runs, effect, timeout, params }: KindDocumentation, width: number): string {
  const effects = {
    read: 'changes nothing',
    change: 'changes the host',
    declared: 'changes what the runbook says (`effect`)',
  } as const;
  const where = runs === 'host' ? 'runs on the host' : 'runs on this machine';
  const parts = [`${kind}  ${summary}`, `${where}, ${effects[effect]}, times out after ${timeout} s`];
  if (params.length > 0) parts.push('');
  for (const param of params) {
    const given = param.required ? 'required' : param.default === undefined ? 'optional' : yamlText(param.default);
    parts.push(`  ${param.name}  (${param.type}; ${given})`);
    parts.push(...wrap(param.description, width - 6).map((line) => `      ${line}`));
    if (param.examples.length > 0) parts.push(`      example: ${param.examples.map(yamlText).join('  ')}`);
  }
  parts.push('', ...example(kind, params));
  return `${parts.join('\n')}\n`;
}

/** The smallest step of this kind, ready to be pasted. */
function example(kind: string, params: KindDocumentation['params']): string[] {
  const required = params.filter((param) => param.required);
  const values = required.map(({ name, type, examples }) => {
    const [choice] = /^one of ([^,]+)/.exec(type)?.slice(1) ?? [];
    return `${name}: ${examples.length > 0 ? yamlText(examples[0]) : (choice ?? '…')}`;
  });
  return [`  - uses: ${kind}`, ...(values.length > 0 ? [`    with: { ${values.join(', ')} }`] : [])];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < Math.max(40, width))
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function unknownKind(kind: string, names: readonly string[]): UserError {
  const close = nearestKind(kind, names);
  return new UserError({
    code: 'E_STEP_UNKNOWN',
    what: `unknown step "${kind}"`,
    hint: close ? `did you mean "${close}"?` : '`opsctl steps` lists them',
  });
}
