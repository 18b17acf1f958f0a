import { setTimeout as sleep } from 'node:timers/promises';
import type { EvaluationContext, Group, HostPlan, PlannedItem, Round, Segment } from '../plan/plan.js';
import { worstOutcome } from '../result/fold.js';
import type { Attempt } from './attempt.js';
import { runChange } from './change.js';
import type { RunContext } from './context.js';
import { callItem } from './controller.js';
import { expandItems, readyItem } from './ready.js';
import { Recorder } from './recorder.js';
import { HostSession, type ReadyItem } from './session.js';

/** What a segment means for the rest of the host. */
interface Flow {
  /** A step failed: a group around it goes to its rescue. */
  readonly failed: boolean;
  /** A failed step said stop. */
  readonly stopped: boolean;
}

const onward: Flow = { failed: false, stopped: false };

/** Does all that a plan has for one host. Never rejects: trouble is the host's result. */
export async function runHost(plan: HostPlan, run: RunContext): Promise<void> {
  const { name } = plan.host;
  const host = new HostRun(plan, run);
  try {
    await host.runBody(plan.body);
  } finally {
    await host.session.close();
  }
  const { failure } = host.session;
  const outcome = worstOutcome(host.recorder.outcomes());
  run.emit({
    type: 'host-end',
    at: run.now().toISOString(),
    host: name,
    outcome,
    ...(failure && { reason: failure.reason, summary: run.redact(failure.message) }),
  });
}

class HostRun {
  readonly session: HostSession;
  readonly recorder: Recorder;
  readonly #plan: HostPlan;
  readonly #run: RunContext;

  constructor(plan: HostPlan, run: RunContext) {
    this.#plan = plan;
    this.#run = run;
    this.session = new HostSession(run, plan.host.name);
    this.recorder = new Recorder(plan, run);
  }

  async runBody(body: readonly Segment[]): Promise<Flow> {
    let failed = false;
    for (const [index, segment] of body.entries()) {
      const flow = segment.type === 'group' ? await this.#runGroup(segment) : await this.#runRound(segment);
      failed ||= flow.failed;
      if (flow.stopped) {
        this.#skipBody(body.slice(index + 1), 'earlier-failure', 'not run: an earlier step failed');
        return { failed: true, stopped: true };
      }
    }
    return { failed, stopped: false };
  }

