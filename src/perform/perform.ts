import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CommandContext } from '../commands/command.js';
import { type ExitCode, exitCode, UserError } from '../errors.js';
import { commandHistory, forgetCommands, runbookHistory } from '../journal/history.js';
import { lockRun } from '../journal/lock.js';
import { openMemory } from '../journal/memory.js';
import { writeRequest } from '../journal/request.js';
import { foldersOfOthers } from '../journal/safety.js';
import { runFolder } from '../journal/state.js';
import { itemsOf, verdictMembers } from '../plan/items.js';
import type { Plan } from '../plan/plan.js';
import { reports } from '../reports/index.js';
import { exitFor, type Output, parseOutputs, type WriteFile, writeOutputs } from '../reports/outputs.js';
import { quietSummary } from '../reports/quiet.js';
import { writeWholeFile } from '../reports/write-file.js';
import { type JudgeOptions, startJudge } from '../result/judge.js';
import type { RunResult } from '../result/result.schema.js';
import { createRedactor } from '../secrets/redactor.js';
import { confirmChanges } from './confirm.js';
import { execute } from './execute.js';
import { gatherSecrets } from './gather-secrets.js';
import { removeOldRuns } from './keep-runs.js';
import { openLastRun } from './last-run.js';
import type { RunOptions } from './options.js';
import { type Prepared, pathOfRunbook, prepare, stateOf } from './prepare.js';
import { openReach } from './reach.js';

/**
 * One run, from files to exit code: documents → plan → execute → events → result → reports. Everything that
 * can be wrong with the input is found before the first host is contacted.
 */
export async function perform(options: RunOptions, context: CommandContext): Promise<ExitCode> {
  const prepared = await prepare(options, context);
  const { plan, project, inventory, runId } = prepared;
  const outputs = await chooseOutputs(options, project.outputs, context.cwd);
  for (const warning of inventory.warnings) await warn(context, warning);
  const secrets = await gatherSecrets(plan, prepared.runbook, context);
  const redactor = createRedactor(secrets.values());
  context.terminal.redactWith(redactor.redact);
  const reach = await openReach(plan, prepared, options, context, secrets);
  if (plan.mode === 'run' && !options.resume)
    await confirmChanges(plan, inventory, options.yes ?? false, context.terminal, context.signal);

  const state = stateOf(project, context);
  const folder = runFolder(state, runId);
  keepRequest(folder, options, prepared, context);
  const unlock = lockRun(folder, context.user.pid);
  for (const unsafe of foldersOfOthers(state, context.user.uid, context.env))
    await warn(
      context,
      `others may write to ${unsafe}, and so to what runs are compared with: make it yours alone, 0700`,
    );
  // Loaded while the hosts are at work, so that the reports do not keep the user waiting afterwards.
  for (const { format } of outputs) void reports[format]?.().catch(() => {});
  const isCommand = typeof options.runbook !== 'string';
  const history = historyOf(prepared, options, state, context.cwd);
  const memory = remembers(plan) ? openMemory(join(history, 'hosts')) : undefined;
  // A command line that stands for a runbook has no last run: it is asked once. Marks in logs it has.
  const last = await openLastRun(plan, options, isCommand ? undefined : history);
  const { waivers, hardAfter, runbook } = prepared;
  const expected = expectedResults(plan, runbook.value['expect-min-results'], options);
  const judge = startJudge({
    ...{ run: runId, now: new Date(), waivers, last: last.states },
    hardAfter: (step) => (last.isKnown ? (hardAfter.get(step) ?? 1) : 1),
    ...(plan.steps.some(({ require }) => require !== undefined) && {
      membersOf: verdictMembers(plan.hosts.map(({ body }) => body)),
    }),
    ...(expected && { expected }),
  });
  const execution = { folder, runId, redactor, reach, secrets, memory, judge, notes: last.notes };
  const result = await execute(plan, options, context, execution);

  const unkept = await saveResult(folder, result);
  // Only what is kept: what was seen is not forgotten before somebody can read of it.
  if (!unkept) {
    if (plan.mode === 'run' && memory)
      for (const problem of [...memory.commit(), ...(isCommand ? forgetCommands(state, new Date()) : [])])
        await warn(context, problem);
    for (const problem of await last.save(result)) await warn(context, problem);
  }
  unlock();
  await show(result, outputs, options, context);
  if (unkept) throw unkept;
  const untidy = await removeOldRuns(state, project, context, runId);
  if (untidy !== undefined) await warn(context, untidy);
  if (result.run.stopped?.startsWith('SIG') && !options.collect) {
    await context.terminal.err(`opsctl: stopped by ${result.run.stopped}; go on with \`opsctl resume ${runId}\`\n`);
  }
  return exitFor(result, outputs);
}

async function warn({ terminal }: CommandContext, text: string): Promise<void> {
  await terminal.err(`opsctl: warning: ${text}\n`);
}

