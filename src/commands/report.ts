import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkOutputPaths } from '../documents/paths.js';
import { exitCode } from '../errors.js';
import { findRun, readResult } from '../journal/runs.js';
import { reports } from '../reports/index.js';
import { parseOutputs, type WriteFile, writeOutputs } from '../reports/outputs.js';
import { writeWholeFile } from '../reports/write-file.js';
import type { CommandContext } from './command.js';
import { append } from './run-flags.js';
import { chooseStateFolder } from './state-folder.js';

export interface ReportOptions {
  readonly run: string;
  readonly outputs: readonly string[];
  readonly verbose: boolean;
  /** The project folder, when it is not the one that the working folder is in. */
  readonly project?: string | undefined;
}

interface Flags {
  readonly output?: readonly string[];
  readonly verbose?: boolean;
  readonly project?: string;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument('[run]', 'run id, the start of one, `last`, or the path of a result.json', 'last')
    .option('-o, --output <format[=file]>', `${Object.keys(reports).join(', ')}; several times`, append)
    .option('-v, --verbose', 'show each result, all findings and whole outputs')
    .option('--project <folder>', 'project folder with opsctl.yaml')
    .action(async (run: string, flags: Flags) =>
      runReport({ ...flags, run, outputs: flags.output ?? [], verbose: flags.verbose ?? false }, context),
    );
}

/** Prints a run again, exactly as `run -o` printed it. Its exit code is its own: 0, whatever the run's was. */
export async function runReport(options: ReportOptions, context: CommandContext): Promise<void> {
  const { terminal, cwd } = context;
  const outputs = parseOutputs(options.outputs);
  await checkOutputPaths(
    outputs.flatMap(({ file }) => file ?? []),
    cwd,
  );
  const result = await readResult(await findRun(await chooseStateFolder(context, options.project), options.run, cwd));
  const write: WriteFile = (file, text, mode) => writeWholeFile(resolve(cwd, file), text, mode);
  await writeOutputs(result, outputs, terminal, write, { verbose: options.verbose });
  if (terminal.outClosed) context.finish(exitCode.brokenPipe);
}
