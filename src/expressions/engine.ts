/**
 * The CEL engine with what opsctl adds: one kind of number, a linear `matches`, a small set of functions,
 * and bounds on size and work. What leans on the engine's tree is in this file and inspect.ts.
 */
import type { Environment } from '@marcbachmann/cel-js';
import { cel } from './cel.js';
import { registerFunctions, trouble } from './functions.js';

/** A node of the engine's tree, as far as we look at it. */
export interface Node {
  readonly op: string;
  // biome-ignore lint/suspicious/noExplicitAny: its shape depends on op; inspect.ts and rewrite() know the few they use
  args: any;
  readonly start: number;
  readonly end: number;
}

export interface Parsed {
  readonly ast: Node;
  check(): { readonly valid: boolean; readonly type?: string; readonly error?: unknown };
  (context: object): unknown;
}

/** Bounds that no honest expression meets. */
export const limits = {
  sourceLength: 10_000,
  loopSteps: 1_000_000,
  listLength: 1_000_000,
  textLength: 16 * 1024 * 1024,
} as const;

/** Type names as the engine writes them. */
export type EngineType = 'dyn' | 'map' | 'string' | 'double' | 'bool' | 'list';
export type EngineEnvironment = Environment;

/** An environment that knows these names. `fields` types the entries of a name, for static checks only. */
export function createEnvironment(
  names: Iterable<readonly [string, EngineType | { readonly fields: Readonly<Record<string, EngineType>> }]>,
): EngineEnvironment {
  const environment = base().clone();
  for (const [name, type] of names) {
    if (typeof type === 'string') environment.registerVariable(name, type);
    else environment.registerVariable({ name, schema: { ...type.fields } });
  }
  return environment;
}

/** Parses, and puts our functions in the place of the engine's. Throws what the engine throws. */
export function parse(environment: EngineEnvironment, source: string): Parsed {
  const parsed = environment.parse(source) as unknown as Parsed;
  rewrite(parsed.ast, false);
  return parsed;
}

/** Runs a parsed expression within the work bounds. Throws what the engine throws. */
export function run(parsed: Parsed, context: object): unknown {
  const outer = stepsLeft;
  stepsLeft = limits.loopSteps;
  try {
    return parsed(context);
  } finally {
    stepsLeft = outer;
  }
}

/** Functions and methods that expressions may call; docs/expressions.md lists them. */
export const functionNames: ReadonlySet<string> = new Set(
  ['has', 'default', 'size', 'int', 'double', 'string', 'bool'].concat(['json', 'timestamp', 'duration']),
);
export const methodNames: ReadonlySet<string> = new Set(
  ['contains', 'startsWith', 'endsWith', 'matches', 'find']
    .concat(['lower', 'upper', 'trim', 'split', 'replace', 'substring', 'indexOf', 'size'])
    .concat(['join', 'map', 'filter', 'all', 'exists', 'exists_one', 'sum', 'min', 'max', 'sort', 'unique'])
    .concat(['getFullYear', 'getMonth', 'getDate', 'getDayOfWeek', 'getHours', 'getMinutes', 'getSeconds']),
);

/** Methods that bind their first argument as a name for each element. */
export const loopMethods: ReadonlySet<string> = new Set(['map', 'filter', 'all', 'exists', 'exists_one']);

// `_x` is our form of the engine's `x`, which cannot be overridden: its matches() takes exponential time on
// some patterns, and its sizes are integers, whose division drops the fraction.
const ours: ReadonlySet<string> = new Set(['matches', 'size', 'substring', 'indexOf', 'split']);

/** Texts of the engine, in the user's words. */
export function publicName(text: string): string {
  return text.replaceAll(/\b_(matches|size|substring|indexOf|split)\b/g, '$1');
}

let stepsLeft = 0;
let shared: Environment | undefined;

function base(): Environment {
  if (shared) return shared;
  const environment = new (cel().Environment)({
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 2_000, maxDepth: 48, maxListElements: 1_000, maxMapEntries: 1_000, maxCallArguments: 8 },
  });
  registerFunctions(environment);
  shared = environment;
  return environment;
}

/** Walks the tree once: our functions for the engine's, doubles for integer literals, bounds where work grows. */
function rewrite(node: Node, isIntegerPlace: boolean): void {
  const { op, args } = node;
  switch (op) {
    case 'value':
      if (typeof args === 'bigint' && !isIntegerPlace && Number.isSafeInteger(Number(args))) node.args = Number(args);
      return;
    case 'id':
    case 'accuValue':
    case 'accuInc':
      return;
    case '.':
      rewrite(args[0], false);
      return;
    case '[]':
      rewrite(args[0], false);
      rewrite(args[1], true);
      return;
    case 'call':
    case 'rcall':
      rewriteCall(node);
      return;
    case '-_':
    case '!_':
      rewrite(args, isIntegerPlace);
      return;
    case 'map':
      for (const [key, value] of args as [Node, Node][]) {
        rewrite(key, false);
        rewrite(value, false);
      }
      return;
    default:
      for (const child of args as Node[]) rewrite(child, false);
      if (op === '+' || op === '/' || op === '%') observe(node, { after: op === '+' ? checkSize : checkFinite });
  }
}

// The engine's own functions that declare integers keep their integer literals.
const integerFunctions: ReadonlySet<string> = new Set(['int', 'timestamp']);

function rewriteCall(node: Node): void {
  const isMethod = node.op === 'rcall';
  const name: string = node.args[0];
  const receiver: readonly Node[] = isMethod ? [node.args[1]] : [];
  const args: readonly Node[] = node.args[isMethod ? 2 : 1];
  for (const child of receiver) rewrite(child, false);
  for (const child of args) rewrite(child, integerFunctions.has(name));
  if (isMethod && loopMethods.has(name)) for (const body of args.slice(1)) observe(body, { before: countStep });
  if (name === 'join' || name === 'replace') observe(node, { after: checkSize });
  if (ours.has(name)) node.args[0] = `_${name}`;
}

// Loops collect the errors of their bodies and go on, so this has to fail before a body does any work.
function countStep(): void {
  stepsLeft -= 1;
  if (stepsLeft < 0) throw trouble(`the expression takes more than ${limits.loopSteps.toLocaleString('en')} steps`);
}

function checkSize(value: unknown): unknown {
  if (Array.isArray(value) && value.length > limits.listLength) throw trouble('the list grows too long');
  if (typeof value === 'string' && value.length > limits.textLength) throw trouble('the text grows too long');
  return value;
}

function checkFinite(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw trouble('division by zero');
  return value;
}

type Evaluate = (engine: unknown, node: Node, context: unknown) => unknown;
interface Observers {
  before?: () => void;
  after?: (value: unknown) => unknown;
}
const observed = new WeakMap<Node, Observers>();

/**
 * Acts before a node is evaluated, and on what it evaluates to. A node replaces its own `evaluate` on its
 * first run, so the property takes that assignment as the thing to call.
 */
function observe(node: Node, more: Observers): void {
  const known = observed.get(node);
  if (known) {
    Object.assign(known, more);
    return;
  }
  const observers = { ...more };
  observed.set(node, observers);
  let inner = (node as unknown as { evaluate: Evaluate }).evaluate;
  const hook: Evaluate = (engine, self, context) => {
    observers.before?.();
    const value = inner.call(node, engine, self, context);
    return observers.after ? observers.after(value) : value;
  };
  Object.defineProperty(node, 'evaluate', {
    get: () => hook,
    set: (next: Evaluate) => {
      inner = next;
    },
  });
}