function historyOf({ plan, project }: Prepared, { runbook }: RunOptions, state: string, cwd: string): string {
  const path = pathOfRunbook(runbook, project, cwd);
  if (path !== undefined) return runbookHistory(state, { name: plan.runbook.name, path });
  return commandHistory(state, typeof runbook === 'string' ? runbook : runbook.text);
}

/** Whether a step of the plan knows something from earlier runs. */
function remembers(plan: Plan): boolean {
  return plan.steps.some(({ kind, resolve: { trends } }) => kind.remembers || trends);
}

/**
 * Prints and writes what was asked for. Cron mails whatever is printed: with --quiet a green run prints nothing,
 * and one that is not says so in a few lines, unless a report for stdout was chosen.
 */
async function show(
  result: RunResult,
  outputs: readonly Output[],
  options: RunOptions,
  { terminal, cwd }: CommandContext,
): Promise<void> {
  if (options.collect) return options.collect(result);
  const isGreen = result.exit.code === exitCode.ok;
  const summarized = options.quiet === true && !isGreen && !options.outputs;
  const silent = options.quiet === true && (isGreen || summarized);
  if (options.show && !silent) await terminal.out(options.show(result));
  if (summarized) await terminal.err(quietSummary(result));
  const wanted = silent || options.show ? outputs.filter((output) => output.file !== undefined) : outputs;
  const write: WriteFile = (file, text, mode) => writeWholeFile(resolve(cwd, file), text, mode);
  await writeOutputs(result, wanted, terminal, write, { verbose: options.verbose ?? false });
}

/** The reports asked for; files are checked now, so that a run does not end in front of a missing folder. */
async function chooseOutputs(
  options: RunOptions,
  fromProject: readonly string[],
  cwd: string,
): Promise<readonly Output[]> {
  const outputs = parseOutputs(options.outputs ?? fromProject);
  const files = outputs.flatMap(({ file }) => (file === undefined ? [] : [file]));
  if (files.length > 0) {
    const { checkOutputPaths } = await import('../documents/paths.js');
    await checkOutputPaths(files, cwd);
  }
  return outputs;
}

/** Keeps what was asked for, for `opsctl resume`; a resumed run must still be the same one. */
function keepRequest(folder: string, options: RunOptions, prepared: Prepared, { cwd }: CommandContext): void {
  const { runbook, runId, project } = prepared;
  const sha256 = createHash('sha256')
    .update(runbook.files.map((file) => file.sha256).join())
    .digest('hex');
  const { resume, show: _, collect: __, ...asked } = options;
  if (!resume) {
    try {
      mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
      // On its own: of a file system that is read-only the recursive one says that it is not there.
      mkdirSync(folder, { mode: 0o700 });
      const path = pathOfRunbook(options.runbook, project, cwd);
      writeRequest(folder, { id: runId, cwd, ...(path !== undefined && { path }), sha256, options: asked });
    } catch (error) {
      throw notKept(folder, error);
    }
  } else if (resume.sha256 !== sha256) {
    throw new UserError({
      code: 'E_RESUME_CHANGED',
      what: `the runbook is not what it was when run ${resume.id} began`,
      hint: 'put it back, or start a new run',
    });
  }
}

/** Fewest results of each host; where steps were chosen by tags, no more than there are. */
function expectedResults(
  plan: Plan,
  least: number | undefined,
  { tags, skipTags }: RunOptions,
): JudgeOptions['expected'] {
  if (least === undefined) return undefined;
  if (tags === undefined && skipTags === undefined) return () => ({ results: least });
  const chosen = new Map(plan.hosts.map(({ host, body }) => [host.name, itemsOf(body).length]));
  return (host) => {
    const results = Math.min(least, chosen.get(host) ?? least);
    return { results, ...(results < least && { of: least }) };
  };
}

/** What was seen is worth showing even where it cannot be kept: gives why, in place of throwing it. */
async function saveResult(folder: string, result: RunResult): Promise<UserError | undefined> {
  try {
    await writeWholeFile(join(folder, 'result.json'), `${JSON.stringify(result)}\n`);
    return undefined;
  } catch (error) {
    return notKept(folder, error);
  }
}

function notKept(folder: string, error: unknown): UserError {
  const { code, message } = causeOf(folder, error as NodeJS.ErrnoException);
  const hint =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'free space, or set another `state` folder'
      : 'make it yours, or set XDG_STATE_HOME or `state` in opsctl.yaml to another folder';
  const why = message.replace(/^[A-Z]+: |, \w+( '.*)?$/gs, '');
  const what = `the run cannot be kept in ${folder}: ${why}`;
  return new UserError({ code: 'E_OUTPUT', what, hint }, exitCode.output, { cause: error });
}

/** Where a file system is read-only, Node.js says of the folders to be made that they are not there. */
function causeOf(folder: string, error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  if (error.code !== 'ENOENT') return error;
  let above = folder;
  while (!existsSync(above)) above = dirname(above);
  try {
    accessSync(above, constants.W_OK);
    return error;
  } catch (cause) {
    return cause as NodeJS.ErrnoException;
  }
}
