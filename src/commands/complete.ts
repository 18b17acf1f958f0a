import { RootCommand } from '@bomb.sh/tab';
import { Command } from 'commander';
import { loadScope } from '../perform/prepare.js';
import { reports } from '../reports/index.js';
import { checks } from '../steps/check/index.js';
import { stepKinds } from '../steps/index.js';
import type { CommandContext } from './command.js';
import { commands } from './index.js';

/** What a shell calls on TAB: `opsctl complete -- WORDS`. Loads only the command that the words name. */
export function define(command: Command, context: CommandContext): void {
  command.argument('[words...]').action(async (words: string[]) => {
    const root = new RootCommand();
    const called = words[0] ?? '';
    for (const [name, { summary, hidden }] of Object.entries(commands)) {
      if (hidden) continue;
      const entry = root.command(name, summary);
      if (name === called) await addFlags(entry, name, context, words);
    }
    root.parse(words);
  });
}

type Entry = ReturnType<RootCommand['command']>;

async function addFlags(entry: Entry, name: string, context: CommandContext, words: readonly string[]): Promise<void> {
  const model = new Command(name);
  await (await commands[name]?.load())?.define(model, { ...context, argv: words });
  const kind = name === 'check' ? model.commands.find((child) => child.name() === words[1]) : undefined;
  for (const option of (kind ?? model).options) {
    const long = option.long?.replace(/^--/, '');
    if (!long) continue;
    const values = option.argChoices ?? (await valuesOf(long, context));
    const short = option.short?.replace(/^-/, '');
    if (values) entry.option(long, option.description, offer(values), short);
    else if (option.isBoolean()) entry.option(long, option.description, short);
    else entry.option(long, option.description, () => {}, short);
  }
  const kinds =
    name === 'check'
      ? Object.keys(checks).map((full) => full.replace('check.', ''))
      : name === 'steps'
        ? Object.keys(stepKinds)
        : undefined;
  if (kinds) entry.argument('kind', offer(kinds));
  for (const child of name === 'check' ? [] : model.commands)
    entry.argument('command', (complete) => complete(child.name(), child.description()));
}

function offer(values: readonly string[]) {
  return (complete: (value: string, description: string) => void) => {
    for (const value of values) complete(value, '');
  };
}

async function valuesOf(flag: string, context: CommandContext): Promise<readonly string[] | undefined> {
  if (flag === 'output') return Object.keys(reports);
  return flag === 'hosts' ? hostNames(context) : undefined;
}

/** Names of the project's hosts and groups; an inventory with mistakes completes nothing. */
async function hostNames(context: CommandContext): Promise<readonly string[]> {
  try {
    const { inventory } = await loadScope({}, context);
    return [...inventory.groups.keys(), ...inventory.hosts.keys()].slice(0, 1000);
  } catch {
    return [];
  }
}
