import { itemsOf } from '../plan/items.js';
import type { EvaluationContext, HostPlan, PlannedItem, Round, Segment } from '../plan/plan.js';
import type { Verdict } from '../plan/requirement.js';
import { stepKey, worstOutcome } from '../result/fold.js';
import type { Evidence, Outcome, StepResult } from '../result/result.schema.js';
import type { Memory } from '../steps/step.js';
import { type Attempt, excerptBytes } from './attempt.js';
import type { RunContext } from './context.js';
import { judgeRequirement, undecided } from './requirement.js';

/** Outcomes that count as a failure of a step. */
const failures: readonly Outcome[] = ['failed', 'unknown', 'unreachable', 'refused'];
const successes: readonly Outcome[] = ['ok', 'changed', 'warning'];

/** A change that another run kept from beginning is missing for what comes after it, like one that failed. */
function isFailure({ outcome, reason, rescued }: StepResult): boolean {
  return (failures.includes(outcome) || reason === 'locked') && !rescued;
}

/** Turns attempts into results, emits them, and keeps what later expressions may read. One per host. */
export class Recorder {
  readonly #plan: HostPlan;
  readonly #run: RunContext;
  readonly #results = new Map<string, StepResult>();
  readonly #data = new Map<string, unknown>();
  readonly #started = new Map<PlannedItem, { readonly at: Date; readonly clock: number }>();
  readonly #items = new Map<PlannedItem, readonly PlannedItem[]>();
  readonly #views = new Map<string, Record<string, unknown>>();

  constructor(plan: HostPlan, run: RunContext) {
    this.#plan = plan;
    this.#run = run;
  }

  keyOf(item: PlannedItem): string {
    return stepKey({ step: item.step.key, ...(item.item && { item: item.item.label }) });
  }

  start(item: PlannedItem): void {
    if (!this.#started.has(item)) this.#started.set(item, { at: this.#run.now(), clock: performance.now() });
  }

  expanded(planned: PlannedItem, items: readonly PlannedItem[]): void {
    this.#items.set(planned, items);
  }

  /** The result of a run that is being resumed, taken over as it is. */
  keep(item: PlannedItem, result: StepResult): void {
    this.#results.set(this.keyOf(item), result);
    this.#data.set(this.keyOf(item), result.data);
  }

  record(item: PlannedItem, attempt: Attempt, attempts: number): void {
    const { step } = item;
    const started = this.#started.get(item);
    const key = this.keyOf(item);
    this.#data.set(key, attempt.data);
    const shown = step.sensitive ? hideOutput(attempt) : attempt;
    const evidence = step.sensitive ? shown.evidence : this.#withArtefact(key, attempt);
    const severity = step.severity ?? step.kind.severity;
    const result = this.#run.redactDeep<StepResult>({
      step: step.key,
      name: step.name,
      uses: step.uses,
      ...(item.item && { item: item.item.label }),
      outcome: shown.outcome,
      reason: shown.reason,
      summary: shown.summary,
      ...(shown.data !== undefined && { data: shown.data }),
      metrics: [...(shown.metrics ?? [])],
      findings: (shown.findings ?? []).map((finding) => ({
        ...finding,
        fingerprint: `${this.#plan.host.name}/${key}/${finding.id}/${finding.subject}`,
      })),
      ...(evidence && { evidence }),
      startedAt: (started?.at ?? this.#run.now()).toISOString(),
      duration: started ? Math.round(performance.now() - started.clock) / 1000 : 0,
      attempts,
      ...(severity && { severity }),
      ...(step.controls.length > 0 && { controls: [...step.controls] }),
    });
    this.#results.set(key, result);
    this.#remember(item, attempt);
    this.#emit(item, result);
  }

  /** What the step knows from earlier runs; undefined for one that does not remember. */
  memoryOf(item: PlannedItem): Memory | undefined {
    const { kind, resolve } = item.step;
    if (!kind.remembers && !resolve.trends) return undefined;
    return this.#run.memory?.of(this.#plan.host.name, this.#memoryKey(item)) ?? { samples: [] };
  }

