import { type Place, UserError } from '../errors.js';
import { createEnvironment, type EngineEnvironment, type EngineType, type Parsed, parse, run } from './engine.js';
import { type Inspection, inspect } from './inspect.js';
import { guardSyntax, messageOf, typeInWords, typeProblem } from './messages.js';
import { plainParameter } from './parameter.js';
import { findProblems } from './references.js';
import { type Locate, locateInScalar } from './spot.js';
import { createConverter, EvaluationError, fromEngine } from './values.js';

export { EvaluationError };

export type ScopeName = 'host' | 'vars' | 'params' | 'steps' | 'run' | 'item' | 'result';
export type ParamType = 'string' | 'integer' | 'number' | 'boolean' | 'array';

/** What an expression at one place of a runbook may refer to. */
export interface Scope {
  readonly names: ReadonlySet<ScopeName>;
  /** The variables that exist on at least one host, where that is known. */
  readonly vars?: ReadonlySet<string>;
  readonly params?: ReadonlyMap<string, ParamType>;
  /** Ids of earlier steps. */
  readonly stepIds: ReadonlySet<string>;
  /** All ids in the runbook, to tell "comes later" from "does not exist". */
  readonly allStepIds: ReadonlySet<string>;
}

/** What an expression refers to. */
export interface Uses {
  readonly names: ReadonlySet<string>;
  /** Ids of steps; all earlier ones where the id is computed. */
  readonly steps: ReadonlySet<string>;
  /** Names of variables; `'*'` where the name is computed. */
  readonly vars: ReadonlySet<string>;
}

/** The values behind the names. Plain JSON; nothing in it is ever read as an expression. */
export type ExpressionContext = Readonly<Partial<Record<ScopeName, unknown>>>;

export interface Expression {
  readonly source: string;
  readonly uses: Uses;
  /** Where it stands. */
  place(): Place;
  /** Gives a JSON value. Throws EvaluationError. */
  evaluate(context: ExpressionContext): unknown;
}

export type ExpectedType = 'boolean' | 'list' | 'any';

/**
 * Compiles an expression and checks all that can be known without values. Throws UserError; its place
 * points at the character where the YAML scalar lies on one line, else at the scalar.
 *
 * @example
 * const condition = compileExpression('steps.plan.data.upgrades.size() > 0', scope, place, 'boolean');
 * if (evaluateCondition(condition, { steps })) …
 */
export function compileExpression(
  source: string,
  scope: Scope,
  place: Place,
  expected: ExpectedType = 'any',
): Expression {
  return compileAt(source, scope, locateInScalar(place, source), expected);
}

/** The same for a stretch of a scalar: `locate` takes offsets in `source`. */
export function compileAt(source: string, scope: Scope, locate: Locate, expected: ExpectedType): Expression {
  const compile = () => compileWithEngine(source, scope, locate, expected);
  return (expected === 'any' ? plainParameter(source, scope, compile) : undefined) ?? compile();
}

function compileWithEngine(source: string, scope: Scope, locate: Locate, expected: ExpectedType): Expression {
  const parsed = guardSyntax(source, locate, () => parse(environmentOf(scope), source));
  const inspection = inspect(parsed.ast);
  const problems = [...findProblems(inspection, scope, locate)];
  if (problems.length > 0) throw new UserError(problems);
  checkTypes(source, scope, inspection, parsed, locate, expected);
  const uses = usesOf(inspection, scope);
  const place = () => locate(source.length - source.trimStart().length, source.trimEnd().length);
  const expression: Expression = { source, uses, place, evaluate: (context) => evaluate(expression, parsed, context) };
  return expression;
}

/** Evaluates a condition. Anything but true or false is an EvaluationError: an empty list is not "false". */
export function evaluateCondition(expression: Expression, context: ExpressionContext): boolean {
  const value = expression.evaluate(context);
  if (typeof value === 'boolean') return value;
  throw new EvaluationError(`the condition gives ${describe(value)}, not true or false`, expression.source, {
    place: expression.place(),
  });
}

