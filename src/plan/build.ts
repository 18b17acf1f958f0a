import { type Place, type Problem, UserError } from '../errors.js';
import type { Host } from '../inventory/inventory.js';
import type { CompiledEntry, CompiledRunbook } from './compile.js';
import { conditionFails, listIsEmpty, loopItems, membersOf } from './items.js';
import type { EvaluationContext, HostPlan, Plan, PlannedItem, PlannedStep, Segment } from './plan.js';
import { cutRounds, type Sequence } from './rounds.js';

export interface PlanInput {
  readonly runbook: Plan['runbook'];
  readonly compiled: CompiledRunbook;
  readonly hosts: readonly Host[];
  readonly mode: Plan['mode'];
  readonly runId: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
  readonly skipTags?: readonly string[];
  readonly timeout?: number;
  /** Whether a host is in a pattern of the runbook; patterns are checked before. */
  readonly matches: (pattern: string, host: Host) => boolean;
}

/** Decides for every host what runs, in which rounds. Pure: reads nothing, contacts nothing. */
export async function buildPlan(input: PlanInput): Promise<Plan> {
  const asked = input.compiled.steps.filter((step) => step.require === undefined);
  const chosen = new Set(asked.filter((step) => isTagged(step, input)));
  if (chosen.size === 0) {
    throw new UserError({
      code: 'E_NO_STEPS',
      what: 'no step is left to run',
      hint: 'check `--tags` and `--skip-tags`',
    });
  }
  const builder = new HostPlanner(input, chosen);
  const hosts: HostPlan[] = [];
  for (const host of input.hosts) hosts.push(await builder.plan(host));
  if (builder.problems.size > 0) throw new UserError([...builder.problems.values()]);
  return Object.freeze({
    runbook: input.runbook,
    mode: input.mode,
    hosts,
    steps: input.compiled.steps.filter((step) => step.require !== undefined || chosen.has(step)),
    params: input.params,
    ...(input.timeout !== undefined && { timeout: input.timeout }),
  });
}

class HostPlanner {
  readonly problems = new Map<string, Problem>();
  readonly #input: PlanInput;
  readonly #chosen: ReadonlySet<PlannedStep>;
  readonly #patterns: readonly string[];
  readonly #perHost: boolean;
  /** Hosts that differ in nothing that the runbook asks for share their rounds. */
  readonly #bodies = new Map<string, readonly Segment[]>();

  constructor(input: PlanInput, chosen: ReadonlySet<PlannedStep>) {
    this.#input = input;
    this.#chosen = chosen;
    this.#patterns = [...new Set([...chosen].flatMap((step) => step.hosts))];
    this.#perHost = [...chosen].some((step) => step.perHost);
  }

  async plan(host: Host): Promise<HostPlan> {
    const inside = new Set(this.#patterns.filter((pattern) => this.#input.matches(pattern, host)));
    const sudo = Boolean(host.connect.sudo);
    const key = JSON.stringify([sudo, [...inside]]);
    let body = this.#perHost ? undefined : this.#bodies.get(key);
    if (!body) {
      body = cutRounds(await this.#sequence(this.#input.compiled.entries, host, inside, sudo));
      if (!this.#perHost) this.#bodies.set(key, body);
    }
    return {
      host,
      body,
      get connect() {
        return host.connect;
      },
      get vars() {
        return host.vars;
      },
    };
  }

  async #sequence(
    entries: readonly CompiledEntry[],
    host: Host,
    inside: ReadonlySet<string>,
    sudo: boolean,
  ): Promise<Sequence[number][]> {
    const sequence: Sequence[number][] = [];
    for (const entry of entries) {
      if ('type' in entry) {
        const body = await this.#sequence(entry.body, host, inside, sudo);
        const rescue = await this.#sequence(entry.rescue, host, inside, sudo);
        const always = await this.#sequence(entry.always, host, inside, sudo);
        if (entry.verdict) {
          const members = membersOf(body);
          const leftOut = this.#leftOut(entry.body, inside);
          const verdict = { step: entry.verdict, sudo, deferred: false, members, ...(leftOut > 0 && { leftOut }) };
          if (members.length > 0) body.push(verdict);
        }
        // Without a net its steps and the verdict on them go where they fit.
        if (rescue.length + always.length === 0) sequence.push(...body);
        else sequence.push({ type: 'group', name: entry.name, body, rescue, always });
      } else if (this.#chosen.has(entry) && entry.hosts.every((pattern) => inside.has(pattern))) {
        sequence.push(...(await this.#items(entry, host, entry.sudo ?? sudo)));
      }
    }
    return sequence;
  }

  /** Members of a group that tags keep from being asked. */
  #leftOut(entries: readonly CompiledEntry[], inside: ReadonlySet<string>): number {
    let count = 0;
    for (const entry of entries) {
      if ('type' in entry) {
        const inner = this.#leftOut(entry.body, inside);
        // A group that has a verdict of its own says there what it misses.
        count += entry.verdict ? Number(inner > 0 && !this.#asks(entry.body)) : inner;
      } else if (!this.#chosen.has(entry) && entry.hosts.every((pattern) => inside.has(pattern))) count += 1;
    }
    return count;
  }

  #asks(entries: readonly CompiledEntry[]): boolean {
    return entries.some((entry) => ('type' in entry ? this.#asks(entry.body) : this.#chosen.has(entry)));
  }

  async #items(step: PlannedStep, host: Host, sudo: boolean): Promise<readonly PlannedItem[]> {
    if (step.readsSteps) return [{ step, sudo, deferred: true }];
    const context: EvaluationContext = {
      host,
      vars: host.vars,
      run: { id: this.#input.runId, mode: this.#input.mode },
      steps: new Map(),
    };
    try {
      if (!step.resolve.loopApplies(context)) return [{ step, sudo, deferred: false, skip: conditionFails }];
      const loop = step.loops ? loopItems(step.resolve.items(context) ?? [], step) : [undefined];
      if (loop.length === 0) return [{ step, sudo, deferred: false, skip: listIsEmpty }];
      const items: PlannedItem[] = [];
      for (const item of loop) {
        const own = item ? { ...context, item: item.value } : context;
        const planned = { step, sudo, deferred: false, ...(item && { item }) };
        if (!step.resolve.applies(own)) items.push({ ...planned, skip: conditionFails });
        else items.push({ ...planned, params: await step.resolve.params(own) });
      }
      return items;
    } catch (error) {
      this.#report(step, host, error);
      return [];
    }
  }

  /** The same mistake on many hosts is one problem, with the first host as the example. */
  #report(step: PlannedStep, host: Host, error: unknown): void {
    const found: readonly Problem[] = error instanceof UserError ? error.problems : [valueProblem(error as Error)];
    for (const problem of found) {
      const key = `${step.key} ${problem.code} ${problem.what}`;
      if (!this.problems.has(key))
        this.problems.set(key, { ...problem, what: `step ${step.key}, host ${host.name}: ${problem.what}` });
    }
  }
}

/** An expression that fails on the values of a host. */
function valueProblem(error: Error & { readonly place?: Place }): Problem {
  const { message, place } = error;
  const isMissing = message.startsWith('no such key');
  const hint = isMissing ? 'set it, or write `default(NAME, VALUE)`' : 'check the values that it reads';
  return { code: 'E_EXPR_VALUE', what: message, hint, ...(place && { place }) };
}

function isTagged(step: PlannedStep, { tags = [], skipTags = [] }: PlanInput): boolean {
  if (step.tags.some((tag) => skipTags.includes(tag))) return false;
  return tags.length === 0 || step.tags.some((tag) => tags.includes(tag));
}
