import { Chalk } from 'chalk';
import type { Command } from 'commander';
import { nearest } from '../documents/nearest.js';
import { UserError } from '../errors.js';
import type { Host, Origin } from '../inventory/inventory.js';
import { connectSettingNames } from '../inventory/inventory.schema.js';
import { hostNamed } from '../inventory/members.js';
import { type InventoryScope, loadScopedInventory } from '../inventory/scope.js';
import { printColumns } from '../reports/columns.js';
import { escapeLine, printJson } from '../reports/escape.js';
import type { CommandContext } from './command.js';
import { addFlags, hideSecrets, placeText, showValue, warn } from './inventory.js';

export interface WhyOptions extends InventoryScope {
  readonly host: string;
  /** `role`, `port`, or exactly `vars.role`, `connect.port`. */
  readonly name: string;
  readonly json?: boolean;
}

export function define(command: Command, context: CommandContext): void {
  addFlags(command, false)
    .argument('<host>', 'name of the host')
    .argument('<name>', 'variable or connection setting: role, port, connect.user')
    .action(async (host: string, name: string, flags: Omit<WhyOptions, 'host' | 'name'>) =>
      runWhy({ ...flags, host, name }, context),
    );
}

/** Prints every place that set a value, in order; the last one won. */
export async function runWhy(options: WhyOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const inventory = await loadScopedInventory(options, context);
  const host = hostNamed(inventory, options.host);
  await warn(inventory, context);
  const keys = keysOf(host, options.name);
  if (options.json) {
    await terminal.out(
      `${printJson(
        keys.map((key) => record(host, key)),
        2,
      )}\n`,
    );
    return;
  }
  const setting = options.name.replace(/^connect\./, '');
  if (keys.length === 0 && (connectSettingNames as readonly string[]).includes(setting)) {
    await terminal.out(`${setting} is not set for ${escapeLine(host.name)}; ssh_config and the defaults decide\n`);
    return;
  }
  if (keys.length === 0) throw unknownName(host, options.name);
  const chalk = new Chalk({ level: terminal.color ? 1 : 0 });
  const width = terminal.stdoutIsTty ? terminal.width : 160;
  const parts = keys.map((key) => {
    const origins = host.origins.get(key) ?? [];
    const lines = origins.map((origin, at) => {
      const wins = at === origins.length - 1;
      const style = wins ? chalk.bold : chalk.dim;
      return {
        cells: [
          wins ? 'wins' : '',
          escapeLine(placeText(origin.place)),
          escapeLine(origin.source),
          showValue(nameOf(key), origin.value),
        ],
        style: [chalk.green, style, style, style],
      };
    });
    const head = `${escapeLine(key)} of ${escapeLine(host.name)} is ${showValue(nameOf(key), effective(host, key))}`;
    return [head, ...printColumns(['', 'place', 'set by', 'value'], lines, width, chalk)].join('\n');
  });
  await terminal.out(`${parts.join('\n\n')}\n`);
}

/** The same name may be a variable and a setting. */
function keysOf(host: Host, name: string): string[] {
  return [name, `connect.${name}`, `vars.${name}`].filter((key) => host.origins.has(key));
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('.') + 1);
}

function effective(host: Host, key: string): unknown {
  const part = key.startsWith('vars.') ? host.vars : (host.connect as Readonly<Record<string, unknown>>);
  return part[nameOf(key)];
}

function record(host: Host, key: string): unknown {
  const name = nameOf(key);
  const origins = host.origins.get(key) ?? [];
  const show = (origin: Origin, at: number) => {
    const { place, source, value } = origin;
    const { file, line, column } = place;
    return { file, line, column, source, value: hideSecrets(name, value), wins: at === origins.length - 1 };
  };
  return { host: host.name, name: key, value: hideSecrets(name, effective(host, key)), origins: origins.map(show) };
}

function unknownName(host: Host, name: string): UserError {
  const names = [...[...host.origins.keys()].map(nameOf), ...connectSettingNames];
  const better = nearest(name, names);
  return new UserError({
    code: 'E_VAR_UNDEFINED',
    what: `"${host.name}" has no variable or setting "${name}"`,
    hint: better === undefined ? `see all: opsctl inventory show ${host.name}` : `did you mean "${better}"?`,
  });
}
