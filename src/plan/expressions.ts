import type { RunbookEntry, StepEntry } from '../documents/runbook.js';
import { UserError } from '../errors.js';
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
import { placeAt } from './entries.js';
import type { EvaluationContext } from './plan.js';

export type Engine = typeof import('../expressions/index.js');
export type Resolve<T> = (context: EvaluationContext) => T;

/** One runbook file in use: its ids, its parameters, its variables. */
export interface RunbookScope {
  readonly prefix: string;
  readonly ids: ReadonlySet<string>;
  readonly seen: Set<string>;
  readonly paramTypes: ReadonlyMap<string, ParamType>;
  readonly params: Resolve<Readonly<Record<string, unknown>>>;
  /** What the parameters themselves depend on. */
  readonly paramUses: Uses;
  readonly vars: Readonly<Record<string, unknown>>;
}

export interface Condition {
  readonly holds: Resolve<boolean>;
  readonly uses: Uses;
}

export const noUses: Uses = { names: new Set(), steps: new Set(), vars: new Set() };

export const baseNames: readonly ScopeName[] = ['host', 'vars', 'params', 'steps', 'run'];
export const itemNames: readonly ScopeName[] = [...baseNames, 'item'];

/** Compiles the expressions of runbooks, each in the scope of its own. What is wrong with them gathers in `problems`. */
export class ExpressionCompiler {
  readonly problems: UserError['problems'][number][] = [];
  readonly #engine: Engine | undefined;
  readonly #vars: ReadonlySet<string>;

  /** Without an engine nothing in the runbook is an expression. `vars`: those that at least one host has. */
  constructor(engine: Engine | undefined, vars: ReadonlySet<string>) {
    this.#engine = engine;
    this.#vars = vars;
  }

  each(
    entry: StepEntry,
    scope: RunbookScope,
  ): { readonly items: Resolve<readonly unknown[]>; readonly uses: Uses } | undefined {
    const { each } = entry.step;
    if (each === undefined) return undefined;
    const listed = Array.isArray(each);
    const template = listed ? this.template(each, entry, ['each'], scope, baseNames) : undefined;
    const expression = listed ? undefined : this.#expression(each as string, entry, ['each'], scope, baseNames, 'list');
    const uses = this.usesIn(scope, template?.uses ?? expression?.uses ?? noUses);
    return {
      uses,
      items: (context) => {
        const value = expression
          ? expression.evaluate(this.context(context, scope))
          : template
            ? template.render(this.context(context, scope))
            : each;
        if (Array.isArray(value)) return value;
        const error = new Error(`\`each\` gives no list in \`${expression?.source.trim() ?? ''}\``);
        throw Object.assign(error, { place: expression?.place() ?? placeAt(entry, ['each']) });
      },
    };
  }

  condition(
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
      holds: (context) => engine?.evaluateCondition(expression, this.context(context, scope)) ?? false,
      uses: this.usesIn(scope, expression.uses),
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
  template(
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
      vars: new Set([...this.#vars, ...Object.keys(scope.vars)]),
      params: scope.paramTypes,
      stepIds: scope.seen,
      allStepIds: scope.ids,
    };
  }

  context(context: EvaluationContext, scope: RunbookScope): ExpressionContext {
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
  usesIn(scope: RunbookScope, uses: Uses): Uses {
    const own = { ...uses, steps: new Set(Array.from(uses.steps, (id) => `${scope.prefix}${id}`)) };
    return uses.names.has('params') ? mergeUses([own, scope.paramUses]) : own;
  }
}

export function mergeUses(list: readonly Uses[]): Uses {
  const [only] = list;
  if (only && list.length === 1) return only;
  return {
    names: new Set(list.flatMap((uses) => [...uses.names])),
    steps: new Set(list.flatMap((uses) => [...uses.steps])),
    vars: new Set(list.flatMap((uses) => [...uses.vars])),
  };
}
