import { type ExitCode, exitCode, type Place, type Problem, UserError } from '../errors.js';
import {
  createEnvironment,
  type EngineEnvironment,
  type EngineType,
  functionNames,
  limits,
  methodNames,
  type Parsed,
  parse,
  publicName,
  run,
} from './engine.js';
import { type Inspection, inspect, type Reference } from './inspect.js';
import { compileRegex, RegexError } from './regex.js';
import { type Locate, locateInScalar } from './spot.js';
import { didYouMean } from './suggest.js';
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
  const parsed = guardSyntax(source, locate, () => parse(environmentOf(scope), source));
  const inspection = inspect(parsed.ast);
  const problems = [...findProblems(inspection, scope, locate)];
  if (problems.length > 0) throw new UserError(problems);
  checkTypes(source, scope, inspection, parsed, locate, expected);
  const uses = usesOf(inspection, scope);
  return { source, uses, evaluate: (context) => evaluate(source, parsed, uses, context) };
}

/** Evaluates a condition. Anything but true or false is an EvaluationError: an empty list is not "false". */
export function evaluateCondition(expression: Expression, context: ExpressionContext): boolean {
  const value = expression.evaluate(context);
  if (typeof value === 'boolean') return value;
  throw new EvaluationError(`the condition gives ${describe(value)}, not true or false`, expression.source);
}

