import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RootCommand } from '@bomb.sh/tab';
import { Command, type Option } from 'commander';
import { listRuns } from '../journal/runs.js';
import { loadScope } from '../perform/prepare.js';
import { reports } from '../reports/index.js';
import { checks } from '../steps/check/index.js';
import { stepKinds } from '../steps/index.js';
import { factNames } from '../steps/run/facts/names.js';
import type { CommandContext } from './command.js';
import { commands } from './index.js';
import { chooseStateFolder } from './state-folder.js';

/** What a shell calls on TAB: `opsctl complete -- WORDS`. Loads only the command that the words name. */
export function define(command: Command, context: CommandContext): void {
  command.argument('[words...]').action(async (words: string[]) => {
    const root = new RootCommand();
    const called = words[0] ?? '';
    for (const [name, { summary, hidden }] of Object.entries(commands)) {
      if (hidden) continue;
      root.command(name, summary);
      if (name === called) await describeCommand(root, name, context, words);
    }
    const help = root.command('help', 'Print help for a command');
    help.argument('command', offer(Object.keys(commands).filter((name) => !commands[name]?.hidden)));
    root.parse(words);
  });
}

type Entry = ReturnType<RootCommand['command']>;

async function describeCommand(
  root: RootCommand,
  name: string,
  context: CommandContext,
  words: readonly string[],
): Promise<void> {
  const model = new Command(name);
  await (await commands[name]?.load())?.define(model, { ...context, argv: words });
  const isParent = model.commands.length > 0 || name === 'check';
  if (!isParent || model.options.length > 0) await describe(root.command(name, ''), model, words, context);
  if (!isParent) return;
  if (name === 'check') for (const kind of Object.keys(checks)) root.command(kind.replace('.', ' '), '');
  for (const child of model.commands) {
    const entry = root.command(`${name} ${child.name()}`, child.description());
    if (child.name() === words[1]) await describe(entry, child, words, context);
  }
}

/** Flags and the first argument. Values are looked up only where one is being typed. */
async function describe(
  entry: Entry,
  model: Command,
  words: readonly string[],
  context: CommandContext,
): Promise<void> {
  const word = words.at(-1) ?? '';
  const flag = word.startsWith('--') && word.includes('=') ? word.split('=', 1)[0] : words.at(-2);
  for (const option of model.options) {
    const long = option.long?.replace(/^--/, '');
    if (!long) continue;
    const short = option.short?.replace(/^-/, '');
    const typed = flag === option.long || (short !== undefined && flag === option.short);
    if (option.isBoolean()) entry.option(long, option.description, short);
    else entry.option(long, option.description, offer(typed ? await valuesOf(option, words, context) : []), short);
  }
  const [argument] = model.registeredArguments;
  if (!argument || word.startsWith('-')) return;
  const values = argument.argChoices ?? (await argumentsOf(argument.name(), words, context));
  entry.argument(argument.name(), offer(values), argument.variadic);
}

function offer(values: readonly string[]) {
  return (complete: (value: string, description: string) => void) => {
    for (const value of values) complete(value, '');
  };
}

async function valuesOf(
  { long, argChoices }: Option,
  words: readonly string[],
  context: CommandContext,
): Promise<readonly string[]> {
  if (argChoices) return argChoices;
  if (long === '--fact') return factNames;
  if (long === '--run') return ['last', ...(await runIds(context))];
  if (long === '--output') return Object.keys(reports);
  if (long === '--inventory' || long === '--waivers') return documentsBelow(context.cwd);
  return long === '--hosts' ? hostNames(words, context) : [];
}

async function argumentsOf(
  name: string,
  words: readonly string[],
  context: CommandContext,
): Promise<readonly string[]> {
  switch (name) {
    case 'kind':
      return Object.keys(stepKinds);
    case 'runbook':
      return documentsBelow(context.cwd);
    case 'run':
      return ['last', ...(await runIds(context))];
    case 'host':
      return hostNames(words, context, false);
    default:
      return [];
  }
}

/** Names of the hosts and groups that `-i` names, or the project; an inventory with mistakes completes nothing. */
async function hostNames(words: readonly string[], context: CommandContext, groups = true): Promise<readonly string[]> {
  const named = words.filter((_, index) => ['-i', '--inventory'].includes(words[index - 1] ?? ''));
  try {
    const { inventory } = await loadScope(named.length > 0 ? { inventory: named } : {}, context);
    return [...(groups ? inventory.groups.keys() : []), ...inventory.hosts.keys()].slice(0, 1000);
  } catch {
    return [];
  }
}

async function runIds(context: CommandContext): Promise<readonly string[]> {
  try {
    return (await listRuns(await chooseStateFolder(context, undefined), 20)).map(({ id }) => id);
  } catch {
    return [];
  }
}

/** YAML files in the folder and two levels below it. */
function documentsBelow(folder: string, prefix = '', depth = 0): readonly string[] {
  if (depth > 2) return [];
  try {
    return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
      const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
      if (entry.isDirectory()) return documentsBelow(folder, name, depth + 1);
      return /\.(ya?ml|json)$/.test(entry.name) ? [name] : [];
    });
  } catch {
    return [];
  }
}