  /** A step without an id is known by its place, and two runbooks may have another step there. */
  #memoryKey(item: PlannedItem): string {
    const { id, uses, name } = item.step;
    return [this.keyOf(item).replace('\0', ' '), uses, ...(id === undefined ? [name] : [])].join(' ');
  }

  failed(item: PlannedItem): boolean {
    return this.#resultsOf(item).some(isFailure);
  }

  outcomes(): readonly Outcome[] {
    return [...this.#results.values()].filter((result) => !result.rescued).map((result) => result.outcome);
  }

  anyFailed(body: readonly Segment[]): boolean {
    return itemsOf(body).some((item) => this.failed(item));
  }

  /** Something in it ran and is known to have worked. */
  proved(body: readonly Segment[]): boolean {
    return itemsOf(body).some((item) => this.#resultsOf(item).some(({ outcome }) => successes.includes(outcome)));
  }

  /** The rescue steps made good for what failed in the body. What is unknown stays unknown. */
  rescue(body: readonly Segment[]): void {
    for (const item of itemsOf(body).flatMap((planned) => this.#items.get(planned) ?? [planned])) {
      const result = this.#results.get(this.keyOf(item));
      if (result?.outcome !== 'failed' || result.rescued) continue;
      const rescued = { ...result, rescued: true };
      this.#results.set(this.keyOf(item), rescued);
      this.#emit(item, rescued);
    }
  }

  /** Judges a group by its members, once all of them have a result. */
  settle(verdict: Verdict): boolean {
    const { members, step, leftOut } = verdict;
    if (step.require === undefined || !members.every((member) => this.#hasEnded(member))) return false;
    const attempt = judgeRequirement(
      step.require,
      members.flatMap((member) => this.#resultsOf(member)),
      leftOut,
    );
    this.start(verdict);
    this.record(verdict, attempt, attempt.outcome === 'skipped' ? 0 : 1);
    this.#cover(members, ['ok', 'warning'].includes(attempt.outcome));
    return true;
  }

  /** What is not ok in a group that holds all the same does not count; neither does what made it so. */
  #cover(members: readonly PlannedItem[], holds: boolean): void {
    for (const item of (holds ? withInner(members) : members).flatMap(
      (planned) => this.#items.get(planned) ?? [planned],
    )) {
      const key = this.keyOf(item);
      const result = this.#results.get(key);
      if (!result) continue;
      const isBad = failures.includes(result.outcome) || result.outcome === 'warning';
      const { covered = false, rescued = false, ...bare } = result;
      const covers = holds && isBad;
      if ((rescued && !covered) || covers === covered) continue;
      const told = covers ? { ...bare, rescued: true, covered: true } : bare;
      this.#results.set(key, told);
      this.#emit(item, told);
    }
  }

  /** Why the step is not to be judged: one that it needs did not succeed. Nothing speaks against what did not apply. */
  blocked({ step }: PlannedItem): Attempt | undefined {
    for (const { id, key } of step.dependsOn) {
      const results = [...this.#results.values()].filter(
        (result) => result.step === key && (!result.rescued || result.covered),
      );
      const bad =
        results.find(({ outcome }) => failures.includes(outcome)) ??
        results.find(({ outcome, reason }) => outcome === 'skipped' && undecided.includes(reason));
      if (!bad) continue;
      const how = bad.outcome === 'skipped' ? (howSkipped[bad.reason] ?? 'did not run') : (howEnded[bad.outcome] ?? '');
      const reason = bad.reason === 'dry-run' ? 'dry-run' : 'blocked';
      return { outcome: 'skipped', reason, summary: `not judged: needs \`${id}\`, which ${how}` };
    }
    return undefined;
  }

  /** Makes the results of a round visible to later expressions. */
  publish(round: Round): void {
    for (const item of round.items) {
      const { id, scope } = item.step;
      if (!id) continue;
      const results = this.#resultsOf(item);
      const views = this.#views.get(scope) ?? {};
      const previous = views[id] as { items?: unknown[] } | undefined;
      const [first] = results;
      if (!first) continue;
      const view = this.view({ ...first, data: this.#data.get(stepKey(first)) });
      if (first.item === undefined) views[id] = item.step.loops ? { ...view, items: [] } : view;
      else {
        const items = [
          ...(previous?.items ?? []),
          ...results.map((result) => ({
            item: result.item,
            ...this.view({ ...result, data: this.#data.get(stepKey(result)) }),
          })),
        ];
        const outcome = worstOutcome(items.map((entry) => (entry as { outcome: Outcome }).outcome));
        views[id] = { ...this.view({ outcome, reason: outcome, summary: `${items.length} items` }), items };
      }
      this.#views.set(scope, views);
    }
  }

  /** A result as expressions see it: `steps.ID`, `result`. */
  view(result: Pick<Attempt, 'outcome' | 'reason' | 'summary' | 'data'>): Record<string, unknown> {
    return {
      outcome: result.outcome,
      reason: result.reason,
      summary: result.summary,
      ok: successes.includes(result.outcome),
      failed: failures.includes(result.outcome),
      changed: result.outcome === 'changed',
      skipped: result.outcome === 'skipped',
      data: result.data ?? {},
    };
  }

  /** It reads what a step would give that a dry run leaves out. */
  needsChange(item: PlannedItem): boolean {
    return [...item.step.needs].some((key) =>
      [...this.#results.values()].some(({ step, reason }) => step === key && reason === 'dry-run'),
    );
  }

  context(item: PlannedItem): EvaluationContext {
    for (const key of item.step.needs) this.#viewAbsent(key);
    return {
      host: this.#plan.host,
      vars: this.#plan.vars,
      run: { id: this.#run.runId, mode: this.#run.mode },
      steps: this.#views,
      ...(item.item && { item: item.item.value }),
    };
  }

  /** What could not be measured is no point of a trend; a mark counts, however its look ended. */
  #remember(item: PlannedItem, { outcome, metrics = [], keep }: Attempt): void {
    if (!item.step.kind.remembers && !item.step.resolve.trends) return;
    const measured = ['ok', 'changed', 'warning', 'failed'].includes(outcome);
    if (!measured && keep === undefined) return;
    const at = Math.round(this.#run.now().getTime()) / 1000;
    const seen = measured ? metrics : [];
    const values = Object.fromEntries(seen.map(({ name, value }) => [name, value]));
    const units = Object.fromEntries(seen.map(({ name, unit }) => [name, unit]));
    this.#run.memory?.add(this.#plan.host.name, this.#memoryKey(item), {
      sample: { at, values, units },
      ...(keep !== undefined && { keep }),
    });
  }

  #emit({ item }: PlannedItem, result: StepResult): void {
    const at = this.#run.now().toISOString();
    this.#run.emit({
      type: 'step-end',
      at,
      host: this.#plan.host.name,
      result,
      ...(item && { index: item.index }),
    });
  }

  /** A step that is not for this host, or was left out by its tags, reads as skipped. */
  #viewAbsent(key: string): void {
    const id = key.slice(key.lastIndexOf('/') + 1);
    const scope = key.slice(0, key.length - id.length);
    const views = this.#views.get(scope) ?? {};
    views[id] ??= this.view({ outcome: 'skipped', reason: 'not-chosen', summary: 'not chosen for this host' });
    this.#views.set(scope, views);
  }

  #hasEnded(item: PlannedItem): boolean {
    return (this.#items.get(item) ?? [item]).every((each) => this.#results.has(this.keyOf(each)));
  }

  #resultsOf(item: PlannedItem): StepResult[] {
    const items = this.#items.get(item) ?? [item];
    return items.map((each) => this.#results.get(this.keyOf(each))).filter((result) => result !== undefined);
  }

  #withArtefact(key: string, attempt: Attempt): Evidence | undefined {
    const { evidence } = attempt;
    if (!evidence || !this.#run.saveArtefact) return evidence;
    let artefact: string | undefined;
    for (const stream of ['stdout', 'stderr'] as const) {
      const capture = attempt[stream];
      if (!capture || capture.bytes <= excerptBytes) continue;
      const bytes = Buffer.concat(
        capture.truncated
          ? [capture.head, cut(capture.bytes, capture.head.length, capture.tail.length), capture.tail]
          : [capture.head],
      );
      try {
        artefact = this.#run.saveArtefact(this.#plan.host.name, key, stream, bytes);
      } catch (error) {
        const message = `${this.#plan.host.name}: the output of ${key.replace('\0', ' ')} was not kept: ${(error as Error).message}`;
        this.#run.emit({ type: 'warning', at: this.#run.now().toISOString(), message });
      }
    }
    return artefact === undefined ? evidence : { ...evidence, artefact };
  }
}

/** Members, and the members of groups among them. */
function withInner(members: readonly PlannedItem[]): readonly PlannedItem[] {
  return members.flatMap((member) => [member, ...withInner(member.members ?? [])]);
}

const howEnded: Partial<Readonly<Record<Outcome, string>>> = {
  failed: 'failed',
  unknown: 'is unknown',
  unreachable: 'is unreachable',
  refused: 'was refused',
};

const howSkipped: Readonly<Record<string, string>> = {
  blocked: 'was not judged',
  'dry-run': 'a dry run leaves out',
};

function cut(bytes: number, head: number, tail: number): Buffer {
  return Buffer.from(`\n… ${Math.max(0, bytes - head - tail)} bytes left out …\n`);
}

function hideOutput(attempt: Attempt): Attempt {
  return {
    outcome: attempt.outcome,
    reason: attempt.reason,
    summary: `${attempt.outcome}; the output is hidden (sensitive)`,
    ...(attempt.evidence?.exitStatus !== undefined && { evidence: { exitStatus: attempt.evidence.exitStatus } }),
  };
}
