import type { Command } from 'commander';
import type { RunOptions } from '../perform/options.js';
import type { CommandContext } from './command.js';
import { addRunFlags, append, type RunFlags, readParams, readRunFlags, splitList } from './run-flags.js';

/** Flags of every command that takes a runbook. */
export interface RunbookFlags extends RunFlags {
  readonly param?: string[];
  readonly tags?: string;
  readonly skipTags?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function define(command: Command, context: CommandContext): void {
  command.argument('<runbook>', 'runbook file');
  addRunbookFlags(command);
  command
    .optionsGroup('Runbook:')
    .option('--dry-run', 'contact the hosts but change nothing')
    .option('-y, --yes', 'change without asking');
  addRunFlags(command);
  command.action(async (runbook: string, flags: RunbookFlags) => {
    const { perform } = await import('../perform/perform.js');
    context.finish(await perform(runOptions(runbook, flags), context));
  });
}

export function addRunbookFlags(command: Command): void {
  command
    .optionsGroup('Runbook:')
    .option('-p, --param <name=value>', 'set a parameter of the runbook; several times', append)
    .option('--tags <tags>', 'only steps with one of these tags (comma-separated)')
    .option('--skip-tags <tags>', 'leave out steps with one of these tags');
}

export function runOptions(runbook: RunOptions['runbook'], flags: RunbookFlags): RunOptions {
  return {
    ...readRunFlags(flags),
    runbook,
    params: readParams(flags.param ?? []),
    ...(flags.tags !== undefined && { tags: splitList(flags.tags) }),
    ...(flags.skipTags !== undefined && { skipTags: splitList(flags.skipTags) }),
    mode: flags.dryRun ? 'dry-run' : 'run',
    yes: flags.yes ?? false,
  };
}
