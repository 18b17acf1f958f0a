import { parseDuration } from '../documents/duration.js';
import { validateParams } from '../documents/params.js';
import type { GroupEntry, LoadedRunbook, RunbookEntry, StepEntry } from '../documents/runbook.js';
import { type Trend, trendProblems } from '../documents/trend.js';
import { UserError } from '../errors.js';
import type { ScopeName, Template, Uses } from '../expressions/index.js';
import { changesIn, countOf, idsOf, nameOf, needsEngine, placeAt } from './entries.js';
import {
  baseNames,
  type Condition,
  type Engine,
  ExpressionCompiler,
  itemNames,
  mergeUses,
  noUses,
  type Resolve,
  type RunbookScope,
} from './expressions.js';
import { neededSteps } from './needs.js';
import type { EvaluationContext, NeededStep, PlannedStep, StepResolver } from './plan.js';
import { groupKind, type Requirement } from './requirement.js';

export type CompiledEntry = PlannedStep | CompiledGroup;

export interface CompiledGroup {
  readonly type: 'group';
  readonly name: string;
  /** The step that the group itself is, when it has `require`. */
  readonly verdict?: PlannedStep;
  readonly body: readonly CompiledEntry[];
  readonly rescue: readonly CompiledEntry[];
  readonly always: readonly CompiledEntry[];
}

export interface CompiledRunbook {
  readonly entries: readonly CompiledEntry[];
  /** Every step once, in order. */
  readonly steps: readonly PlannedStep[];
}

export interface CompileOptions {
  /** Values of the runbook's own parameters, complete. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Names of the variables that at least one selected host has. */
  readonly vars: ReadonlySet<string>;
  /** A step whose deadline the caller sets. */
  readonly timeout?: number;
}

/** Compiles every expression and fixes what is the same for all hosts. Throws one UserError with all problems. */
export async function compileRunbook(runbook: LoadedRunbook, options: CompileOptions): Promise<CompiledRunbook> {
  const engine = needsEngine(runbook.entries) ? await import('../expressions/index.js') : undefined;
  const compiler = new Compiler(engine, options);
  const scope = compiler.scopeOf(runbook, '', () => options.params, noUses);
  const entries = compiler.entries(runbook.entries, {
    scope,
    conditions: [],
    needs: [],
    tags: [],
    hosts: [],
    sudo: runbook.value.sudo || undefined,
    judged: false,
  });
  if (compiler.problems.length > 0) throw new UserError(compiler.problems);
  return { entries, steps: compiler.steps };
}

interface Surroundings {
  readonly scope: RunbookScope;
  readonly conditions: readonly Condition[];
  readonly needs: readonly NeededStep[];
  readonly tags: readonly string[];
  readonly hosts: readonly string[];
  readonly sudo: boolean | undefined;
  /** A group around the step has `require`: it decides what a failure means. */
  readonly judged: boolean;
}

class Compiler {
  readonly problems: UserError['problems'][number][];
  readonly steps: PlannedStep[] = [];
  readonly #expressions: ExpressionCompiler;
  readonly #options: CompileOptions;

  constructor(engine: Engine | undefined, options: CompileOptions) {
    this.#expressions = new ExpressionCompiler(engine, options.vars);
    this.problems = this.#expressions.problems;
    this.#options = options;
  }

  scopeOf(runbook: LoadedRunbook, prefix: string, params: RunbookScope['params'], paramUses: Uses): RunbookScope {
    const declared = Object.entries(runbook.value.params ?? {});
    return {
      prefix,
      ids: new Set(idsOf(runbook.entries)),
      seen: new Set(),
      paramTypes: new Map(declared.map(([name, { type }]) => [name, type ?? 'string'])),
      params,
      paramUses,
      vars: (runbook.value.vars ?? {}) as Record<string, unknown>,
    };
  }

