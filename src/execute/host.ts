import { setTimeout as sleep } from 'node:timers/promises';
import type { EvaluationContext, Group, HostPlan, PlannedItem, Round, Segment } from '../plan/plan.js';
import { isVerdict, type Verdict } from '../plan/requirement.js';
import { worstOutcome } from '../result/fold.js';
import type { Memory } from '../steps/step.js';
import type { Attempt } from './attempt.js';
import { runChange } from './change.js';
import type { RunContext } from './context.js';
import { callItem } from './controller.js';
import { asExpected } from './expectation.js';
import { expandItems, expressionFails, type ReadyItem, readyItem } from './ready.js';
import { Recorder } from './recorder.js';
import { type Weighed, weigh } from './retry.js';
import { HostSession } from './session.js';
import { withTrends } from './trends.js';

/** What a segment means for the rest of the host. */
interface Flow {
  /** A step failed: a group around it goes to its rescue. */
  readonly failed: boolean;
  /** A failed step said stop. */
  readonly stopped: boolean;
}

const onward: Flow = { failed: false, stopped: false };
const earlierFailure = { reason: 'earlier-failure', summary: 'not run: an earlier step failed' } as const;

/** Does all that a plan has for one host. Never rejects: trouble is the host's result. */
export async function runHost(plan: HostPlan, run: RunContext): Promise<void> {
  const host = new HostRun(plan, run);
  let bug: Error | undefined;
  try {
    await host.runBody(plan.body);
  } catch (error) {
    bug = error as Error;
  } finally {
    await host.session.close();
  }
  const { failure } = host.session;
  const why = bug
    ? { reason: 'internal-error', summary: `opsctl failed: ${bug.message}; please report this` }
    : failure && { reason: failure.reason, summary: failure.message };
  run.emit({
    type: 'host-end',
    at: run.now().toISOString(),
    host: plan.host.name,
    outcome: bug ? 'unknown' : worstOutcome(host.recorder.outcomes()),
    ...(why && { reason: why.reason, summary: run.redact(why.summary) }),
    ...(!bug && failure?.hop !== undefined && failure.outcome === 'unreachable' && { hop: failure.hop }),
  });
}

