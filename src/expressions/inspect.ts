/** What an expression refers to, read from its tree. */
import { functionNames, loopMethods, methodNames, type Node } from './engine.js';

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A use of a name such as `steps`, or of an entry such as `steps.plan`. */
export interface Reference extends Span {
  readonly name: string;
  /** Where the name itself stands; the span is that of the entry where there is one. */
  readonly root: Span;
  /** The entry, when it is written out: `plan` of `steps.plan` or `steps["plan"]`. */
  readonly entry?: string;
  /** Inside has() or default(), where the entry may be absent. */
  readonly mayBeMissing: boolean;
}

export interface Inspection {
  readonly references: readonly Reference[];
  /** Calls of functions that do not exist. */
  readonly unknownCalls: readonly (Span & { readonly name: string; readonly isMethod: boolean })[];
  /** Patterns of matches() and find() that are written out. */
  readonly patterns: readonly (Span & { readonly pattern: string })[];
}

interface Scan {
  readonly references: Reference[];
  readonly unknownCalls: (Span & { readonly name: string; readonly isMethod: boolean })[];
  readonly patterns: (Span & { readonly pattern: string })[];
}

interface Inside {
  readonly bound: ReadonlySet<string>;
  readonly mayBeMissing: boolean;
}

/** Reads a tree as `parse` of engine.ts gives it, before or after a check. */
export function inspect(ast: Node): Inspection {
  const scan: Scan = { references: [], unknownCalls: [], patterns: [] };
  visit(ast, { bound: new Set(), mayBeMissing: false }, scan);
  return scan;
}

function visit(node: Node, inside: Inside, scan: Scan): void {
  const { op, args } = node;
  switch (op) {
    case 'value':
    case 'accuValue':
    case 'accuInc':
      return;
    case 'id':
      refer(node, undefined, node, inside, scan);
      return;
    case '.':
    case '[]':
      visitAccess(node, inside, scan);
      return;
    case 'call':
    case 'rcall':
      visitCall(node, inside, scan);
      return;
    case '-_':
    case '!_':
      visit(args, inside, scan);
      return;
    case 'map':
      for (const entry of args as [Node, Node][]) for (const child of entry) visit(child, inside, scan);
      return;
    default:
      for (const child of args as Node[]) visit(child, inside, scan);
  }
}

function visitAccess(node: Node, inside: Inside, scan: Scan): void {
  const [target, key]: [Node, Node | string] = node.args;
  const entry =
    typeof key === 'string' ? key : key.op === 'value' && typeof key.args === 'string' ? key.args : undefined;
  if (target.op === 'id' && entry !== undefined) refer(target, entry, node, inside, scan);
  else visit(target, inside, scan);
  if (typeof key !== 'string') visit(key, inside, scan);
}

function refer(id: Node, entry: string | undefined, whole: Node, inside: Inside, scan: Scan): void {
  const name: string = id.args;
  if (inside.bound.has(name)) return;
  const { mayBeMissing } = inside;
  const root = { start: id.start, end: id.end };
  const span = entry === undefined ? root : entrySpan(entry, whole);
  scan.references.push({ name, root, mayBeMissing, ...span, ...(entry === undefined ? {} : { entry }) });
}

// For `steps.plan` the caret belongs under `plan`.
function entrySpan(entry: string, whole: Node): Span {
  const key: Node | string = whole.args[1];
  if (typeof key !== 'string') return { start: key.start, end: key.end };
  return { start: whole.end - entry.length, end: whole.end };
}

function visitCall(node: Node, inside: Inside, scan: Scan): void {
  const isMethod = node.op === 'rcall';
  const name = (node.args[0] as string).replace(/^_/, '');
  const args: readonly Node[] = node.args[isMethod ? 2 : 1];
  if (isMethod) visit(node.args[1], inside, scan);
  if (!(isMethod ? methodNames : functionNames).has(name)) {
    const start = isMethod ? node.args[1].end + 1 : node.start;
    scan.unknownCalls.push({ name, isMethod, start, end: start + name.length });
    return;
  }
  if (isMethod && (name === 'matches' || name === 'find')) {
    const [pattern] = args;
    if (pattern?.op === 'value' && typeof pattern.args === 'string') {
      scan.patterns.push({ pattern: pattern.args, start: pattern.start, end: pattern.end });
    }
  }
  if (isMethod && loopMethods.has(name) && args[0]?.op === 'id') {
    const within = { ...inside, bound: new Set([...inside.bound, args[0].args as string]) };
    for (const child of args.slice(1)) visit(child, within, scan);
    return;
  }
  const [first, ...rest] = args;
  const mayBeMissing = inside.mayBeMissing || (!isMethod && (name === 'has' || name === 'default'));
  if (first) visit(first, { ...inside, mayBeMissing }, scan);
  for (const child of rest) visit(child, inside, scan);
}
