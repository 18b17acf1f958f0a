import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../errors.js';
import { readEarlierEvents, readRequest } from '../journal/request.js';
import { findRunFolder, readResult } from '../journal/runs.js';
import { loadScope, stateOf } from '../perform/prepare.js';
import { exitFor, parseOutputs } from '../reports/outputs.js';
import type { RunResult } from '../result/result.schema.js';
import type { CommandContext } from './command.js';
import { append } from './run-flags.js';

/** Outcomes that a resume may turn into something better. */
const open: readonly string[] = ['unknown', 'unreachable', 'refused'];

export function define(command: Command, context: CommandContext): void {
  command
    .argument('[run]', 'run id, the start of one, or `last`', 'last')
    .option('--project <folder>', 'project folder with opsctl.yaml')
    .option('-o, --output <format[=file]>', 'report, in place of those of the run; several times', append)
    .option('-q, --quiet', 'print nothing when all is well')
    .option('-v, --verbose', 'show each result, all findings and whole outputs')
    .action(async (run: string, flags: { project?: string; output?: string[]; quiet?: boolean; verbose?: boolean }) => {
      const { project } = await loadScope(
        { inventory: [], ...(flags.project !== undefined && { project: flags.project }) },
        context,
      );
      const folder = await findRunFolder(stateOf(project, context), run);
      const request = readRequest(folder);
      if (!existsSync(join(folder, 'journal.ndjson'))) {
        throw new UserError({
          code: 'E_RUN_NOT_FOUND',
          what: `run ${request.id} has no journal: it was cut off before it began, or the file was removed`,
          hint: 'see that nothing was changed, and run it again',
        });
      }
      const finished = await finishedResult(folder);
      if (finished) {
        await context.terminal.err(
          `opsctl: run ${request.id} is complete, nothing is left to do; this is its report\n`,
        );
        const { runReport } = await import('./report.js');
        const outputs = flags.output ?? [];
        await runReport({ run: folder, outputs, verbose: flags.verbose ?? false }, context);
        context.finish(exitFor(finished, parseOutputs(outputs)));
        return;
      }
      const { perform } = await import('../perform/perform.js');
      const code = await perform(
        {
          ...request.options,
          ...(flags.output && { outputs: flags.output }),
          ...(flags.quiet && { quiet: true }),
          ...(flags.verbose && { verbose: true }),
          resume: { id: request.id, sha256: request.sha256, events: readEarlierEvents(folder) },
        },
        { ...context, cwd: request.cwd },
      );
      context.finish(code);
    });
}

/** The result of a run of which nothing is left to do or to ask. */
async function finishedResult(folder: string): Promise<RunResult | undefined> {
  const file = join(folder, 'result.json');
  if (!existsSync(file)) return undefined;
  const result = await readResult(file);
  const steps = result.hosts.flatMap((host) => host.steps);
  const unsettled =
    result.run.stopped !== undefined ||
    result.hosts.some(({ outcome }) => open.includes(outcome)) ||
    steps.some(
      ({ outcome, reason, attempts }) =>
        open.includes(outcome) ||
        reason === 'locked' ||
        reason === 'stopped' ||
        // A change that found no room for its marks, say: it can be begun once there is.
        (outcome === 'failed' && attempts === 0),
    );
  return unsettled ? undefined : result;
}
