import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { CommandContext } from '../commands/command.js';
import { type ExitCode, exitCode, UserError } from '../errors.js';
import type { RunContext } from '../execute/context.js';
import type { RunEvent } from '../execute/events.js';
import { defaultConcurrency, executePlan } from '../execute/run.js';
import { parentsOf } from '../inventory/parents.js';
import { historyFolder } from '../journal/history.js';
import { openJournal } from '../journal/journal.js';
import { lockRun } from '../journal/lock.js';
import { type MemoryStore, openMemory } from '../journal/memory.js';
import { writeRequest } from '../journal/request.js';
import { runFolder } from '../journal/state.js';
import { itemsOf } from '../plan/items.js';
import type { Plan } from '../plan/plan.js';
import { createProgress, progressKind } from '../progress/progress.js';
import { reports } from '../reports/index.js';
import { exitFor, type Output, parseOutputs, writeOutputs } from '../reports/outputs.js';
import { quietSummary } from '../reports/quiet.js';
import { writeWholeFile } from '../reports/write-file.js';
import { startFold, stepKey } from '../result/fold.js';
import { type Judge, type JudgeOptions, startJudge } from '../result/judge.js';
import type { RunResult, StepResult } from '../result/result.schema.js';
import type { WholeRun } from '../result/waivers.js';
import { createRedactor, type Redactor } from '../secrets/redactor.js';
import { hostsWithinOpenFiles } from '../transports/open-files.js';
import { confirmChanges } from './confirm.js';
import { debugTrace } from './debug.js';
import { gatherSecrets } from './gather-secrets.js';
import { removeOldRuns } from './keep-runs.js';
import { openLastRun } from './last-run.js';
import type { RunOptions } from './options.js';
import { type Prepared, prepare, stateOf } from './prepare.js';
import { openReach, type Reach } from './reach.js';

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

  const folder = runFolder(stateOf(project, context), runId);
  keepRequest(folder, options, prepared, context);
  const unlock = lockRun(folder, context.user.pid);
  // Loaded while the hosts are at work, so that the reports do not keep the user waiting afterwards.
  for (const { format } of outputs) void reports[format]?.().catch(() => {});
  const memory = rememberedBy(plan, options, stateOf(project, context), context.cwd);
  const last = await openLastRun(plan, options, stateOf(project, context), context.cwd);
  const { waivers, hardAfter, runbook } = prepared;
  const expected = expectedResults(plan, runbook.value['expect-min-results'], options);
  const judge = startJudge({
    ...{ run: runId, now: new Date(), waivers, last: last.states },
    hardAfter: (step) => (last.isKnown ? (hardAfter.get(step) ?? 1) : 1),
    ...(expected && { expected }),
  });
  const execution = { folder, runId, redactor, reach, secrets, memory, judge, notes: last.notes };
  const result = await execute(plan, options, context, execution);

  await saveResult(folder, result);
  // Only now: what was seen is not forgotten before somebody can read of it.
  if (plan.mode === 'run') for (const problem of memory?.commit() ?? []) await warn(context, problem);
  for (const problem of await last.save(result)) await warn(context, problem);
  unlock();
  await show(result, outputs, options, context);
  const untidy = await removeOldRuns(stateOf(project, context), project, context, runId);
  if (untidy !== undefined) await warn(context, untidy);
  if (result.run.stopped?.startsWith('SIG') && !options.collect) {
    await context.terminal.err(`opsctl: stopped by ${result.run.stopped}; go on with \`opsctl resume ${runId}\`\n`);
  }
  return exitFor(result, outputs);
}

async function warn({ terminal }: CommandContext, text: string): Promise<void> {
  await terminal.err(`opsctl: warning: ${text}\n`);
}

/** What the steps of a plan know from earlier runs of the same runbook; undefined when none of them remembers. */
function rememberedBy(plan: Plan, { runbook }: RunOptions, state: string, cwd: string): MemoryStore | undefined {
  if (!plan.steps.some(({ kind, resolve: { trends } }) => kind.remembers || trends)) return undefined;
  const path = typeof runbook === 'string' ? resolve(cwd, runbook) : runbook.text;
  return openMemory(join(historyFolder(state, { name: plan.runbook.name, path }), 'hosts'));
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
  const write = (file: string, text: string) => writeWholeFile(resolve(cwd, file), text);
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
    const { checkOutputPath } = await import('../documents/paths.js');
    for (const file of files) await checkOutputPath(file, cwd);
  }
  return outputs;
}

