import { type Place, UserError } from '../errors.js';
import type { ExpressionContext, Scope } from './expression.js';
import { hasTemplate } from './scan.js';
import { compileTemplate, type Template, type ValuePath } from './template.js';

/**
 * Renders variables that refer to one another, each after those it needs. A circle is E_VAR_CYCLE.
 * `placeOf` takes paths that start with the name of the variable.
 */
export function resolveVars(
  vars: Readonly<Record<string, unknown>>,
  scope: Scope,
  placeOf: (path: ValuePath) => Place,
  context: ExpressionContext = {},
): Record<string, unknown> {
  if (!hasTemplate(vars)) return { ...vars };
  const names = Object.keys(vars);
  const inner: Scope = { ...scope, names: new Set([...scope.names, 'vars']), ...knownVars(scope, names) };
  const templates = new Map(names.map((name) => [name, compileVar(name, vars[name], inner, placeOf)]));
  const done = new Map<string, unknown>();
  // A view for expressions: they see what is rendered so far, and only that.
  const rendered: Record<string, unknown> = Object.assign(Object.create(null), context.vars);
  for (const name of orderOf(templates, placeOf)) {
    const value = (templates.get(name) as Template).render({ ...context, vars: rendered });
    done.set(name, value);
    rendered[name] = value;
  }
  return Object.fromEntries(names.map((name) => [name, done.get(name)]));
}

// Where the scope has variables of its own without a list of them, any name may exist.
function knownVars(scope: Scope, names: readonly string[]): Pick<Scope, 'vars'> {
  if (scope.names.has('vars') && scope.vars === undefined) return {};
  return { vars: new Set([...(scope.vars ?? []), ...names]) };
}

function compileVar(name: string, value: unknown, scope: Scope, placeOf: (path: ValuePath) => Place): Template {
  return compileTemplate(value, scope, (path) => placeOf([name, ...path]));
}

function orderOf(templates: ReadonlyMap<string, Template>, placeOf: (path: ValuePath) => Place): readonly string[] {
  const order = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    if (order.has(name)) return;
    if (trail.includes(name)) {
      const cycle = [...trail.slice(trail.indexOf(name)), name].join(' → ');
      throw new UserError({
        code: 'E_VAR_CYCLE',
        what: `variables refer to one another: ${cycle}`,
        hint: 'give one of them a value of its own',
        place: placeOf([name]),
      });
    }
    for (const needed of needs(name, templates)) visit(needed, [...trail, name]);
    order.add(name);
  };
  for (const name of templates.keys()) visit(name, []);
  return [...order];
}

function needs(name: string, templates: ReadonlyMap<string, Template>): Iterable<string> {
  const used = templates.get(name)?.uses.vars ?? new Set<string>();
  return used.has('*') ? templates.keys() : [...used].filter((other) => templates.has(other));
}
