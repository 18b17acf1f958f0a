import type { Expression, ExpressionContext, Scope } from './expression.js';

/** Words that the engine does not take as names. */
const reserved = new Set(
  ['as', 'break', 'const', 'continue', 'else', 'false', 'for', 'function', 'if', 'import', 'in', 'let'].concat([
    'loop',
    'namespace',
    'null',
    'package',
    'return',
    'true',
    'var',
    'void',
    'while',
  ]),
);

/**
 * An expression that only names a known parameter, such as `params.port`. The engine is not loaded for it, unless
 * the parameter turns out to have no plain value.
 */
export function plainParameter(source: string, scope: Scope, compile: () => Expression): Expression | undefined {
  const name = /^\s*params\.([a-zA-Z_]\w*)\s*$/.exec(source)?.[1];
  if (name === undefined || reserved.has(name) || !scope.names.has('params') || !scope.params?.has(name))
    return undefined;
  let compiled: Expression | undefined;
  const whole = () => {
    compiled ??= compile();
    return compiled;
  };
  return {
    source,
    uses: { names: new Set(['params']), steps: new Set(), vars: new Set() },
    place: () => whole().place(),
    evaluate: (context) => plainValue(name, context) ?? whole().evaluate(context),
  };
}

function plainValue(name: string, { params }: ExpressionContext): string | number | boolean | undefined {
  if (typeof params !== 'object' || params === null || !Object.hasOwn(params, name)) return undefined;
  const value = (params as Readonly<Record<string, unknown>>)[name];
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
