import { parseDuration } from '../documents/duration.js';
import { validateParams } from '../documents/params.js';
import type { GroupEntry, LoadedRunbook, RunbookEntry, StepEntry } from '../documents/runbook.js';
import { type Trend, trendProblems } from '../documents/trend.js';
import { type Place, UserError } from '../errors.js';
import type {
  Expression,
  ExpressionContext,
  ParamType,
  Scope,
  ScopeName,
  Template,
  Uses,
} from '../expressions/index.js';
import { hasTemplate } from '../expressions/scan.js';
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

type Engine = typeof import('../expressions/index.js');
type Resolve<T> = (context: EvaluationContext) => T;

/** One runbook file in use: its ids, its parameters, its variables. */
interface RunbookScope {
  readonly prefix: string;
  readonly ids: ReadonlySet<string>;
  readonly seen: Set<string>;
  readonly paramTypes: ReadonlyMap<string, ParamType>;
  readonly params: Resolve<Readonly<Record<string, unknown>>>;
  /** What the parameters themselves depend on. */
  readonly paramUses: Uses;
  readonly vars: Readonly<Record<string, unknown>>;
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

interface Condition {
  readonly holds: Resolve<boolean>;
  readonly uses: Uses;
}

const noUses: Uses = { names: new Set(), steps: new Set(), vars: new Set() };

class Compiler {
  readonly problems: UserError['problems'][number][] = [];
  readonly steps: PlannedStep[] = [];
  readonly #engine: Engine | undefined;
  readonly #options: CompileOptions;

