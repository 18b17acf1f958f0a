import { Chalk, type ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { Host, Inventory } from '../inventory/inventory.js';
import { hostNamed, hostsOfGroup } from '../inventory/members.js';
import { selectHosts } from '../inventory/patterns.js';
import { type InventoryScope, loadScopedInventory } from '../inventory/scope.js';
import { printColumns } from '../reports/columns.js';
import { escapeLine, printJson } from '../reports/escape.js';
import { isSecretKey } from '../secrets/literals.js';
import type { CommandContext } from './command.js';

export interface InventoryOptions extends InventoryScope {
  /** `-l`: narrows the hosts. */
  readonly hosts?: string;
  readonly json?: boolean;
}

export function define(command: Command, context: CommandContext): void {
  const list = command.command('list').description('the hosts: a table on a screen, one name a line elsewhere');
  addFlags(list, true).action(async (flags: InventoryOptions) => runList(flags, context));
  const graph = command.command('graph').description('the groups as a tree');
  addFlags(graph, true).action(async (flags: InventoryOptions) => runGraph(flags, context));
  const show = command.command('show').description('one host: its variables and settings, and where they come from');
  addFlags(show, false)
    .argument('<host>', 'name of the host')
    .action(async (host: string, flags: InventoryOptions) => runShow(host, flags, context));
}

/** The flags of commands that look at an inventory. */
export function addFlags(command: Command, narrows: boolean): Command {
  command
    // One value at a time: a list would swallow the host in `show -i hosts.yaml web1`.
    .option('-i, --inventory <source>', 'inventory file, folder, program, or "host1,host2,"; several times', append)
    .option('--project <folder>', 'project folder with opsctl.yaml')
    .option('--json', 'print JSON');
  if (narrows) command.option('-l, --hosts <pattern>', 'only these hosts: web*, a,b, prod,&db, all,!db1, ~regex');
  return command;
}

function append(source: string, sources: readonly string[] = []): readonly string[] {
  return [...sources, source];
}

/** Prints the selected hosts. */
export async function runList(options: InventoryOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const inventory = await loadScopedInventory(options, context);
  const hosts = selectHosts(inventory, options.hosts ?? 'all');
  await warn(inventory, context);
  if (options.json) await terminal.out(`${printJson(hosts.map(record), 2)}\n`);
  else if (!terminal.stdoutIsTty) await terminal.out(hosts.map(({ name }) => `${escapeLine(name)}\n`).join(''));
  else await terminal.out(table(hosts, terminal.width, new Chalk({ level: terminal.color ? 1 : 0 })));
}

/** Prints the groups and the selected hosts as a tree. */
export async function runGraph(options: InventoryOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const inventory = await loadScopedInventory(options, context);
  const selected = new Set(selectHosts(inventory, options.hosts ?? 'all').map(({ name }) => name));
  await warn(inventory, context);
  if (options.json) {
    const groups = [...inventory.groups.values()].map(({ name, hosts, groups }) => {
      return { name, hosts: hosts.filter((host) => selected.has(host)), groups };
    });
    await terminal.out(`${printJson(groups, 2)}\n`);
    return;
  }
  const chalk = new Chalk({ level: terminal.color ? 1 : 0 });
  await terminal.out(
    `${[heading(inventory, 'all', selected, chalk), ...tree(inventory, 'all', selected, chalk)].join('\n')}\n`,
  );
}

/** Prints one host with the effective value of everything, and the place that set it. */
export async function runShow(name: string, options: InventoryOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const inventory = await loadScopedInventory(options, context);
  const host = hostNamed(inventory, name);
  await warn(inventory, context);
  if (options.json) {
    await terminal.out(`${printJson({ ...record(host), origins: originsOf(host) }, 2)}\n`);
    return;
  }
  const chalk = new Chalk({ level: terminal.color ? 1 : 0 });
  const width = terminal.stdoutIsTty ? terminal.width : 160;
  const lines = (['connect', 'vars'] as const).flatMap((part) => {
    const rows = Object.entries(host[part]).map(([key, value]) => ({
      cells: [escapeLine(key), showValue(key, value), origin(host, `${part}.${key}`)],
      style: [chalk.bold, (text: string) => text, chalk.dim],
    }));
    const empty = part === 'vars' ? 'no variables' : 'no connection settings; ssh_config and the defaults decide';
    return rows.length === 0 ? ['', empty] : ['', ...printColumns([part, 'value', 'set by'], rows, width, chalk)];
  });
  const named = host.place ? `  ${chalk.dim(escapeLine(placeText(host.place)))}` : '';
  const head = [`${chalk.bold(escapeLine(host.name))}${named}`, `groups: ${host.groups.map(escapeLine).join(', ')}`];
  await terminal.out(`${[...head, ...lines].join('\n')}\n`);
}

/** Warnings of the inventory, on stderr. */
export async function warn({ warnings }: Inventory, { terminal }: CommandContext): Promise<void> {
  for (const warning of warnings) await terminal.err(`opsctl: warning: ${escapeLine(warning)}\n`);
}

/** A value as one line. What is secret by its name stays hidden: other people's inventories hold passwords. */
export function showValue(name: string, value: unknown): string {
  return escapeLine(JSON.stringify(hideSecrets(name, value)));
}

export function hideSecrets(name: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) return value.map((item) => hideSecrets(name, item));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideSecrets(key, item)]));
  }
  const isReference = typeof value === 'string' && name === 'secret' && /^(?:env|file|exec):/.test(value);
  return isSecretKey(name) && !isReference && value !== null && value !== '' ? '***' : value;
}

