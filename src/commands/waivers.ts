import { Chalk, type ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import { exitCode, UserError } from '../errors.js';
import { loadScope } from '../perform/prepare.js';
import { readWaivers } from '../perform/waivers.js';
import { type Line, printColumns } from '../reports/columns.js';
import { escapeLine, printJson } from '../reports/escape.js';
import { count } from '../reports/figures.js';
import { foldHosts } from '../reports/hosts.js';
import { timeLeft, type WaiverRule, warnBefore } from '../result/waivers.js';
import type { CommandContext } from './command.js';
import { addFlags } from './inventory.js';

export interface WaiversOptions {
  /** `--waivers`: in place of the file of the project. */
  readonly waivers?: string;
  readonly check?: boolean;
  readonly json?: boolean;
  readonly inventory?: readonly string[];
  readonly project?: string;
}

export function define(command: Command, context: CommandContext): void {
  const list = command.command('list').description('what is accepted, by whom, why and how long still; soonest first');
  addFlags(list, false)
    .option('--waivers <file>', 'this file, in place of the `waivers` of opsctl.yaml')
    .option('--check', 'exit 1 when one has expired')
    .action(async (options: WaiversOptions) => runWaiversList(options, context));
}

/** Prints the waivers of the project, those that end first on top. */
export async function runWaiversList(options: WaiversOptions, context: CommandContext): Promise<void> {
  const { terminal, cwd } = context;
  const { project, inventory } = await loadScope(
    {
      ...(options.inventory && { inventory: options.inventory }),
      ...(options.project !== undefined && { project: options.project }),
    },
    context,
  );
  if (options.waivers === undefined && project.waivers === undefined)
    throw new UserError({
      code: 'E_NOT_FOUND',
      what: 'this project names no waivers',
      hint: 'write `waivers: waivers.yaml` into opsctl.yaml, or give `--waivers FILE`',
    });
  const source = { file: options.waivers, otherHosts: options.inventory !== undefined };
  const rules = [...(await readWaivers(source, project, inventory, cwd))].sort((a, b) => a.ends - b.ends);
  const now = Date.now();
  const expired = rules.filter(({ ends }) => ends <= now);
  const text = options.json
    ? `${printJson(
        rules.map((rule) => record(rule, now)),
        2,
      )}\n`
    : listing(rules, now, terminal.stdoutIsTty ? terminal.width : 160, new Chalk({ level: terminal.color ? 1 : 0 }));
  await terminal.out(text);
  if (options.check && expired.length > 0) {
    await terminal.err(`opsctl: ${count(expired.length, 'waiver')} expired\n`);
    context.finish(exitCode.failed);
  }
}

function record({ waiver, title, hosts, ends, place }: WaiverRule, now: number): unknown {
  return { ...waiver, what: title, hosts: [...hosts], ends: new Date(ends).toISOString(), expired: ends <= now, place };
}

function listing(rules: readonly WaiverRule[], now: number, width: number, chalk: ChalkInstance): string {
  if (rules.length === 0) return 'no waivers\n';
  const lines = rules.map(({ waiver, title, hosts, ends }): Line => {
    const { owner, reason, ticket, expires } = waiver;
    const left = ends - now;
    const when = left <= 0 ? `${expires}  expired` : `${expires}  ${timeLeft(left)}`;
    const color = left <= 0 ? chalk.red : left <= warnBefore ? chalk.yellow : chalk.green;
    return {
      cells: [
        escapeLine(when),
        escapeLine(owner),
        escapeLine(title),
        foldHosts(hosts).map(escapeLine).join(' '),
        escapeLine(ticket === undefined ? reason : `${reason} (${ticket})`),
      ],
      style: [color, chalk.bold],
    };
  });
  return `${printColumns(['until', 'owner', 'what', 'hosts', 'why'], lines, width, chalk).join('\n')}\n`;
}
