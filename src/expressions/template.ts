import { type Place, UserError } from '../errors.js';
import { compileAt, describe, type Expression, type ExpressionContext, type Scope, type Uses } from './expression.js';
import { hasTemplate, splitTemplate } from './scan.js';
import { locateInScalar } from './spot.js';
import { EvaluationError } from './values.js';

export type ValuePath = readonly (string | number)[];

/** A JSON value with expressions in its strings. */
export interface Template {
  /** No expression in it: `render` gives the same value each time. */
  readonly constant: boolean;
  readonly uses: Uses;
  /** Gives the value with every expression replaced. What an expression gives is never read again. */
  render(context: ExpressionContext): unknown;
}

type Render = (context: ExpressionContext) => unknown;
interface Compilation {
  readonly scope: Scope;
  readonly placeOf: (path: ValuePath) => Place;
  readonly expressions: Expression[];
  readonly problems: UserError['problems'][number][];
}

/**
 * Compiles a JSON value whose strings may hold `${{ expression }}`. A string that is one expression and
 * nothing else keeps the type of its value. Throws a UserError with every problem found.
 */
export function compileTemplate(value: unknown, scope: Scope, placeOf: (path: ValuePath) => Place): Template {
  const compilation: Compilation = { scope, placeOf, expressions: [], problems: [] };
  const render = hasTemplate(value) ? compileValue(value, [], compilation) : () => value;
  if (compilation.problems.length > 0) throw new UserError(compilation.problems);
  return { constant: compilation.expressions.length === 0, uses: unite(compilation.expressions), render };
}

function compileValue(value: unknown, path: ValuePath, compilation: Compilation): Render {
  if (!hasTemplate(value)) return () => value;
  if (typeof value === 'string') return compileText(value, path, compilation);
  if (Array.isArray(value)) {
    const items = value.map((item, index) => compileValue(item, [...path, index], compilation));
    return (context) => items.map((render) => render(context));
  }
  const entries = Object.entries(value as object).map(([key, item]) => {
    if (key.includes('${{')) report('a key cannot be an expression', [...path, key], compilation);
    return [key, compileValue(item, [...path, key], compilation)] as const;
  });
  return (context) => Object.fromEntries(entries.map(([key, render]) => [key, render(context)]));
}

function compileText(text: string, path: ValuePath, compilation: Compilation): Render {
  const parts = splitTemplate(text);
  if ('unclosedAt' in parts) {
    const place = locateInScalar(compilation.placeOf(path), text)(parts.unclosedAt, parts.unclosedAt + 3);
    const hint = 'close it with `}}`, or write `$${{` for the characters themselves';
    compilation.problems.push({ code: 'E_EXPR_SYNTAX', what: '`${{` has no end', hint, place });
    return () => text;
  }
  const renders = parts.map((part): Render => {
    if (part.kind === 'text') return () => part.text;
    const expression = compilePart(part, text, path, compilation);
    if (parts.length === 1) return (context) => expression?.evaluate(context);
    return (context) => (expression ? interpolate(expression, context) : '');
  });
  const [only] = renders;
  return only && renders.length === 1 ? only : (context) => renders.map((render) => render(context)).join('');
}

function compilePart(
  { source, start }: { readonly source: string; readonly start: number },
  text: string,
  path: ValuePath,
  { scope, placeOf, expressions, problems }: Compilation,
): Expression | undefined {
  const locate = locateInScalar(placeOf(path), text);
  try {
    const expression = compileAt(source, scope, (from, to) => locate(start + from, start + to), 'any');
    expressions.push(expression);
    return expression;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

function interpolate(expression: Expression, context: ExpressionContext): string {
  const value = expression.evaluate(context);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const what = `\`${expression.source.trim()}\` gives ${describe(value)}, which cannot stand inside a text`;
  throw new EvaluationError(what, expression.source, { place: expression.place() });
}

function report(what: string, path: ValuePath, { placeOf, problems }: Compilation): void {
  problems.push({ code: 'E_EXPR_SYNTAX', what, place: placeOf(path) });
}

function unite(expressions: readonly Expression[]): Uses {
  const all = (pick: (uses: Uses) => ReadonlySet<string>) =>
    new Set(expressions.flatMap(({ uses }) => [...pick(uses)]));
  return { names: all((uses) => uses.names), steps: all((uses) => uses.steps), vars: all((uses) => uses.vars) };
}
