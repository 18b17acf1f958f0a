import { setMaxListeners } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CommandContext } from '../commands/command.js';
import { UserError } from '../errors.js';
import type { RunContext } from '../execute/context.js';
import type { RunEvent } from '../execute/events.js';
import { defaultConcurrency, executePlan } from '../execute/run.js';
import { parentsOf } from '../inventory/parents.js';
import { openJournal } from '../journal/journal.js';
import type { MemoryStore } from '../journal/memory.js';
import { itemsOf } from '../plan/items.js';
import type { Plan } from '../plan/plan.js';
import { createProgress, progressKind } from '../progress/progress.js';
import { startFold, stepKey } from '../result/fold.js';
import type { Judge } from '../result/judge.js';
import type { RunResult, StepResult } from '../result/result.schema.js';
import type { WholeRun } from '../result/waivers.js';
import type { Redactor } from '../secrets/redactor.js';
import { hostsWithinOpenFiles } from '../transports/open-files.js';
import { debugTrace } from './debug.js';
import type { RunOptions } from './options.js';
import type { Reach } from './reach.js';

export interface Execution {
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

/** Has the plan executed: events go to the journal, the progress and the result. Stops in order when it must. */
export async function execute(
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
  const onSignal = () => {
    stop.abort(context.signal.reason);
    progress.stopping(String(context.signal.reason));
  };
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