  entries(list: readonly RunbookEntry[], around: Surroundings): readonly CompiledEntry[] {
    return list.flatMap((entry) => (entry.kind === 'step' ? this.#step(entry, around) : this.#group(entry, around)));
  }

  #group(entry: GroupEntry, around: Surroundings): readonly CompiledEntry[] {
    const { group, include } = entry;
    const condition = this.#expressions.condition(group.when, entry, ['when'], around.scope, baseNames);
    const verdict = group.require === undefined ? undefined : this.#verdict(entry, group.require, around.scope);
    const inner: Surroundings = {
      scope: include ? this.#includeScope(entry, include, around.scope) : around.scope,
      conditions: condition ? [...around.conditions, condition] : around.conditions,
      needs: [...around.needs, ...this.#needs(entry, group.needs, around.scope)],
      tags: [...around.tags, ...(group.tags ?? [])],
      hosts:
        include && include.runbook.value.hosts !== 'all'
          ? [...around.hosts, include.runbook.value.hosts]
          : around.hosts,
      sudo: group.sudo ?? (include?.runbook.value.sudo || undefined) ?? around.sudo,
      judged: around.judged || verdict !== undefined,
    };
    const body = this.entries(entry.steps, inner);
    const rescue = this.entries(entry.rescue, inner);
    const always = this.entries(entry.always, inner);
    if (group.id) around.scope.seen.add(group.id);
    // Without a net the group is only a way to write its steps.
    if (!verdict && rescue.length === 0 && always.length === 0) return body;
    return [{ type: 'group', name: group.name ?? entry.key, ...(verdict && { verdict }), body, rescue, always }];
  }

  /** The step that a group with `require` is in results. It stands before its members there. */
  #verdict(entry: GroupEntry, require: Required<GroupEntry['group']>['require'], scope: RunbookScope): PlannedStep {
    const { group, key } = entry;
    const most = countOf(entry.steps);
    if (typeof require === 'number' && most !== undefined && require > most)
      this.problems.push({
        code: 'E_REQUIRE',
        what: `${require} of ${most} steps cannot be ok`,
        hint: `write a number up to ${most}, or \`all\``,
        place: placeAt(entry, ['require']),
      });
    const verdict: PlannedStep = {
      key,
      ...(group.id && { id: group.id }),
      scope: scope.prefix,
      name: group.name ?? group.id ?? `group ${key}`,
      uses: groupKind.kind,
      kind: groupKind,
      effect: 'read',
      from: 'controller',
      timeout: 0,
      // What comes after a group of changes builds on it, as it does on one change.
      onFailure: changesIn(entry.steps) ? 'stop' : 'continue',
      sudo: undefined,
      hosts: [],
      sensitive: false,
      controls: [],
      tags: [],
      loops: false,
      needs: new Set(),
      dependsOn: [],
      expectsFailure: false,
      require: require as Requirement,
      perHost: false,
      readsSteps: false,
      constant: true,
      resolve: {
        applies: () => true,
        loopApplies: () => true,
        items: () => undefined,
        params: () => Promise.resolve({}),
      },
    };
    this.steps.push(verdict);
    return verdict;
  }

  #needs(entry: RunbookEntry, needs: string | readonly string[] | undefined, scope: RunbookScope): NeededStep[] {
    const own = entry.kind === 'step' ? entry.step.id : entry.group.id;
    const place = (index: number) => placeAt(entry, Array.isArray(needs) ? ['needs', index] : ['needs']);
    const { needed, problems } = neededSteps([needs ?? []].flat(), { ...scope, own }, place);
    this.problems.push(...problems);
    return needed;
  }

  #includeScope(entry: GroupEntry, include: NonNullable<GroupEntry['include']>, outer: RunbookScope): RunbookScope {
    const declared = include.runbook.value.params ?? {};
    const defaults = Object.fromEntries(
      Object.entries(declared).flatMap(([name, param]) => (param.default === undefined ? [] : [[name, param.default]])),
    );
    const template = this.#expressions.template(include.params, entry, ['with', 'params'], outer, baseNames);
    const uses = template ? this.#expressions.usesIn(outer, template.uses) : noUses;
    const params: RunbookScope['params'] = (context) => ({
      ...defaults,
      ...((template ? template.render(this.#expressions.context(context, outer)) : include.params) as object),
    });
    return this.scopeOf(include.runbook, `${entry.key}/`, params, uses);
  }

  #step(entry: StepEntry, around: Surroundings): readonly CompiledEntry[] {
    const { step, stepKind: kind } = entry;
    const { scope } = around;
    const names = step.each === undefined ? baseNames : itemNames;
    const when = this.#expressions.condition(step.when, entry, ['when'], scope, names);
    const each = this.#expressions.each(entry, scope);
    const template = this.#expressions.template(step.with ?? {}, entry, ['with'], scope, names);
    const trends = this.#trends(entry, scope, names);
    const until = this.#expressions.condition(step.retry?.until, entry, ['retry', 'until'], scope, [
      ...names,
      'result',
    ]);
    // The condition of a loop is about its items; those of the groups around it are about the whole.
    const conditions = when ? [...around.conditions, when] : around.conditions;
    const uses = mergeUses([
      ...conditions.map((condition) => condition.uses),
      each?.uses ?? noUses,
      this.#expressions.usesIn(scope, template?.uses ?? noUses),
      trends?.uses ?? noUses,
    ]);
    const untilUses = until?.uses ?? noUses;
    const dependsOn = [...around.needs, ...this.#needs(entry, step.needs, scope)];
    const effect = this.#effect(entry);
    this.#refuseExpect(entry, effect);
    this.#refuseRetry(entry, effect);
    const { id } = step;
    if (id) scope.seen.add(id);
    const resolve: StepResolver = {
      applies: (context) => conditions.every((condition) => condition.holds(context)),
      loopApplies: (context) =>
        conditions.every((condition) => condition.uses.names.has('item') || condition.holds(context)),
      items: (context) => each?.items(context),
      params: (context) => {
        trends?.resolve(context);
        return this.#params(entry, template, scope, context);
      },
      ...(trends && { trends: trends.resolve }),
      ...(until && { until: until.holds }),
    };
    const planned: PlannedStep = {
      key: entry.key,
      ...(id && { id }),
      scope: scope.prefix,
      name: step.name ?? nameOf(entry),
      uses: step.uses,
      kind,
      effect,
      from: step.from ?? kind.runs,
      timeout:
        this.#options.timeout ?? (step.timeout === undefined ? (kind.timeout ?? 30) : parseDuration(step.timeout)),
      onFailure: step['on-failure'] ?? (effect === 'change' && !around.judged ? 'stop' : 'continue'),
      sudo: step.sudo ?? around.sudo,
      hosts: step.hosts === undefined ? around.hosts : [...around.hosts, step.hosts],
      sensitive: step.sensitive ?? false,
      ...(step.severity && { severity: step.severity }),
      controls: step.controls ?? [],
      tags: [...around.tags, ...(step.tags ?? [])],
      ...(step.retry && {
        retry: { attempts: step.retry.attempts ?? 3, every: parseDuration(step.retry.every ?? '5s') },
      }),
      loops: each !== undefined,
      perHost: ['host', 'vars'].some((name) => uses.names.has(name) || untilUses.names.has(name)),
      needs: new Set([...uses.steps, ...untilUses.steps]),
      dependsOn,
      expectsFailure: step.expect === 'fail',
      readsSteps: uses.names.has('steps'),
      constant: template === undefined,
      resolve,
    };
    this.steps.push(planned);
    return [planned];
  }