/** `a text`, `a list` … for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'a map';
}

function evaluate(source: string, parsed: Parsed, uses: Uses, context: ExpressionContext): unknown {
  try {
    const convert = createConverter();
    const values = new Map<string, unknown>();
    for (const name of uses.names) values.set(name, convert(context[name as ScopeName] ?? absent(name)));
    return fromEngine(run(parsed, values));
  } catch (error) {
    if (error instanceof EvaluationError) throw error;
    throw new EvaluationError(`${messageOf(error)} in \`${source.trim()}\``, source, { cause: error });
  }
}

function absent(name: string): unknown {
  return name === 'item' ? null : {};
}

// --- static checks ---------------------------------------------------------------------------------------

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

function* findProblems({ references, unknownCalls, patterns }: Inspection, scope: Scope, locate: Locate) {
  for (const reference of references) yield* referenceProblem(reference, scope, locate);
  for (const { name, isMethod, start, end } of unknownCalls) {
    const what = `unknown ${isMethod ? 'method' : 'function'} \`${name}\``;
    const hint = callHint(name, isMethod);
    yield problem('E_EXPR_NAME', what, hint, locate(start, end));
  }
  for (const { pattern, start, end } of patterns) yield* patternProblem(pattern, start, end, locate);
}

function callHint(name: string, isMethod: boolean): string {
  const [here, there] = isMethod ? [methodNames, functionNames] : [functionNames, methodNames];
  if (there.has(name)) return isMethod ? `write \`${name}(x)\`` : `write \`x.${name}(…)\``;
  return didYouMean(name, here) ?? `${isMethod ? 'methods' : 'functions'} are ${[...here].join(', ')}`;
}

function* referenceProblem(reference: Reference, scope: Scope, locate: Locate): Generator<Problem> {
  const { name, entry, mayBeMissing } = reference;
  const place = locate(reference.start, reference.end);
  if (!scope.names.has(name as ScopeName)) {
    yield problem('E_EXPR_NAME', ...unknownName(name, scope), place);
  } else if (name === 'steps' && entry !== undefined && !scope.stepIds.has(entry)) {
    if (scope.allStepIds.has(entry)) {
      yield problem('E_STEP_LATER', `step \`${entry}\` comes later`, 'only earlier steps have a result here', place);
    } else {
      const hint = didYouMean(entry, scope.stepIds) ?? 'only a step with an `id` can be named';
      yield problem('E_STEP_ID', `no earlier step has the id \`${entry}\``, hint, place);
    }
  } else if (name === 'vars' && entry !== undefined && scope.vars && !scope.vars.has(entry) && !mayBeMissing) {
    const hint = didYouMean(entry, scope.vars) ?? `set it in the inventory, or write \`default(vars.${entry}, …)\``;
    yield problem('E_VAR_UNDEFINED', `no host has the variable \`${entry}\``, hint, place);
  } else if (name === 'params' && entry !== undefined && scope.params && !scope.params.has(entry)) {
    const known = scope.params.size > 0 ? `params are ${[...scope.params.keys()].join(', ')}` : undefined;
    const hint = didYouMean(entry, scope.params.keys()) ?? known ?? 'declare it under `params` of the runbook';
    yield problem('E_PARAM_UNKNOWN', `the runbook has no parameter \`${entry}\``, hint, place);
  }
}

const elsewhere: Readonly<Record<string, string>> = {
  item: '`item` exists in a step with `each`',
  result: '`result` exists in `retry.until`',
};
const operatorWords: Readonly<Record<string, string>> = { and: '&&', or: '||', not: '!' };

function unknownName(name: string, scope: Scope): [string, string] {
  if (elsewhere[name]) return [`\`${name}\` is not known here`, elsewhere[name]];
  if (operatorWords[name]) return [`unknown name \`${name}\``, `write \`${operatorWords[name]}\``];
  const hint = didYouMean(name, scope.names) ?? `names are ${[...scope.names].join(', ')}; text goes in quotes`;
  return [`unknown name \`${name}\``, hint];
}

function* patternProblem(pattern: string, start: number, end: number, locate: Locate): Generator<Problem> {
  try {
    compileRegex(pattern);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    // Escapes in the literal move the characters; then the caret stays at the literal.
    const isPlain = end - start === pattern.length + 2;
    const from = isPlain ? start + 1 + error.index : start;
    const place = isPlain ? locate(from, from + error.length) : locate(start, end);
    yield problem('E_REGEX', error.message, 'patterns are RE2 syntax', place);
  }
}

function problem(code: Problem['code'], what: string, hint: string, place: Place): Problem {
  return { code, what, hint, place };
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

// --- messages of the engine in our words -----------------------------------------------------------------

interface EngineTrouble {
  readonly name?: string;
  readonly code?: string;
  readonly summary?: string;
  readonly range?: { readonly start: number; readonly end: number };
}

function guardSyntax<T>(source: string, locate: Locate, action: () => T): T {
  const whole = () => locate(0, source.length);
  if (source.trim() === '') throw syntaxError('the expression is empty', undefined, whole());
  if (source.length > limits.sourceLength) {
    throw syntaxError(`the expression is longer than ${limits.sourceLength} characters`, undefined, whole());
  }
  if (source.trimStart().startsWith('${{')) {
    throw syntaxError('this is an expression already', 'write it without `${{ }}`', whole());
  }
  try {
    return action();
  } catch (error) {
    // The parser recurses: thousands of `!` or `-` in a row exhaust the stack.
    if (error instanceof RangeError) throw syntaxError('the expression is nested too deeply', undefined, whole());
    const { summary, code, range } = error as EngineTrouble;
    if (summary === undefined) throw error;
    if (code === 'invalid_macro_argument') {
      throw syntaxError(lower(summary), undefined, locate(range?.start ?? 0, range?.end ?? source.length));
    }
    const start = Math.min(range?.start ?? 0, source.length);
    const place = locate(start, Math.max(start + 1, range?.end ?? 0));
    throw syntaxError(syntaxInWords(summary, code, source, start), syntaxHint(source, start), place);
  }
}

function syntaxError(what: string, hint: string | undefined, place: Place): UserError {
  return new UserError({ code: 'E_EXPR_SYNTAX', what, ...(hint === undefined ? {} : { hint }), place }, usage);
}
const usage: ExitCode = exitCode.usage;

function syntaxInWords(summary: string, code: string | undefined, source: string, start: number): string {
  if (start >= source.trimEnd().length) return 'the expression ends too early';
  if (code === 'unexpected_character' || code === 'unexpected_token' || code === 'expected_token') {
    const token = /^(\w+|[^\w\s])/.exec(source.slice(start))?.[0] ?? source[start];
    return `\`${token}\` is not expected here`;
  }
  return lower(summary)
    .replace('Exceeded', 'more than')
    .replace(/\bmax(\w+) \((\d+)\)/, '$2 $1');
}

function syntaxHint(source: string, start: number): string | undefined {
  const rest = source.slice(start);
  const word = /^\w+/.exec(rest)?.[0];
  if (word && operatorWords[word]) return `write \`${operatorWords[word]}\``;
  if (/^=(?!=)/.test(rest) && source[start - 1] !== '=') return 'write `==` to compare';
  if (/^[&|]/.test(rest)) return `write \`${rest[0]?.repeat(2)}\``;
  if (/^\|/.test(rest)) return 'there are no filters; call a function';
  return undefined;
}

function typeProblem(error: unknown, source: string, locate: Locate): UserError {
  const { range, code } = error as EngineTrouble;
  const place = locate(range?.start ?? 0, range?.end ?? source.length);
  if (error instanceof RangeError) return syntaxError('the expression is nested too deeply', undefined, place);
  const hint = code === 'no_such_overload' ? overloadHint(error as EngineTrouble) : undefined;
  return new UserError({ code: 'E_EXPR_TYPE', what: messageOf(error), ...(hint ? { hint } : {}), place });
}

function overloadHint({ summary = '' }: EngineTrouble): string | undefined {
  return /\+ string$|: string \+/.test(summary) ? 'turn it into text with `string(…)`' : undefined;
}

function messageOf(error: unknown): string {
  const { summary, code } = error as EngineTrouble;
  if (summary === undefined) return plainMessage(error);
  const overload = /^no such overload: (.+) (\S+) (\S+)$/.exec(summary);
  if (code === 'no_such_overload' && overload) {
    const [, left, operator, right] = overload;
    return `\`${operator}\` does not work on ${typeInWords(left ?? '')} and ${typeInWords(right ?? '')}`;
  }
  const unary = /^no such overload: ([!-])(.+)$/.exec(summary);
  if (unary) return `\`${unary[1]}\` does not work on ${typeInWords(unary[2] ?? '')}`;
  const call = /^found no matching overload for '(.+)'$/.exec(summary);
  if (call) return `no function fits \`${publicName(call[1] ?? '')}\``;
  const wrong = /^(.+), got '(.+)'$/.exec(summary);
  if (wrong && code === 'invalid_logical_operand')
    return `\`&&\` and \`||\` do not work on ${typeInWords(wrong[2] ?? '')}`;
  if (wrong && code === 'invalid_condition_type') return `${typeInWords(wrong[2] ?? '')} cannot be a condition`;
  const scalar = /^Cannot index type '(.+)'$/.exec(summary);
  if (scalar) return `${typeInWords(scalar[1] ?? '')} has no entries`;
  const key = /^No such key: (.*)$/s.exec(summary);
  if (key && code === 'no_such_key') return `no such key \`${key[1]}\``;
  return lower(publicName(summary).replace('No such key: ', ''));
}

function plainMessage(error: unknown): string {
  if (error instanceof RangeError && error.message.includes('call stack')) return 'the values are nested too deeply';
  if (error instanceof TypeError && /^an? \w+$/.test(error.message)) {
    return `${error.message} cannot be used in an expression`;
  }
  return lower(error instanceof Error ? error.message : String(error));
}

function typeInWords(type: string): string {
  const name = type.replace(/^dyn<(.*)>$/, '$1');
  if (name.startsWith('list')) return 'a list';
  if (name.startsWith('map') || name.startsWith('$')) return 'a map';
  const words: Readonly<Record<string, string>> = {
    string: 'a text',
    double: 'a number',
    int: 'a number',
    bool: 'true or false',
    null: 'null',
    dyn: 'any value',
  };
  return words[name] ?? `a ${name}`;
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