  constructor(engine: Engine | undefined, options: CompileOptions) {
    this.#engine = engine;
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
    const condition = this.#condition(group.when, entry, ['when'], around.scope, baseNames);
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
    const template = this.#template(include.params, entry, ['with', 'params'], outer, baseNames);
    const uses = template ? this.#usesIn(outer, template.uses) : noUses;
    const params: RunbookScope['params'] = (context) => ({
      ...defaults,
      ...((template ? template.render(this.#context(context, outer)) : include.params) as object),
    });
    return this.scopeOf(include.runbook, `${entry.key}/`, params, uses);
  }

  #step(entry: StepEntry, around: Surroundings): readonly CompiledEntry[] {
    const { step, stepKind: kind } = entry;
    const { scope } = around;
    const names = step.each === undefined ? baseNames : itemNames;
    const when = this.#condition(step.when, entry, ['when'], scope, names);
    const each = this.#each(entry, scope);
    const template = this.#template(step.with ?? {}, entry, ['with'], scope, names);
    const trends = this.#trends(entry, scope, names);
    const until = this.#condition(step.retry?.until, entry, ['retry', 'until'], scope, [...names, 'result']);
    // The condition of a loop is about its items; those of the groups around it are about the whole.
    const conditions = when ? [...around.conditions, when] : around.conditions;
    const uses = mergeUses([
      ...conditions.map((condition) => condition.uses),
      each?.uses ?? noUses,
      this.#usesIn(scope, template?.uses ?? noUses),
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
    const params = structuredClone(template.render(this.#context(context, scope))) as Record<string, unknown>;
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
    const template = this.#template(trends, entry, ['trends'], scope, names);
    if (!template) return { resolve: () => trends, uses: noUses };
    const resolve = (context: EvaluationContext) => {
      const rendered = template.render(this.#context(context, scope)) as readonly Trend[];
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
    return { resolve, uses: this.#usesIn(scope, template.uses) };
  }

  #each(
    entry: StepEntry,
    scope: RunbookScope,
  ): { readonly items: Resolve<readonly unknown[]>; readonly uses: Uses } | undefined {
    const { each } = entry.step;
    if (each === undefined) return undefined;
    const listed = Array.isArray(each);
    const template = listed ? this.#template(each, entry, ['each'], scope, baseNames) : undefined;
    const expression = listed ? undefined : this.#expression(each as string, entry, ['each'], scope, baseNames, 'list');
    const uses = this.#usesIn(scope, template?.uses ?? expression?.uses ?? noUses);
    return {
      uses,
      items: (context) => {
        const value = expression
          ? expression.evaluate(this.#context(context, scope))
          : template
            ? template.render(this.#context(context, scope))
            : each;
        if (!Array.isArray(value)) throw new Error(`\`each\` gives no list in \`${expression?.source.trim() ?? ''}\``);
        return value;
      },
    };
  }

  #condition(
    source: string | boolean | undefined,
    entry: RunbookEntry,
    path: readonly string[],
    scope: RunbookScope,
    names: readonly ScopeName[],
  ): Condition | undefined {
    if (source === undefined) return undefined;
    if (typeof source === 'boolean') return { holds: () => source, uses: noUses };
    const expression = this.#expression(source, entry, path, scope, names, 'boolean');
    if (!expression) return undefined;
    const engine = this.#engine;
    return {
      holds: (context) => engine?.evaluateCondition(expression, this.#context(context, scope)) ?? false,
      uses: this.#usesIn(scope, expression.uses),
    };
  }

  /** `${{ x }}` says the same as `x` where an expression is expected. */
  #expression(
    text: string,
    entry: RunbookEntry,
    path: readonly string[],
    scope: RunbookScope,
    names: readonly ScopeName[],
    expected: 'boolean' | 'list',
  ): Expression | undefined {
    const source = /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(text)?.[1] ?? text;
    const offset = source === text ? 0 : text.indexOf('{{') + 2;
    return this.#collect(() => {
      const locate = this.#engine?.locateInScalar(placeAt(entry, path), text);
      if (!locate) return undefined;
      const located: typeof locate = (start, end) => locate(offset + start, offset + end);
      return this.#engine?.compileAt(source, this.#checkScope(scope, names), located, expected);
    });
  }

  /** Undefined when nothing in the value is an expression. */
  #template(
    value: unknown,
    entry: RunbookEntry,
    path: readonly string[],
    scope: RunbookScope,
    names: readonly ScopeName[],
  ): Template | undefined {
    if (!hasTemplate(value)) return undefined;
    return this.#collect(() =>
      this.#engine?.compileTemplate(value, this.#checkScope(scope, names), (part) =>
        placeAt(entry, [...path, ...part]),
      ),
    );
  }

  #collect<T>(compile: () => T): T | undefined {
    try {
      return compile();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.problems.push(...error.problems);
      return undefined;
    }
  }

  #checkScope(scope: RunbookScope, names: readonly ScopeName[]): Scope {
    return {
      names: new Set(names),
      vars: new Set([...this.#options.vars, ...Object.keys(scope.vars)]),
      params: scope.paramTypes,
      stepIds: scope.seen,
      allStepIds: scope.ids,
    };
  }

  #context(context: EvaluationContext, scope: RunbookScope): ExpressionContext {
    const { host } = context;
    return {
      host: { name: host.name, groups: host.groups, address: host.connect.address ?? host.name },
      vars: { ...scope.vars, ...context.vars },
      // Only worked out when an expression asks for it.
      get params() {
        return scope.params(context);
      },
      run: context.run,
      steps: context.steps.get(scope.prefix) ?? {},
      item: context.item,
      result: context.result,
    };
  }

  /**
   * What an expression of a runbook depends on: steps by their keys, since an included runbook has ids of its own;
   * and where it reads `params`, all that the parameters depend on.
   */
  #usesIn(scope: RunbookScope, uses: Uses): Uses {
    const own = { ...uses, steps: new Set(Array.from(uses.steps, (id) => `${scope.prefix}${id}`)) };
    return uses.names.has('params') ? mergeUses([own, scope.paramUses]) : own;
  }
}

const baseNames: readonly ScopeName[] = ['host', 'vars', 'params', 'steps', 'run'];
const itemNames: readonly ScopeName[] = [...baseNames, 'item'];

function placeAt(entry: RunbookEntry, path: readonly (string | number)[]): Place {
  return entry.document.place([...entry.path, ...path]);
}

function mergeUses(list: readonly Uses[]): Uses {
  const [only] = list;
  if (only && list.length === 1) return only;
  return {
    names: new Set(list.flatMap((uses) => [...uses.names])),
    steps: new Set(list.flatMap((uses) => [...uses.steps])),
    vars: new Set(list.flatMap((uses) => [...uses.vars])),
  };
}

function idsOf(entries: readonly RunbookEntry[]): string[] {
  return entries.flatMap((entry) => {
    if (entry.kind === 'step') return entry.step.id ? [entry.step.id] : [];
    if (entry.include) return [];
    return [
      ...(entry.group.id ? [entry.group.id] : []),
      ...idsOf(entry.steps),
      ...idsOf(entry.rescue),
      ...idsOf(entry.always),
    ];
  });
}

/** How many results a group counts, or undefined where a loop decides. */
function countOf(entries: readonly RunbookEntry[]): number | undefined {
  let count = 0;
  for (const entry of entries) {
    if (entry.kind === 'step' && entry.step.each !== undefined) return undefined;
    const more = entry.kind === 'step' || entry.group.require !== undefined ? 1 : countOf(entry.steps);
    if (more === undefined) return undefined;
    count += more;
  }
  return count;
}

/** Whether a step in it stands for a change; one whose effect is not known yet counts as one. */
function changesIn(entries: readonly RunbookEntry[]): boolean {
  return entries.some((entry) => {
    if (entry.kind === 'group') return changesIn(entry.steps);
    const { effect } = entry.stepKind;
    return (typeof effect === 'string' ? effect : effect(entry.step.with)) !== 'read';
  });
}

/** A step without a name is called by its kind and what it looks at. */
function nameOf({ step }: StepEntry): string {
  const given = Object.entries((step.with ?? {}) as Record<string, unknown>);
  const subject = given.find(
    ([key, value]) =>
      ['path', 'name', 'service', 'port', 'url', 'address', 'command', 'file'].includes(key) &&
      typeof value !== 'object' &&
      !hasTemplate(value),
  );
  return subject ? `${step.uses} ${String(subject[1]).split('\n')[0]?.slice(0, 60)}` : step.uses;
}

/** Whether anything in a runbook is an expression, so that the engine has to be loaded. */
function needsEngine(entries: readonly RunbookEntry[]): boolean {
  return entries.some((entry) => {
    if (entry.kind === 'step') {
      const { when, each, retry, trends, with: params } = entry.step;
      return (
        typeof when === 'string' ||
        typeof each === 'string' ||
        typeof retry?.until === 'string' ||
        hasTemplate(params) ||
        hasTemplate(trends) ||
        hasTemplate(each)
      );
    }
    const inner = [...entry.steps, ...entry.rescue, ...entry.always];
    return typeof entry.group.when === 'string' || hasTemplate(entry.include?.params) || needsEngine(inner);
  });
}