  #effect(entry: StepEntry): 'read' | 'change' {
    const { effect } = entry.stepKind;
    if (typeof effect === 'string') return effect;
    const decided = effect(entry.step.with);
    if (decided === 'read' || decided === 'change') return decided;
    this.problems.push({
      code: 'E_EFFECT_DYNAMIC',
      what: 'whether a step changes something is fixed before any host is contacted',
      hint: 'write `effect: read` or `effect: change`',
      place: entry.document.place([...entry.path, 'with', 'effect']),
    });
    return 'change';
  }

  /** The loader refuses what it can; here are the kinds whose effect is a parameter beside expressions. */
  #refuseRetry({ step, document, path }: StepEntry, effect: 'read' | 'change'): void {
    if (!step.retry || effect === 'read') return;
    this.problems.push({
      code: 'E_RETRY_CHANGE',
      what: 'a changing step runs at most once, so it takes no `retry`',
      hint: 'remove it (`opsctl resume` goes on after an interruption)',
      place: document.place([...path, 'retry'], 'key'),
    });
  }

  #refuseExpect({ step, document, path }: StepEntry, effect: 'read' | 'change'): void {
    if (step.expect !== 'fail' || effect === 'read') return;
    this.problems.push({
      code: 'E_EXPECT_CHANGE',
      what: 'a change that is expected to fail cannot be told from one that did',
      hint: 'remove `expect`, and check the effect with a reading step',
      place: document.place([...path, 'expect'], 'key'),
    });
  }

  async #params(entry: StepEntry, template: Template | undefined, scope: RunbookScope, context: EvaluationContext) {
    if (!template) return { ...(entry.step.with as object | undefined), ...entry.documents };
    const params = structuredClone(template.render(this.#expressions.context(context, scope))) as Record<
      string,
      unknown
    >;
    const place = (path: readonly (string | number)[], part?: 'key' | 'value') =>
      entry.document.place([...entry.path, 'with', ...path], part);
    const problems = await validateParams(entry.stepKind, params, { place });
    if (problems.length > 0) throw new UserError(problems);
    return { ...params, ...entry.documents };
  }

  #trends(
    entry: StepEntry,
    scope: RunbookScope,
    names: readonly ScopeName[],
  ): { readonly resolve: Resolve<readonly Trend[]>; readonly uses: Uses } | undefined {
    const { trends } = entry.step;
    if (!trends) return undefined;
    const template = this.#expressions.template(trends, entry, ['trends'], scope, names);
    if (!template) return { resolve: () => trends, uses: noUses };
    const resolve = (context: EvaluationContext) => {
      const rendered = template.render(this.#expressions.context(context, scope)) as readonly Trend[];
      const problems = rendered.flatMap((trend, index) =>
        trendProblems(trend).map(({ path, what, hint }) => ({
          code: 'E_VALUE' as const,
          what,
          hint,
          place: placeAt(entry, ['trends', index, ...path]),
        })),
      );
      if (problems.length > 0) throw new UserError(problems);
      return rendered;
    };
    return { resolve, uses: this.#expressions.usesIn(scope, template.uses) };
  }
}
