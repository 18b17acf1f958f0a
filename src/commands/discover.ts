import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type ExitCode, exitCode, UserError } from '../errors.js';
import type { ScopeOptions } from '../perform/options.js';
import type { RunResult } from '../result/result.schema.js';
import type { CommandContext } from './command.js';
import { addScopeFlags, readScopeFlags, type ScopeFlags } from './run-flags.js';

interface Flags extends Omit<ScopeFlags, 'hosts'> {
  readonly output?: string;
  readonly sudo?: boolean;
  readonly force?: boolean;
}

export interface DiscoverOptions {
  readonly host: string;
  readonly scope: ScopeOptions;
  readonly file: string | undefined;
  readonly sudo: boolean;
  readonly force: boolean;
}

export function define(command: Command, context: CommandContext): void {
  command.argument('<host>', 'the host to look at: a name of the inventory; without one `local`, or a name for ssh');
  command
    .optionsGroup('What:')
    .option('--sudo', 'look as root; the checks need it, too')
    .option('-o, --output <file>', 'write the runbook to this file; to stdout when absent')
    .option('--force', 'replace the file when it exists');
  addScopeFlags(command, { narrowed: false });
  command.action(async (host: string, { output, sudo, force, ...scope }: Flags) => {
    await runDiscover(
      { host, scope: readScopeFlags(scope), file: output, sudo: sudo ?? false, force: force ?? false },
      context,
    );
  });
}

/** Looks at a host, tries each check that it may pass, and writes a runbook of those that it does. */
export async function runDiscover(options: DiscoverOptions, context: CommandContext): Promise<void> {
  if (options.file !== undefined) await refuseFile(options.file, options.force, context.cwd);
  const { scope, host } = await oneHost(options, context);
  const run = (what: string, steps: readonly object[]) =>
    quietRun({ name: `${what} ${host}`, hosts: host, ...(options.sudo && { sudo: true }), steps }, scope, context);

  const { readSurvey, surveySteps } = await import('../discover/survey.js');
  const looked = await run('look at', surveySteps);
  const survey = readSurvey(looked.result);
  if (!survey) return giveUp(looked, host, context);

  const { findTrials, readTrials, trialSteps } = await import('../discover/trial.js');
  const { findRefused, literalStep } = await import('../discover/refused.js');
  const parts = findTrials(survey);
  const refused = await findRefused(parts);
  const tried = await run('try checks on', trialSteps(parts, refused).map(literalStep));
  if (isCutOff(tried.result)) return giveUp(tried, host, context);

  const { draftRunbook } = await import('../discover/draft.js');
  const { writeRunbook } = await import('../documents/write-runbook.js');
  const origin = { host, version: context.version, now: new Date(), sudo: options.sudo };
  const { draft, leftOut } = draftRunbook(parts, readTrials(parts, refused, tried.result), refused, survey, origin);
  if (draft.steps.length === 0) return giveUp(tried, host, context);
  const text = writeRunbook(draft);
  // What is written is a runbook, or it is not written.
  const { prepare } = await import('../perform/prepare.js');
  await prepare({ ...scope, runbook: { name: options.file ?? 'runbook', text }, mode: 'run' }, context);

  const { terminal } = context;
  if (options.file === undefined) await terminal.out(text);
  else await write(options.file, text, options.force, context.cwd);
  const wrote = options.file === undefined ? '' : `wrote ${options.file}: `;
  await terminal.err(`${wrote}${draft.steps.length} checks that ${host} passes, ${leftOut.length} left out\n`);
  for (const line of leftOut) await terminal.err(`  ${line}\n`);
}

async function write(file: string, text: string, force: boolean, cwd: string): Promise<void> {
  // Somebody may have written it meanwhile.
  await refuseFile(file, force, cwd);
  const { writeWholeFile } = await import('../reports/write-file.js');
  try {
    await writeWholeFile(resolve(cwd, file), text, 0o644);
  } catch (cause) {
    const what = `${file}: ${(cause as Error).message}`;
    throw new UserError({ code: 'E_OUTPUT', what, hint: 'choose another file' }, exitCode.output, { cause });
  }
}

interface QuietRun {
  readonly result: RunResult;
  readonly code: ExitCode;
}

/** A run that shows nothing of itself. */
async function quietRun(runbook: object, scope: ScopeOptions, context: CommandContext): Promise<QuietRun> {
  const { perform } = await import('../perform/perform.js');
  let result: RunResult | undefined;
  const collect = (found: RunResult) => {
    result = found;
  };
  const source = { name: 'command line', text: JSON.stringify(runbook) };
  const options = { ...scope, runbook: source, mode: 'run' as const, quiet: true, collect };
  // A secret in a variable is read by each of the runs; it leaves the environment with this process.
  const code = await perform(options, { ...context, removeVariable: () => {} });
  if (!result) throw new Error('the run gave no result');
  return { result, code };
}

/** Half of a host is no picture of it. */
function isCutOff({ run, hosts: [host] }: RunResult): boolean {
  return (
    run.stopped !== undefined ||
    host === undefined ||
    host.reason !== undefined ||
    host.steps.some(({ reason }) => reason === 'connection-lost')
  );
}

async function giveUp({ result, code }: QuietRun, host: string, context: CommandContext): Promise<void> {
  const [found] = result.hosts;
  const [step] = found?.steps ?? [];
  const { escapeLine } = await import('../reports/escape.js');
  const why = result.run.stopped ?? found?.summary ?? step?.summary ?? 'no check passes there';
  // Most reasons begin with the name of the host.
  const text = why.startsWith(`${host} `) ? why : `${host}: ${why}`;
  await context.terminal.err(`opsctl: nothing is written, ${escapeLine(text)}\n`);
  context.finish(code === exitCode.ok ? exitCode.unknown : code);
}

/** The one host that is meant. Without an inventory the name itself is one. */
async function oneHost(
  { host: pattern, scope }: DiscoverOptions,
  context: CommandContext,
): Promise<{ readonly host: string; readonly scope: ScopeOptions }> {
  const { loadScope } = await import('../perform/prepare.js');
  const { selectHosts } = await import('../inventory/patterns.js');
  let chosen = scope;
  let { inventory, project } = await loadScope(chosen, context);
  if (!scope.inventory && project.inventory.length === 0 && pattern !== 'local') {
    chosen = { ...scope, inventory: [`${pattern},`] };
    ({ inventory, project } = await loadScope(chosen, context));
  }
  const hosts = selectHosts(inventory, pattern);
  const [only] = hosts;
  if (!only || hosts.length > 1) {
    const what = `"${pattern}" is ${hosts.length} hosts`;
    throw new UserError({ code: 'E_FLAG', what, hint: 'discover looks at one host; name one' });
  }
  return { host: only.name, scope: chosen };
}

async function refuseFile(file: string, force: boolean, cwd: string): Promise<void> {
  const { checkOutputPath } = await import('../documents/paths.js');
  await checkOutputPath(file, cwd);
  const exists = await lstat(resolve(cwd, file)).then(
    () => true,
    () => false,
  );
  if (exists && !force)
    throw new UserError({
      code: 'E_EXISTS',
      what: `${file} exists already`,
      hint: 'choose another file, or pass `--force`',
    });
}
