import type { Command } from 'commander';
import { readJournal } from '../journal/journal.js';
import { readRequest } from '../journal/request.js';
import { findRunFolder } from '../journal/runs.js';
import { loadScope, stateOf } from '../perform/prepare.js';
import type { CommandContext } from './command.js';
import { append } from './run-flags.js';

export function define(command: Command, context: CommandContext): void {
  command
    .argument('[run]', 'run id, the start of one, or `last`', 'last')
    .option('--project <folder>', 'project folder with opsctl.yaml')
    .option('-o, --output <format[=file]>', 'report, in place of those of the run; several times', append)
    .option('-q, --quiet', 'print nothing when all is well')
    .option('-v, --verbose', 'show steps that are ok, too')
    .action(async (run: string, flags: { project?: string; output?: string[]; quiet?: boolean; verbose?: boolean }) => {
      const { project } = await loadScope(
        { inventory: [], ...(flags.project !== undefined && { project: flags.project }) },
        context,
      );
      const folder = await findRunFolder(stateOf(project, context), run);
      const request = readRequest(folder);
      const { perform } = await import('../perform/perform.js');
      const code = await perform(
        {
          ...request.options,
          ...(flags.output && { outputs: flags.output }),
          ...(flags.quiet && { quiet: true }),
          ...(flags.verbose && { verbose: true }),
          resume: { id: request.id, sha256: request.sha256, events: readJournal(`${folder}/journal.ndjson`) },
        },
        { ...context, cwd: request.cwd },
      );
      context.finish(code);
    });
}