export function placeText({ file, line, column }: { file: string; line?: number; column?: number }): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

function record(host: Host): { readonly name: string } & Record<string, unknown> {
  const { name, groups, connect, vars } = host;
  return { name, groups, connect: hideSecrets('', connect), vars: hideSecrets('', vars) };
}

function originsOf(host: Host): Record<string, unknown> {
  const entries = [...host.origins].map(([key, origins]) => {
    const last = origins.at(-1);
    return [key, last && { source: last.source, place: placeText(last.place) }];
  });
  return Object.fromEntries(entries);
}

function origin(host: Host, key: string): string {
  const last = host.origins.get(key)?.at(-1);
  return last ? escapeLine(`${last.source}  ${placeText(last.place)}`) : '';
}

function table(hosts: readonly Host[], width: number, chalk: ChalkInstance): string {
  const lines = hosts.map((host) => {
    const { address, port, user, transport } = host.connect;
    const login = `${user === undefined ? '' : `${user}@`}${address ?? host.name}${port === undefined ? '' : `:${port}`}`;
    const groups = host.groups.filter((group) => group !== 'all');
    return {
      cells: [
        escapeLine(host.name),
        transport === 'local' ? 'this machine' : escapeLine(login),
        groups.map(escapeLine).join(', '),
      ],
      style: [chalk.bold, (text: string) => text, chalk.dim],
    };
  });
  return `${printColumns(['host', 'connect to', 'groups'], lines, width, chalk).join('\n')}\n`;
}

function tree(inventory: Inventory, name: string, selected: ReadonlySet<string>, chalk: ChalkInstance): string[] {
  const group = inventory.groups.get(name);
  const hosts = (group?.hosts ?? []).filter((host) => selected.has(host));
  const groups = (group?.groups ?? []).filter((child) => count(inventory, child, selected) > 0);
  const children = [
    ...groups.map((child) => [heading(inventory, child, selected, chalk), ...tree(inventory, child, selected, chalk)]),
    ...hosts.map((host) => [escapeLine(host)]),
  ];
  return children.flatMap(([first = '', ...rest], at) => {
    const last = at === children.length - 1;
    return [`${last ? '└─ ' : '├─ '}${first}`, ...rest.map((line) => `${last ? '   ' : '│  '}${line}`)];
  });
}

function heading(inventory: Inventory, name: string, selected: ReadonlySet<string>, chalk: ChalkInstance): string {
  const number = count(inventory, name, selected);
  return `${chalk.bold(escapeLine(name))} ${chalk.dim(`(${number} ${number === 1 ? 'host' : 'hosts'})`)}`;
}

function count(inventory: Inventory, name: string, selected: ReadonlySet<string>): number {
  if (name === 'all') return selected.size;
  return [...hostsOfGroup(inventory, name)].filter((host) => selected.has(host)).length;
}