  async #runGroup(group: Group): Promise<Flow> {
    const mark = this.recorder.mark();
    let flow = await this.runBody(group.body);
    if (flow.failed && group.rescue.length > 0) {
      const rescue = await this.runBody(group.rescue);
      if (!rescue.failed) this.recorder.rescue(mark, group.body);
      flow = rescue.failed ? { failed: true, stopped: flow.stopped || rescue.stopped } : onward;
    } else this.#skipBody(group.rescue, 'not-needed', 'not run: nothing to rescue');
    const always = await this.runBody(group.always);
    return { failed: flow.failed || always.failed, stopped: flow.stopped || always.stopped };
  }

  async #runRound(round: Round): Promise<Flow> {
    if (this.#run.signal.aborted) {
      this.#skipRound(round, 'stopped', `not run: stopped (${String(this.#run.signal.reason)})`);
      return onward;
    }
    const ready = await this.#prepare(round);
    if (ready.length > 0) {
      if (round.carrier === 'host') await this.#runHostRound(ready, round.sudo);
      else if (round.carrier === 'controller')
        await Promise.all(ready.map((item) => this.#runWithRetries(item, (each) => this.#call(each))));
      else for (const item of ready) await this.#runChange(item, round.sudo);
    }
    this.recorder.publish(round);
    return this.#flowOf(round);
  }

  /** Decides what was left open, and records at once what does not run. */
  async #prepare(round: Round): Promise<ReadyItem[]> {
    const ready: ReadyItem[] = [];
    for (const planned of round.items) {
      for (const item of expandItems(planned, this.#contextOf(planned), this.recorder)) {
        const earlier = this.#run.earlier(this.#plan.host.name, this.recorder.keyOf(item));
        if (earlier) this.recorder.keep(item, earlier);
        else {
          const decided = await readyItem(item, this.#contextOf(item), this.#run.secrets);
          if ('params' in decided) ready.push({ item, params: decided.params });
          else this.recorder.record(item, decided.attempt, 0);
        }
      }
    }
    return ready;
  }

  async #runHostRound(ready: readonly ReadyItem[], sudo: boolean): Promise<void> {
    const last = ready.at(-1);
    await this.session.runRound(ready, sudo, {
      onStart: (index) => this.#started(ready[index]),
      onEnd: (index, attempt) => {
        const entry = ready[index];
        // An item with retries ends its round: the others are final.
        if (entry && !(entry === last && this.#wantsAnother(entry, attempt, 1)))
          this.recorder.record(entry.item, attempt, attempt.neverStarted ? 0 : 1);
        else if (entry) this.recorder.hold(entry.item, attempt);
      },
    });
    if (last && this.recorder.held(last.item)) {
      await this.#retry(last, (each) => this.#probeOnce(each, sudo));
    }
  }

  async #runWithRetries(entry: ReadyItem, once: (entry: ReadyItem) => Promise<Attempt>): Promise<void> {
    this.#started(entry);
    const attempt = await once(entry);
    if (!this.#wantsAnother(entry, attempt, 1)) {
      this.recorder.record(entry.item, attempt, attempt.neverStarted ? 0 : 1);
      return;
    }
    this.recorder.hold(entry.item, attempt);
    await this.#retry(entry, once);
  }

  /** Tries again after the first attempt, which is held, until it is good enough or the attempts are used up. */
  async #retry(entry: ReadyItem, once: (entry: ReadyItem) => Promise<Attempt>): Promise<void> {
    const { item } = entry;
    let attempt = this.recorder.held(item) as Attempt;
    let attempts = 1;
    while (this.#wantsAnother(entry, attempt, attempts)) {
      this.#run.emit({
        type: 'step-retry',
        at: this.#run.now().toISOString(),
        host: this.#plan.host.name,
        step: item.step.key,
        attempt: attempts,
        reason: attempt.reason,
      });
      await sleep((item.step.retry?.every ?? 0) * 1000, undefined, { signal: this.#run.signal }).catch(() => undefined);
      if (this.#run.signal.aborted) break;
      attempt = await once(entry);
      attempts += 1;
    }
    this.recorder.record(item, attempt, attempts);
  }

  #wantsAnother({ item }: ReadyItem, attempt: Attempt, attempts: number): boolean {
    const { retry, resolve } = item.step;
    if (!retry || attempts >= retry.attempts || this.#run.signal.aborted || this.session.failure) return false;
    if (attempt.outcome === 'skipped' || attempt.outcome === 'refused') return false;
    if (!resolve.until)
      return attempt.outcome !== 'ok' && attempt.outcome !== 'changed' && attempt.outcome !== 'warning';
    try {
      return !resolve.until({ ...this.#contextOf(item), result: this.recorder.view(attempt) });
    } catch {
      return true;
    }
  }

  async #probeOnce(entry: ReadyItem, sudo: boolean): Promise<Attempt> {
    let attempt: Attempt | undefined;
    await this.session.runRound([entry], sudo, {
      onStart: () => undefined,
      onEnd: (_, end) => {
        attempt = end;
      },
    });
    return attempt as Attempt;
  }

  #call({ item, params }: ReadyItem): Promise<Attempt> {
    return callItem(item, params, this.#plan, this.#run);
  }

  async #runChange(entry: ReadyItem, sudo: boolean): Promise<void> {
    if (this.#run.mode === 'dry-run') {
      this.recorder.record(
        entry.item,
        { outcome: 'skipped', reason: 'dry-run', summary: 'would run; a dry run changes nothing' },
        0,
      );
      return;
    }
    const attempt = await runChange(
      entry,
      this.session,
      sudo,
      this.#run,
      this.#plan.host.name,
      this.recorder.keyOf(entry.item),
      (job) => this.#started(entry, job),
    );
    this.recorder.record(entry.item, attempt, attempt.neverStarted ? 0 : 1);
  }

  #started(entry: ReadyItem | undefined, job?: string): void {
    if (!entry) return;
    const { step } = entry.item;
    this.recorder.start(entry.item);
    this.#run.emit({
      type: 'step-start',
      at: this.#run.now().toISOString(),
      host: this.#plan.host.name,
      step: this.recorder.keyOf(entry.item),
      name: step.name,
      effect: step.effect,
      ...(job !== undefined && { job }),
    });
  }

  #flowOf(round: Round): Flow {
    const failed = round.items.filter((item) => this.recorder.failed(item));
    return { failed: failed.length > 0, stopped: failed.some(({ step }) => step.onFailure === 'stop') };
  }

  #skipBody(body: readonly Segment[], reason: string, summary: string): void {
    for (const segment of body) {
      if (segment.type === 'round') this.#skipRound(segment, reason, summary);
      else for (const part of [segment.body, segment.rescue, segment.always]) this.#skipBody(part, reason, summary);
    }
  }

  #skipRound(round: Round, reason: string, summary: string): void {
    for (const item of round.items)
      this.recorder.record(item, { outcome: 'skipped', ...(item.skip ?? { reason, summary }) }, 0);
  }

  #contextOf(item: PlannedItem): EvaluationContext {
    return this.recorder.context(item);
  }
}