class HostRun {
  readonly session: HostSession;
  readonly recorder: Recorder;
  readonly #plan: HostPlan;
  readonly #run: RunContext;
  /** Verdicts of the round that is running. */
  #verdicts: readonly Verdict[] = [];

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
        this.#skipBody(body.slice(index + 1), earlierFailure);
        return { failed: true, stopped: true };
      }
    }
    return { failed, stopped: false };
  }

  async #runGroup(group: Group): Promise<Flow> {
    const { stopped } = await this.runBody(group.body);
    // A verdict inside may have made little of a failure that came before it.
    let flow: Flow = { failed: stopped || this.recorder.anyFailed(group.body), stopped };
    if (flow.failed && group.rescue.length > 0) {
      const rescue = await this.runBody(group.rescue);
      // Only what ran can have made good for anything: a rescue of skipped steps has not, nor has one that was stopped.
      if (!rescue.failed && this.recorder.proved(group.rescue)) this.recorder.rescue(group.body);
      const saved = !rescue.failed && !this.recorder.anyFailed(group.body);
      flow = saved ? onward : { failed: true, stopped: flow.stopped || rescue.stopped };
    } else this.#skipBody(group.rescue, { reason: 'not-needed', summary: 'not run: nothing to rescue' });
    const always = await this.runBody(group.always);
    return { failed: flow.failed || always.failed, stopped: flow.stopped || always.stopped };
  }

  async #runRound(round: Round): Promise<Flow> {
    if (this.#run.signal.aborted) {
      this.#skipRound(round, this.#stopped());
      return onward;
    }
    this.#verdicts = round.items.filter(isVerdict);
    const ready = await this.#prepare(round);
    if (ready.length > 0) {
      if (round.carrier === 'host') await this.#runHostRound(ready, round.sudo);
      else if (round.carrier === 'controller') await Promise.all(ready.map((item) => this.#runCall(item)));
      else await this.#runChanges(ready, round.sudo);
    }
    this.recorder.publish(round);
    return this.#flowOf(round);
  }

  /** Decides what was left open, and records at once what does not run. */
  async #prepare(round: Round): Promise<ReadyItem[]> {
    const ready: ReadyItem[] = [];
    for (const planned of round.items) {
      if (isVerdict(planned)) continue;
      for (const item of this.#expand(planned)) {
        if (this.#keepEarlier(item)) continue;
        const memory = this.recorder.memoryOf(item);
        const decided = await readyItem(item, this.#contextOf(item), this.#run.secrets, memory);
        if (!('params' in decided)) this.#recordUnready(item, decided.attempt);
        else {
          const blocked = this.recorder.blocked(item);
          if (blocked) this.#record(item, blocked, 0);
          else ready.push(decided);
        }
      }
    }
    return ready;
  }

  #expand(planned: PlannedItem): readonly PlannedItem[] {
    try {
      const items = expandItems(planned, this.#contextOf(planned));
      if (items !== undefined) this.recorder.expanded(planned, items);
      return items ?? [planned];
    } catch (error) {
      this.#recordUnready(planned, expressionFails(error));
      return [];
    }
  }

  /** What needs a step that did not succeed is not judged, unless it is a change that has run. */
  #record(item: PlannedItem, attempt: Attempt, attempts: number): void {
    const mayBlock = attempt.outcome !== 'skipped' && (attempts === 0 || item.step.effect === 'read');
    this.recorder.record(item, (mayBlock && this.recorder.blocked(item)) || attempt, attempts);
    this.#settle();
  }

  /** Judges the groups of the round whose members have all ended. One group may be a member of the next. */
  #settle(): void {
    if (this.#verdicts.length > 0) this.#verdicts = this.#verdicts.filter((verdict) => !this.recorder.settle(verdict));
  }

  #recordUnready(item: PlannedItem, attempt: Attempt): void {
    const missing = this.#run.mode === 'dry-run' && attempt.outcome === 'unknown' && this.recorder.needsChange(item);
    const summary = 'not run: it needs the result of a step that a dry run leaves out';
    this.#record(item, missing ? { outcome: 'skipped', reason: 'dry-run', summary } : attempt, 0);
  }

  /** What a resumed run knows already. Hidden data that later steps may need is read again where that changes nothing. */
  #keepEarlier(item: PlannedItem): boolean {
    const earlier = this.#run.earlier(this.#plan.host.name, this.recorder.keyOf(item));
    if (!earlier || (item.step.sensitive && item.step.effect === 'read')) return false;
    this.recorder.keep(item, earlier);
    this.#settle();
    return true;
  }

  async #runHostRound(ready: readonly ReadyItem[], sudo: boolean): Promise<void> {
    const again: { readonly entry: ReadyItem; readonly attempt: Attempt }[] = [];
    await this.session.runRound(ready, sudo, {
      onStart: (index) => this.#started(ready[index]),
      onEnd: (index, attempt) => {
        const entry = ready[index];
        if (!entry) return;
        const weighed = this.#weigh(entry, attempt, 1);
        if (weighed.done) this.#record(entry.item, weighed.attempt, attempt.neverStarted ? 0 : 1);
        else again.push({ entry, attempt: weighed.attempt });
      },
    });
    for (const { entry, attempt } of again) await this.#repeat(entry, attempt, (each) => this.#probe(each, sudo));
  }

  async #runCall(entry: ReadyItem): Promise<void> {
    const call = (ready: ReadyItem) => callItem(ready, this.#plan, this.#run, this.session);
    this.#started(entry);
    const weighed = this.#weigh(entry, await call(entry), 1);
    if (weighed.done) this.#record(entry.item, weighed.attempt, 1);
    else await this.#repeat(entry, weighed.attempt, call);
  }

  async #repeat(entry: ReadyItem, first: Attempt, once: (entry: ReadyItem) => Promise<Attempt>): Promise<void> {
    const { item } = entry;
    let attempts = 1;
    let weighed = { attempt: first, done: false };
    while (!weighed.done) {
      this.#run.emit({
        type: 'step-retry',
        at: this.#run.now().toISOString(),
        host: this.#plan.host.name,
        step: item.step.key,
        attempt: attempts,
        reason: weighed.attempt.reason,
      });
      await sleep((item.step.retry?.every ?? 0) * 1000, undefined, { signal: this.#run.signal }).catch(() => undefined);
      if (this.#run.signal.aborted) break;
      attempts += 1;
      weighed = this.#weigh(entry, await once(entry), attempts);
    }
    this.#record(item, weighed.attempt, attempts);
  }

  #weigh({ item, memory }: ReadyItem, measured: Attempt, attempts: number): Weighed {
    const attempt = asExpected(item.step, this.#withTrends(item, measured, memory));
    const lost = item.step.kind.runs === 'host' && this.session.failure !== undefined;
    const mayRepeat = !lost && !this.#run.signal.aborted && !this.recorder.blocked(item);
    return weigh(item.step, attempt, attempts, mayRepeat, () => ({
      ...this.#contextOf(item),
      result: this.recorder.view(attempt),
    }));
  }

  #withTrends(item: PlannedItem, attempt: Attempt, memory: Memory | undefined): Attempt {
    const { trends } = item.step.resolve;
    if (!trends) return attempt;
    try {
      return withTrends(attempt, trends(this.#contextOf(item)), memory, this.#run.now().getTime() / 1000);
    } catch (error) {
      return expressionFails(error);
    }
  }

  async #probe(entry: ReadyItem, sudo: boolean): Promise<Attempt> {
    let attempt: Attempt | undefined;
    await this.session.runRound([entry], sudo, {
      onStart: () => undefined,
      onEnd: (_, end) => {
        attempt = end;
      },
    });
    return attempt as Attempt;
  }

  async #runChanges(ready: readonly ReadyItem[], sudo: boolean): Promise<void> {
    let skip: { readonly reason: string; readonly summary: string } | undefined;
    for (const entry of ready) {
      const { item } = entry;
      if (this.#run.signal.aborted) skip ??= this.#stopped();
      if (skip) this.#record(item, { outcome: 'skipped', ...skip }, 0);
      else await this.#runChange(entry, sudo);
      if (item.step.onFailure === 'stop' && this.recorder.failed(item)) skip ??= earlierFailure;
    }
  }

  async #runChange(entry: ReadyItem, sudo: boolean): Promise<void> {
    const { item } = entry;
    if (this.#run.mode === 'dry-run') {
      const summary = 'would run; a dry run changes nothing';
      this.#record(item, { outcome: 'skipped', reason: 'dry-run', summary }, 0);
      return;
    }
    const key = this.recorder.keyOf(item);
    const announce = (job: string) => this.#started(entry, job);
    const attempt = await runChange(entry, this.session, sudo, this.#run, this.#plan.host.name, key, announce);
    this.#record(item, attempt, attempt.neverStarted ? 0 : 1);
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

  #stopped() {
    return { reason: 'stopped', summary: `not run: stopped (${String(this.#run.signal.reason)})` };
  }

  #skipBody(body: readonly Segment[], why: { readonly reason: string; readonly summary: string }): void {
    for (const segment of body) {
      if (segment.type === 'round') this.#skipRound(segment, why);
      else for (const part of [segment.body, segment.rescue, segment.always]) this.#skipBody(part, why);
    }
  }

  #skipRound(round: Round, why: { readonly reason: string; readonly summary: string }): void {
    this.#verdicts = [];
    for (const item of round.items)
      if (isVerdict(item) || !this.#keepEarlier(item))
        this.#record(item, { outcome: 'skipped', ...(item.skip ?? why) }, 0);
    this.recorder.publish(round);
  }

  #contextOf(item: PlannedItem): EvaluationContext {
    return this.recorder.context(item);
  }
}