/** `a text`, `a list` … for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'a map';
}

function evaluate({ source, uses, place }: Expression, parsed: Parsed, context: ExpressionContext): unknown {
  try {
    const convert = createConverter();
    const values = new Map<string, unknown>();
    for (const name of uses.names) values.set(name, convert(context[name as ScopeName] ?? absent(name)));
    return fromEngine(run(parsed, values));
  } catch (error) {
    if (error instanceof EvaluationError) throw error;
    throw new EvaluationError(`${messageOf(error)} in \`${source.trim()}\``, source, { cause: error, place: place() });
  }
}

function absent(name: string): unknown {
  return name === 'item' ? null : {};
}

function usesOf({ references }: Inspection, scope: Scope): Uses {
  const entries = (name: string) => references.filter((reference) => reference.name === name).map(({ entry }) => entry);
  const steps = entries('steps');
  return {
    names: new Set(references.map(({ name }) => name)),
    steps: steps.includes(undefined) ? new Set(scope.stepIds) : new Set(steps as string[]),
    vars: new Set(entries('vars').map((entry) => entry ?? '*')),
  };
}

const engineTypes: Readonly<Record<ParamType, EngineType>> = {
  string: 'string',
  integer: 'double',
  number: 'double',
  boolean: 'bool',
  array: 'list',
};

const untyped: ReadonlyMap<string, ParamType> = new Map();
const environments = new WeakMap<ReadonlyMap<string, ParamType>, Map<string, EngineEnvironment>>();

/** The environment of a scope. With `params` it knows their types; it then serves for checks only. */
function environmentOf(scope: Scope, params: ReadonlyMap<string, ParamType> = untyped): EngineEnvironment {
  const sameParams = environments.get(params) ?? new Map<string, EngineEnvironment>();
  environments.set(params, sameParams);
  const key = [...scope.names].sort().join();
  const known = sameParams.get(key);
  if (known) return known;
  const fields = Object.fromEntries(Array.from(params, ([name, type]) => [name, engineTypes[type]]));
  const environment = createEnvironment(
    [...scope.names].map((name) => {
      if (name === 'params' && params !== untyped) return [name, { fields }] as const;
      return [name, name === 'item' ? 'dyn' : 'map'] as const;
    }),
  );
  sameParams.set(key, environment);
  return environment;
}

/** Checks types, those of the params included. The tree of the second check is thrown away: a check marks it. */
function checkTypes(
  source: string,
  scope: Scope,
  { references }: Inspection,
  parsed: Parsed,
  locate: Locate,
  expected: ExpectedType,
): void {
  const result = parsed.check();
  if (!result.valid) throw typeProblem(result.error, source, locate);
  const paramReferences = references.filter(({ name }) => name === 'params');
  let { type } = result;
  if (scope.params && paramReferences.length > 0 && paramReferences.every(({ entry }) => entry !== undefined)) {
    const typed = parse(environmentOf(scope, scope.params), source).check();
    if (!typed.valid) throw typeProblem(typed.error, source, locate);
    type = typed.type;
  }
  checkExpected(source, type, locate, expected);
}

function checkExpected(source: string, type: string | undefined, locate: Locate, expected: ExpectedType): void {
  if (expected === 'any' || type === undefined || type === 'dyn') return;
  const fits = expected === 'boolean' ? type === 'bool' : type.startsWith('list');
  if (fits) return;
  const wanted = expected === 'boolean' ? 'true or false' : 'a list';
  throw new UserError({
    code: 'E_EXPR_TYPE',
    what: `the expression gives ${typeInWords(type)}, not ${wanted}`,
    ...(expected === 'boolean' ? { hint: 'compare it with something, such as `… > 0` or `… == "yes"`' } : {}),
    place: locate(0, source.length),
  });
}