/** Keeps what was asked for, for `opsctl resume`; a resumed run must still be the same one. */
function keepRequest(folder: string, options: RunOptions, { runbook, runId }: Prepared, context: CommandContext): void {
  const sha256 = createHash('sha256')
    .update(runbook.files.map((file) => file.sha256).join())
    .digest('hex');
  const { resume, show: _, collect: __, ...asked } = options;
  if (!resume) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeRequest(folder, { id: runId, cwd: context.cwd, sha256, options: asked });
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

interface Execution {
  readonly folder: string;
  readonly runId: string;
  readonly redactor: Redactor;
  readonly reach: Reach;
  readonly secrets: RunContext['secrets'];
  readonly memory: MemoryStore | undefined;
  readonly judge: Judge;
  /** What is to be told of the run, known before it begins. */
  readonly notes: readonly string[];
}

async function execute(
  plan: Plan,
  options: RunOptions,
  context: CommandContext,
  execution: Execution,
): Promise<RunResult> {
  const { folder, runId, redactor, reach, judge } = execution;
  const journal = openJournal(join(folder, 'journal.ndjson'), options.resume ? 'resume' : 'new');
  const progress = createProgress({
    terminal: context.terminal,
    // A moving picture and lines in between do not go together.
    kind:
      context.debug && !options.quiet ? 'plain' : progressKind(context.terminal, options.quiet ?? false, context.env),
  });
  const debug = context.debug ? debugTrace(context.terminal) : undefined;
  const fold = startFold();
  const stop = new AbortController();
  // One listener a host in flight is no leak.
  setMaxListeners(0, stop.signal);
  let failure: unknown;
  const emit = (happened: RunEvent) => {
    const event = judge.judge(happened);
    fold.add(event);
    progress.onEvent(event);
    debug?.onEvent(event);
    try {
      journal.append(event);
    } catch (error) {
      // Without a journal nothing new may start: a change that nobody can resume must not begin.
      failure ??= error;
      stop.abort('output');
      throw error;
    }
  };
  const onSignal = () => stop.abort(context.signal.reason);
  if (context.signal.aborted) onSignal();
  context.signal.addEventListener('abort', onSignal, { once: true });
  const deadline =
    plan.timeout === undefined ? undefined : setTimeout(() => stop.abort('deadline'), plan.timeout * 1000);
  const earlier = readEarlier(options.resume?.events ?? []);
  for (const event of options.resume?.events ?? []) {
    if (event.type !== 'run-end') fold.add(judge.judge(event, true));
    if (event.type === 'run-start') progress.onEvent(event);
  }

  const started = performance.now();
  const startedAt = new Date();
  const run: RunContext = {
    runId,
    mode: plan.mode,
    emit: (event) => {
      try {
        emit(event);
      } catch {
        // Kept in `failure`; the run stops in order.
      }
    },
    now: () => new Date(),
    signal: stop.signal,
    connect: debug
      ? async (target, signal) => {
          debug.connecting(target);
          return debug.watch(target, await reach.connect(target, signal));
        }
      : reach.connect,
    targetOf: reach.targetOf,
    privilegeOf: reach.privilegeOf,
    secrets: execution.secrets,
    ...(execution.memory && { memory: execution.memory }),
    redact: redactor.redact,
    redactDeep: redactor.redactDeep,
    saveArtefact: (host, step, stream, bytes) => saveArtefact(folder, host, step, stream, redactor.redactBytes(bytes)),
    earlier: (host, key) => earlier.results.get(`${host}\0${key}`),
    earlierJob: (host, key) => earlier.jobs.get(`${host}\0${key}`),
  };
  if (!options.resume) {
    emit({
      type: 'run-start',
      at: startedAt.toISOString(),
      run: {
        id: runId,
        runbook: plan.runbook.name,
        ...(plan.runbook.file !== undefined && { file: plan.runbook.file }),
        ...(plan.runbook.sha256 !== undefined && { sha256: plan.runbook.sha256 }),
        mode: plan.mode,
        startedAt: startedAt.toISOString(),
        actor: `${context.user.name}@${hostname()}`,
        version: context.version,
      },
      hosts: plan.hosts.map(({ host, body }) => {
        const target = reach.targetOf(host.name);
        const parents = parentsOf(host);
        return {
          name: host.name,
          address: target.address,
          transport: target.transport,
          steps: itemsOf(body).length,
          ...(parents.length > 0 && { parents }),
        };
      }),
      steps: plan.steps.map(({ key }) => key),
    });
  }
  try {
    await executePlan(plan, run, hostsAtOnce(plan, options, run));
    const notes = [...execution.notes, ...(await reach.notes()), ...judge.notes(wholeRun(plan, options, stop.signal))];
    for (const message of notes) run.emit({ type: 'warning', at: run.now().toISOString(), message });
  } finally {
    clearTimeout(deadline);
    context.signal.removeEventListener('abort', onSignal);
    await reach.close();
    const finishedAt = new Date();
    const stopped = stop.signal.aborted ? String(stop.signal.reason) : undefined;
    run.emit({
      type: 'run-end',
      at: finishedAt.toISOString(),
      duration: Math.round(performance.now() - started) / 1000,
      ...(stopped !== undefined && { stopped }),
    });
    await progress.finish();
    await debug?.finish();
    try {
      journal.close();
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure instanceof UserError) await context.terminal.err(`opsctl: ${failure.message}\n`);
  return fold.result(options.failOn === undefined ? {} : { failOn: options.failOn });
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

/** What a run looked at, when it looked at all that its runbook names. */
function wholeRun(plan: Plan, options: RunOptions, { aborted }: AbortSignal): WholeRun | undefined {
  const { mode, limit, tags, skipTags, resume } = options;
  if (aborted || mode !== 'run' || resume || [limit, tags, skipTags].some((narrower) => narrower !== undefined))
    return undefined;
  return {
    hosts: plan.hosts.map(({ host }) => host.name),
    steps: plan.steps.map(({ key, uses }) => ({ step: key, uses })),
  };
}

/** As many hosts in flight as were asked for, and no more than this process has files for. */
function hostsAtOnce(plan: Plan, { concurrency = defaultConcurrency }: RunOptions, run: RunContext): number {
  const wanted = Math.min(concurrency, plan.hosts.length);
  const bound = hostsWithinOpenFiles(plan.hosts.map(({ host }) => run.targetOf(host.name)));
  if (!bound || bound.hosts >= wanted) return concurrency;
  run.emit({
    type: 'warning',
    at: run.now().toISOString(),
    message: `at most ${bound.hosts} of ${wanted} hosts at once: this process may open ${bound.limit} files (ulimit -n)`,
  });
  return bound.hosts;
}

/** What a resumed run need not do again: finished steps, and jobs that may be at work. */
function readEarlier(events: readonly RunEvent[]): { results: Map<string, StepResult>; jobs: Map<string, string> } {
  const results = new Map<string, StepResult>();
  const jobs = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'step-start' && event.job !== undefined) jobs.set(`${event.host}\0${event.step}`, event.job);
    if (event.type !== 'step-end') continue;
    const key = `${event.host}\0${stepKey(event.result)}`;
    // Only what is known to have happened counts; the rest is done, or asked for, again.
    const { outcome, reason, attempts } = event.result;
    const known = (['ok', 'changed', 'warning', 'failed'].includes(outcome) && attempts > 0) || reason === 'condition';
    if (known) results.set(key, event.result);
    else results.delete(key);
  }
  return { results, jobs };
}

function saveArtefact(folder: string, host: string, step: string, stream: string, bytes: Buffer): string {
  // Names come from the inventory and the runbook, never from a host; encoded so that none is a path.
  const file = join(
    'artefacts',
    encodeURIComponent(host),
    `${encodeURIComponent(step.replaceAll('\0', '.'))}.${stream}`,
  );
  mkdirSync(join(folder, 'artefacts', encodeURIComponent(host)), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, file), bytes, { mode: 0o600, flag: 'w' });
  return file;
}

async function saveResult(folder: string, result: RunResult): Promise<void> {
  try {
    await writeWholeFile(join(folder, 'result.json'), `${JSON.stringify(result)}\n`);
  } catch (error) {
    throw notKept(folder, error);
  }
}

function notKept(folder: string, error: unknown): UserError {
  const { code, message } = error as NodeJS.ErrnoException;
  const hint =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'free space, or set another `state` folder'
      : 'make it yours, or set XDG_STATE_HOME or `state` in opsctl.yaml to another folder';
  return new UserError({ code: 'E_OUTPUT', what: `${folder}: ${message}`, hint }, exitCode.output, { cause: error });
}
