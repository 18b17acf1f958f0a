import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../documents/duration.js';
import { type KeepRuns, keepByDefault } from '../documents/project.schema.js';
import { exitCode, UserError } from '../errors.js';
import { type Pruned, pruneRuns } from '../journal/prune.js';
import { stateFolder } from '../journal/state.js';
import { escapeLine, printJson } from '../reports/escape.js';
import { count, formatMetric } from '../reports/figures.js';
import type { CommandContext } from './command.js';
import { findProject } from './state-folder.js';

export interface RunsPruneOptions {
  readonly olderThan?: string;
  readonly keep?: number;
  readonly most?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly project?: string;
}

export function define(command: Command, context: CommandContext): void {
  command
    .option(
      '--older-than <age>',
      'remove runs of this age, such as 30d (default: `keep-runs` of opsctl.yaml, else 90d)',
    )
    .option('--keep <number>', 'the newest of each runbook that stay, however old (default: 20)', positive)
    .option('--most <number>', 'the most that stay of each runbook, however young (default: 1000)', positive)
    .option('--dry-run', 'tell what would be removed')
    .option('--json', 'print JSON')
    .option('--project <folder>', 'project folder with opsctl.yaml')
    // `opsctl runs --project x prune` is meant the same way.
    .action(async (options: RunsPruneOptions) => runRunsPrune({ ...command.parent?.opts(), ...options }, context));
}

/** Removes old runs, and tells which ones. */
export async function runRunsPrune(options: RunsPruneOptions, context: CommandContext): Promise<void> {
  const { terminal, user, env } = context;
  const { olderThan, keep, most, dryRun = false } = options;
  const project = await findProject(context, options.project);
  const given = project.keepRuns ?? keepByDefault;
  const wanted: KeepRuns = {
    days: olderThan === undefined ? given.days : parseDuration(olderThan, '`--older-than`') / 86_400,
    least: keep ?? given.least,
    most: most ?? given.most,
  };
  const pruned = await pruneRuns(project.state ?? stateFolder(env), {
    ...{ keep: wanted, now: new Date(), user, dryRun, measure: true },
  });
  await terminal.out(options.json ? `${printJson({ dryRun, ...pruned }, 2)}\n` : summary(pruned, dryRun));
  for (const note of notes(pruned)) await terminal.err(`opsctl: ${escapeLine(note)}\n`);
  if (pruned.problems.length > 0)
    throw new UserError(
      pruned.problems.map((what) => ({ code: 'E_OUTPUT' as const, what, hint: 'check its owner and permissions' })),
      exitCode.output,
    );
  if (terminal.outClosed) context.finish(exitCode.brokenPipe);
}

function summary({ removed, kept }: Pruned, dryRun: boolean): string {
  const bytes = removed.reduce((sum, run) => sum + run.bytes, 0);
  const lines = dryRun
    ? removed.map(({ id, runbook }) => `${id}${runbook === '' ? '' : `  ${escapeLine(runbook)}`}`)
    : [];
  const size = removed.length === 0 ? '' : `, ${formatMetric(bytes, 'bytes')}`;
  lines.push(`${dryRun ? 'would remove' : 'removed'} ${count(removed.length, 'run')}${size}; ${kept} kept`);
  return lines.map((line) => `${line}\n`).join('');
}

function notes({ unfinished, foreign }: Pruned): string[] {
  return [
    ...unfinished.map((id) => `run ${id} stays: a change began and has no end; see with \`opsctl resume ${id}\``),
    ...foreign.map((path) => `${path} stays: it is no run of yours`),
  ];
}

export function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('give a whole number above 0');
  return number;
}
