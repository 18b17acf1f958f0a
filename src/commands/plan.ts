import type { Command } from 'commander';
import { describePlan, type PlanDescription, type RoundDescription } from '../plan/describe.js';
import { escapeLine } from '../reports/escape.js';
import { foldHosts } from '../reports/hosts.js';
import type { CommandContext } from './command.js';
import { addRunbookFlags, type RunbookFlags, runOptions } from './run.js';
import { addScopeFlags } from './run-flags.js';

export function define(command: Command, context: CommandContext): void {
  command.argument('<runbook>', 'runbook file');
  addRunbookFlags(command);
  addScopeFlags(command);
  command
    .option('--json', 'print the plan as JSON')
    .action(async (runbook: string, flags: RunbookFlags & { json?: boolean }) => {
      await runPlan(runbook, flags, context);
    });
}

async function runPlan(
  runbook: string,
  flags: RunbookFlags & { json?: boolean },
  context: CommandContext,
): Promise<void> {
  const { prepare } = await import('../perform/prepare.js');
  const { groupSizes } = await import('../inventory/sizes.js');
  const { plan, inventory } = await prepare(runOptions(runbook, flags), context);
  const description = describePlan(plan, groupSizes(inventory));
  await context.terminal.out(flags.json ? `${JSON.stringify(description, null, 2)}\n` : planText(description));
}

/** The plan for people: who, what in which round, and how much it can touch. */
export function planText({ runbook, mode, params, blastRadius, groups }: PlanDescription): string {
  const lines = [`${escapeLine(runbook.name)}${mode === 'dry-run' ? ' (dry run)' : ''}`, blastRadius];
  const values = Object.entries(params);
  if (values.length > 0)
    lines.push(`params: ${values.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ')}`);
  for (const { hosts, rounds } of groups) {
    lines.push('', `${foldHosts(hosts).join(' ')}  (${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'})`);
    for (const [index, round] of rounds.entries()) lines.push(...roundLines(index + 1, round));
  }
  return `${lines.map(escapeLine).join('\n')}\n`;
}

const carriers = { host: 'one payload on the host', controller: 'from here', change: 'change, as a job on the host' };

function roundLines(number: number, { carrier, sudo, within, steps }: RoundDescription): string[] {
  const inside = within.length > 0 ? `, in ${within.join(' / ')}` : '';
  const head = `  round ${number}: ${carriers[carrier]}${sudo && carrier !== 'controller' ? ', as root' : ''}${inside}`;
  return [
    head,
    ...steps.map(({ key, name, uses, item, skip, deferred }) => {
      const title = name === uses || name.startsWith(`${uses} `) ? name : `${name} (${uses})`;
      const note = skip ? `  - ${skip}` : deferred ? '  - decided when earlier steps have ended' : '';
      return `    ${key}  ${title}${item === undefined ? '' : ` [${item}]`}${note}`;
    }),
  ];
}
