/** The operators and functions that opsctl adds to the engine. docs/expressions.md lists them. */
import type { EvaluationError as EngineError, Environment } from '@marcbachmann/cel-js';
import { cel } from './cel.js';
import type { Node } from './engine.js';
import { cachedRegex } from './regex.js';

export function registerFunctions(environment: Environment): void {
  registerArithmetic(environment);
  registerText(environment);
  registerLists(environment);
  registerDefault(environment);
  environment.registerFunction('json(dyn): string', (value: unknown) => JSON.stringify(plain(value)), sync);
}

const sync = { async: false };

// JSON numbers are doubles, int() and timestamps give integers: every pair has to work.
function registerArithmetic(environment: Environment): void {
  const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [operator, operate] of Object.entries(operations)) {
    const handle = (a: number | bigint, b: number | bigint) => operate(Number(a), Number(b));
    environment.registerOperator(`int ${operator} double: double`, handle);
    environment.registerOperator(`double ${operator} int: double`, handle);
  }
  environment.registerOperator('double % double: double', (a: number, b: number) => a % b);
  // biome-ignore lint/suspicious/noDoubleEquals: bigint and number
  environment.registerOperator('int == double', (a: bigint, b: number) => a == (b as unknown as bigint));
}

function registerText(environment: Environment): void {
  const register = (signature: string, handler: (...args: never[]) => unknown) =>
    environment.registerFunction(signature, handler, sync);
  const size = (text: string) => Array.from(text).length;
  register('string._size(): double', size);
  register('_size(string): double', size);
  register('string._matches(string): bool', (text: string, pattern: string) => regex(pattern).test(text));
  register('string.find(string): dyn', (text: string, pattern: string) => {
    const groups = regex(pattern).find(text)?.groups;
    return groups ? (groups[groups.length > 1 ? 1 : 0] ?? null) : null;
  });
  register('string.lower(): string', (text: string) => text.toLowerCase());
  register('string.upper(): string', (text: string) => text.toUpperCase());
  register('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.split(from).join(to),
  );
  register('string._indexOf(string): double', (text: string, part: string) => text.indexOf(part));
  register('string._split(string): list<string>', (text: string, separator: string) => text.split(separator));
  register('string._substring(double): string', (text: string, start: number) => slice(text, start, text.length));
  register('string._substring(double, double): string', slice);
}

function slice(text: string, start: number, end: number): string {
  if (!(start >= 0 && start <= end && end <= text.length)) {
    throw trouble(`substring(${start}, ${end}) is outside of the text, which has ${text.length} characters`);
  }
  return text.slice(start, end);
}

function regex(pattern: string) {
  try {
    return cachedRegex(pattern);
  } catch (error) {
    throw trouble(`bad regular expression: ${(error as Error).message}`);
  }
}

function registerLists(environment: Environment): void {
  const register = (signature: string, handler: (list: readonly unknown[]) => unknown) =>
    environment.registerFunction(signature, handler, sync);
  register('list._size(): double', (list) => list.length);
  register('_size(list): double', (list) => list.length);
  environment.registerFunction('map._size(): double', keyCount, sync);
  environment.registerFunction('_size(map): double', keyCount, sync);
  register('list.sum(): double', (list) => numbers(list, 'sum').reduce((total, item) => total + item, 0));
  register('list.min(): dyn', (list) => sorted(list, 'min')[0] ?? nothingIn('min'));
  register('list.max(): dyn', (list) => sorted(list, 'max').at(-1) ?? nothingIn('max'));
  register('list.sort(): list', (list) => sorted(list, 'sort'));
  register('list.unique(): list', (list) => Array.from(new Map(list.map((item) => [identity(item), item])).values()));
}

function keyCount(map: object): number {
  return map instanceof Map ? map.size : Object.keys(map).length;
}

function numbers(list: readonly unknown[], name: string): number[] {
  return list.map((item) => {
    if (typeof item !== 'number' && typeof item !== 'bigint') throw trouble(`${name}() needs a list of numbers`);
    return Number(item);
  });
}

function sorted(list: readonly unknown[], name: string): (number | string)[] {
  if (list.every((item) => typeof item === 'string')) return [...(list as readonly string[])].sort();
  if (list.every((item) => typeof item === 'number' || typeof item === 'bigint')) {
    return numbers(list, name).sort((a, b) => a - b);
  }
  throw trouble(`${name}() needs a list of numbers or a list of texts`);
}

function nothingIn(name: string): never {
  throw trouble(`${name}() of an empty list`);
}

function identity(item: unknown): string {
  return `${typeof item === 'bigint' ? 'number' : typeof item}:${JSON.stringify(plain(item))}`;
}

/** For JSON text: maps as objects, integers as numbers. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, item]) => [key, plain(item)]));
  return value;
}

interface DefaultMacro {
  readonly value: Node;
  readonly fallback: Node;
  evaluate: unknown;
  typeCheck: unknown;
  async: boolean;
}
interface Engine {
  run(node: Node, context: unknown): unknown;
  check(node: Node, context: unknown): unknown;
  getType(name: string): unknown;
}

// A macro, not a function: the value must not be evaluated before we can catch that it is missing.
function registerDefault(environment: Environment): void {
  environment.registerFunction(
    'default(ast, ast): dyn',
    ({ args }: { args: readonly [Node, Node] }): DefaultMacro => ({
      value: args[0],
      fallback: args[1],
      async: false,
      typeCheck(checker: Engine, macro: DefaultMacro, context: unknown) {
        checker.check(macro.value, context);
        checker.check(macro.fallback, context);
        return checker.getType('dyn');
      },
      evaluate(engine: Engine, macro: DefaultMacro, context: unknown) {
        return presentValue(engine, macro.value, context) ?? engine.run(macro.fallback, context);
      },
    }),
  );
}

const missing: ReadonlySet<string> = new Set(['no_such_key', 'index_out_of_bounds']);

function presentValue(engine: Engine, node: Node, context: unknown): unknown {
  try {
    return engine.run(node, context);
  } catch (error) {
    if (error instanceof cel().EvaluationError && missing.has(error.code)) return null;
    throw error;
  }
}

/** An error that the engine passes on as it is. */
export function trouble(message: string): EngineError {
  return new (cel().EvaluationError)({ code: 'opsctl', message } as never);
}
