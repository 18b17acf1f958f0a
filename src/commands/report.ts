import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkOutputPath } from '../documents/paths.js';
import { exitCode } from '../errors.js';
import { findRun, readResult } from '../journal/runs.js';
import { stateFolder } from '../journal/state.js';
import { reports } from '../reports/index.js';
import { parseOutputs, writeOutputs } from '../reports/outputs.js';
import { writeWholeFile } from '../reports/write-file.js';
import type { CommandContext } from './command.js';

export interface ReportOptions {
  readonly run: string;
  readonly outputs: readonly string[];
  readonly verbose: boolean;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument('[run]', 'run id, the start of one, `last`, or the path of a result.json', 'last')
    .option('-o, --output <format[=file]>', `format: ${Object.keys(reports).join(', ')}; repeatable`, collect, [])
    .option('-v, --verbose', 'show every result, also those that are fine and alike', false)
    .action(async (run: string, { output, verbose }: { output: readonly string[]; verbose: boolean }) =>
      runReport({ run, outputs: output, verbose }, context),
    );
}

/** Prints a run again, exactly as `run -o` printed it. Its exit code is its own: 0, whatever the run's was. */
export async function runReport(options: ReportOptions, context: CommandContext): Promise<void> {
  const { terminal, cwd, env } = context;
  const outputs = parseOutputs(options.outputs);
  for (const { file } of outputs) if (file !== undefined) await checkOutputPath(file, cwd);
  const result = await readResult(await findRun(stateFolder(env), options.run, cwd));
  const write = (file: string, text: string) => writeWholeFile(resolve(cwd, file), text);
  await writeOutputs(result, outputs, terminal, write, { verbose: options.verbose });
  if (terminal.outClosed) context.finish(exitCode.brokenPipe);
}

function collect(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}
