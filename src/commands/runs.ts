import { Chalk } from 'chalk';
import { type Command, InvalidArgumentError } from 'commander';
import { exitCode } from '../errors.js';
import { listRuns, type StoredRun } from '../journal/runs.js';
import { type Line, printColumns } from '../reports/columns.js';
import { escapeLine, printJson } from '../reports/escape.js';
import { formatTime, formatTotals, hostTotals } from '../reports/figures.js';
import type { CommandContext } from './command.js';
import { chooseStateFolder } from './state-folder.js';

export interface RunsOptions {
  readonly json: boolean;
  readonly limit: number;
  /** The project folder, when it is not the one that the working folder is in. */
  readonly project?: string | undefined;
}

export function define(command: Command, context: CommandContext): void {
  command
    .option('--json', 'print a JSON array', false)
    .option('-n, --limit <number>', 'how many, newest first', positive, 20)
    .option('--project <folder>', 'project folder with opsctl.yaml')
    .action(async (options: RunsOptions) => runRuns(options, context));
}

/** Lists the runs that are kept, newest first. */
export async function runRuns({ json, limit, project }: RunsOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const runs = await listRuns(await chooseStateFolder(context, project), limit);
  await terminal.out(json ? `${printJson(runs.map(record), 2)}\n` : listing(runs, context));
  if (terminal.outClosed) context.finish(exitCode.brokenPipe);
}

function record({ id, folder, result, problem }: StoredRun): unknown {
  if (!result) return { id, folder, ...(problem !== undefined && { problem }) };
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
  };
}

function listing(runs: readonly StoredRun[], { terminal }: CommandContext): string {
  if (runs.length === 0) return 'no runs yet\n';
  const chalk = new Chalk({ level: terminal.color ? 1 : 0 });
  const lines = runs.map(({ id, result, problem }): Line => {
    if (!result) {
      const why = problem === undefined ? 'not finished' : `unreadable: ${problem}`;
      return { cells: [escapeLine(id), '', '', '', escapeLine(why)], style: [chalk.magenta] };
    }
    const { run, exit, hosts } = result;
    const name = `${run.runbook}${run.mode === 'dry-run' ? ' (dry run)' : ''}`;
    return {
      cells: [
        escapeLine(id),
        formatTime(escapeLine(run.startedAt)),
        String(exit.code),
        escapeLine(name),
        hosts.length === 0 ? 'no hosts' : formatTotals(hostTotals(result)),
      ],
      style: [chalk.bold, chalk.dim, exit.code === 0 ? chalk.green : chalk.red],
    };
  });
  const width = terminal.stdoutIsTty ? terminal.width : 160;
  return `${printColumns(['run', 'started', 'exit', 'runbook', 'hosts'], lines, width, chalk).join('\n')}\n`;
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('give a whole number above 0');
  return number;
}
