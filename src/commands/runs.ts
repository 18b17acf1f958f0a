import { Chalk } from 'chalk';
import type { Command } from 'commander';
import { exitCode } from '../errors.js';
import { listRuns, runIds, type StoredRun } from '../journal/runs.js';
import { folderBytes } from '../journal/size.js';
import { runFolder } from '../journal/state.js';
import { type Line, printColumns } from '../reports/columns.js';
import { escapeLine, printJson } from '../reports/escape.js';
import { count, formatMetric, formatTime, formatTotals, hostTotals } from '../reports/figures.js';
import type { CommandContext } from './command.js';
import { define as definePrune, positive } from './runs-prune.js';
import { chooseStateFolder } from './state-folder.js';

export interface RunsOptions {
  readonly json?: boolean;
  readonly limit: number;
  /** Tells what each run takes up on the disk, and all of them. */
  readonly verbose?: boolean;
  /** The project folder, when it is not the one that the working folder is in. */
  readonly project?: string | undefined;
}

export function define(command: Command, context: CommandContext): void {
  command
    .option('--json', 'print a JSON array')
    .option('-n, --limit <number>', 'how many, newest first', positive, 20)
    .option('-v, --verbose', 'tell what they take up on the disk, too')
    .option('--project <folder>', 'project folder with opsctl.yaml')
    .action(async (options: RunsOptions) => runRuns(options, context));
  definePrune(command.command('prune').description('remove old runs; some always stay'), context);
}

/** Lists the runs that are kept, newest first. */
export async function runRuns(options: RunsOptions, context: CommandContext): Promise<void> {
  const { json, limit, verbose, project } = options;
  const { terminal } = context;
  const state = await chooseStateFolder(context, project);
  const listed = await listRuns(state, limit);
  const runs = listed.map((run): ListedRun => ({ ...run, ...(verbose && { bytes: folderBytes(run.folder) }) }));
  await terminal.out(json ? `${printJson(runs.map(record), 2)}\n` : listing(runs, context));
  if (verbose && !json) await terminal.out(await total(state));
  if (terminal.outClosed) context.finish(exitCode.brokenPipe);
}

/** `bytes` is there when it was asked for. */
type ListedRun = StoredRun & { readonly bytes?: number };

/** All runs, listed or not. */
async function total(state: string): Promise<string> {
  const ids = await runIds(state);
  const oldest = ids.at(-1);
  if (oldest === undefined) return '';
  const bytes = ids.reduce((sum, id) => sum + folderBytes(runFolder(state, id)), 0);
  const began = oldest.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-.*$/s, '$1-$2-$3T$4:$5:$6Z');
  return `${count(ids.length, 'run')}, ${formatMetric(bytes, 'bytes')}, the oldest of ${formatTime(escapeLine(began))}\n`;
}

function record({ id, folder, result, problem, bytes }: ListedRun): unknown {
  const size = bytes === undefined ? {} : { bytes };
  if (!result) return { id, folder, ...(problem !== undefined && { problem }), ...size };
  const { run, exit, totals, hosts } = result;
  const counts = { hosts: hostTotals(result), steps: totals };
  return {
    id,
    folder,
    runbook: run.runbook,
    mode: run.mode,
    startedAt: run.startedAt,
    duration: run.duration,
    hosts: hosts.length,
    counts,
    exit,
    ...size,
  };
}

function listing(runs: readonly ListedRun[], { terminal }: CommandContext): string {
  if (runs.length === 0) return 'no runs yet\n';
  const chalk = new Chalk({ level: terminal.color ? 1 : 0 });
  const lines = runs.map(({ id, result, problem, bytes }): Line => {
    const size = bytes === undefined ? [] : [formatMetric(bytes, 'bytes')];
    if (!result) {
      const why = problem === undefined ? 'not finished' : `unreadable: ${problem}`;
      return { cells: [escapeLine(id), ...size, '', '', '', escapeLine(why)], style: [chalk.magenta] };
    }
    const { run, exit, hosts } = result;
    const name = `${run.runbook}${run.mode === 'dry-run' ? ' (dry run)' : ''}`;
    return {
      cells: [
        escapeLine(id),
        ...size,
        formatTime(escapeLine(run.startedAt)),
        String(exit.code),
        escapeLine(name),
        hosts.length === 0 ? 'no hosts' : formatTotals(hostTotals(result)),
      ],
      style: [chalk.bold, ...size.map(() => chalk.dim), chalk.dim, exit.code === 0 ? chalk.green : chalk.red],
    };
  });
  const width = terminal.stdoutIsTty ? terminal.width : 160;
  const head = ['run', ...(runs[0]?.bytes === undefined ? [] : ['size']), 'started', 'exit', 'runbook', 'hosts'];
  return `${printColumns(head, lines, width, chalk).join('\n')}\n`;
}
