import { nearest } from '../../../documents/nearest.js';
import { type Piece, rewritten, type Source } from '../../../documents/source.js';
import type { Problem } from '../../../errors.js';
import { functions, isTrue, typeOf } from './template-functions.js';
import { type Node, type Operand, type Pipe, readTemplate, type Span, TemplateError } from './template-tree.js';

export interface TemplateData {
  readonly Vars: Readonly<Record<string, unknown>>;
  readonly Env: Readonly<Record<string, unknown>>;
}

/**
 * Renders a text with the actions of Go's text/template. What is not supported, and a name that is not there, is a
 * problem: nothing is left out silently. Places in the result are those of the template.
 */
export function renderTemplate(source: Source, data: TemplateData): Source | Problem {
  if (!source.text.includes('{{')) return source;
  try {
    const renderer = new Renderer(source.text, data);
    renderer.run(readTemplate(source.text), data, new Map([['$', data]]));
    return rewritten(source, renderer.pieces);
  } catch (error) {
    // What is nested without end runs out of stack.
    if (error instanceof RangeError)
      return {
        code: 'E_GOSS_TEMPLATE',
        what: 'the template is nested too deeply',
        hint: 'write it flatter',
        place: source.place(0),
      };
    if (!(error instanceof TemplateError)) throw error;
    const { message: what, hint, span } = error;
    return { code: 'E_GOSS_TEMPLATE', what, hint, place: source.place(span.start, span.end) };
  }
}

type Variables = Map<string, unknown>;

const sizeLimit = 10 * 1024 * 1024;
/** Actions of all loops together. */
const workLimit = 1_000_000;

class Renderer {
  readonly pieces: Piece[] = [];
  readonly #text: string;
  readonly #data: TemplateData;
  #size = 0;
  #work = 0;

  constructor(text: string, data: TemplateData) {
    this.#text = text;
    this.#data = data;
  }

  /** Answers how a loop around goes on. */
  run(nodes: readonly Node[], dot: unknown, variables: Variables): 'break' | 'continue' | undefined {
    const own = new Scope(variables);
    for (const node of nodes) {
      if (node.type === 'break' || node.type === 'continue') return node.type;
      const left = this.#node(node, dot, own);
      if (left) return left;
    }
    return undefined;
  }

  #node(node: Exclude<Node, { type: 'break' } | { type: 'continue' }>, dot: unknown, variables: Variables) {
    if (node.type === 'text') {
      this.#add({ text: this.#text.slice(node.start, node.end), start: node.start, end: node.end, copied: true });
      return undefined;
    }
    if (++this.#work > workLimit)
      throw new TemplateError(`it takes more than ${workLimit} actions to render`, node.pipe, 'loop over less');
    const value = this.#pipe(node.pipe, dot, variables);
    switch (node.type) {
      case 'print':
        if (!node.pipe.assigns)
          this.#add({ text: printed(value, node.pipe), start: node.start, end: node.end, copied: false });
        return undefined;
      case 'range':
        return this.#range(node, value, dot, variables);
      default: {
        if (!isTrue(value)) return this.run(node.otherwise, dot, variables);
        return this.run(node.body, node.type === 'with' ? value : dot, variables);
      }
    }
  }

  #range(node: Extract<Node, { type: 'range' }>, value: unknown, dot: unknown, variables: Variables) {
    const entries = entriesOf(value, node.pipe);
    if (entries.length === 0) return this.run(node.otherwise, dot, variables);
    for (const [key, item] of entries) {
      const own = new Scope(variables);
      const [first, second] = node.names;
      if (first !== undefined) own.declare(first, second === undefined ? item : key);
      if (second !== undefined) own.declare(second, item);
      if (this.run(node.body, item, own) === 'break') break;
    }
    return undefined;
  }

  #pipe(pipe: Pipe, dot: unknown, variables: Variables): unknown {
    let value: unknown;
    for (const [index, command] of pipe.commands.entries())
      value = this.#command(command, dot, variables, index === 0 ? [] : [value]);
    const { assigns } = pipe;
    if (assigns?.declares) (variables as Scope).declare(assigns.name, value);
    else if (assigns) {
      if (!variables.has(assigns.name)) throw unknownVariable(assigns.name, pipe);
      variables.set(assigns.name, value);
    }
    return value;
  }

  #command(command: readonly Operand[], dot: unknown, variables: Variables, piped: readonly unknown[]): unknown {
    const [first, ...rest] = command as [Operand, ...Operand[]];
    const value = (operand: Operand) => this.#operand(operand, dot, variables);
    if (first.head.type !== 'function' || first.fields.length > 0) {
      if (rest.length > 0 || piped.length > 0)
        throw new TemplateError('only a function takes values', first, 'name a function first');
      return value(first);
    }
    const { name } = first.head;
    // They stop at the value that decides, so that what follows may rest on it.
    if (name === 'and' || name === 'or') {
      let last: unknown;
      for (const operand of [...rest, ...piped.map((item) => () => item)]) {
        last = typeof operand === 'function' ? operand() : value(operand);
        if (isTrue(last) === (name === 'or')) return last;
      }
      return last;
    }
    return call(name, [...rest.map(value), ...piped], first, this.#data);
  }

  #operand(operand: Operand, dot: unknown, variables: Variables): unknown {
    const { head } = operand;
    let value: unknown;
    if (head.type === 'literal') value = head.value;
    else if (head.type === 'dot') value = dot;
    else if (head.type === 'pipe') value = this.#pipe(head.pipe, dot, variables);
    else if (head.type === 'function') value = call(head.name, [], operand, this.#data);
    else if (variables.has(head.name)) value = variables.get(head.name);
    else throw unknownVariable(head.name, operand);
    for (const field of operand.fields) value = fieldOf(value, field, operand, this.#data);
    return value;
  }

  #add(piece: Piece): void {
    this.#size += piece.text.length;
    if (this.#size > sizeLimit) throw new TemplateError('it renders to more than 10 MB', piece, 'loop over less');
    if (piece.text !== '') this.pieces.push(piece);
  }
}

/** Variables of a block: what it declares ends with it, what it assigns stays. */
class Scope extends Map<string, unknown> {
  readonly #outer: Variables;

  constructor(outer: Variables) {
    super();
    this.#outer = outer;
  }

  override has(name: string): boolean {
    return super.has(name) || this.#outer.has(name);
  }

  override get(name: string): unknown {
    return super.has(name) ? super.get(name) : this.#outer.get(name);
  }

  override set(name: string, value: unknown): this {
    if (super.has(name)) super.set(name, value);
    else this.#outer.set(name, value);
    return this;
  }

  declare(name: string, value: unknown): void {
    super.set(name, value);
  }
}

function call(name: string, args: readonly unknown[], span: Span, data: TemplateData): unknown {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!known) {
    const meant = nearest(name, Object.keys(functions));
    const hint = meant
      ? `did you mean \`${meant}\`?`
      : 'give its result under `vars`; the README of check.goss lists what there is';
    throw new TemplateError(`the function \`${name}\` is not supported`, span, hint);
  }
  const { least, most = least } = known;
  if (args.length < least || args.length > most)
    throw new TemplateError(
      `\`${name}\` takes ${least === most ? least : `${least} to ${most === Infinity ? 'any number of' : most}`} ${most === 1 ? 'value' : 'values'}, not ${args.length}`,
      span,
      'correct the call',
    );
  try {
    return known.call(args, data);
  } catch (error) {
    throw new TemplateError(`\`${name}\`: ${(error as Error).message}`, span, 'correct the call or its values');
  }
}

function fieldOf(value: unknown, field: string, span: Span, data: TemplateData): unknown {
  if (typeOf(value) !== 'mapping')
    throw new TemplateError(
      `there is no \`${field}\`: the value before it is ${articled(typeOf(value))}`,
      span,
      'correct the path',
    );
  const map = value as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(map, field)) return map[field];
  if (value === data)
    throw new TemplateError(`there is no \`${field}\` in a goss template`, span, 'values are in .Vars and .Env');
  const meant = nearest(field, Object.keys(map));
  const isEnv = value === data.Env;
  throw new TemplateError(
    `there is no \`${field}\` in ${isEnv ? '.Env' : 'these values'}`,
    span,
    meant ? `did you mean \`${meant}\`?` : `give it under \`with.${isEnv ? 'env' : 'vars'}\``,
  );
}

function entriesOf(value: unknown, span: Span): readonly (readonly [unknown, unknown])[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  if (typeof value === 'number' && Number.isInteger(value) && value <= 100_000)
    return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index] as const);
  if (typeOf(value) !== 'mapping')
    throw new TemplateError(`\`range\` cannot go over ${articled(typeOf(value))}`, span, 'give it a list or a mapping');
  return Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1));
}

function printed(value: unknown, span: Span): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined)
    throw new TemplateError('it has no value', span, 'give it one, or guard it with `if`');
  throw new TemplateError(
    `it is ${articled(typeOf(value))}, which would be printed as Go writes it`,
    span,
    'use `range`, `join` or `toJson`',
  );
}

function articled(type: string): string {
  return ['list', 'mapping', 'number'].includes(type) ? `a ${type}` : type;
}

function unknownVariable(name: string, span: Span): TemplateError {
  return new TemplateError(`the variable \`${name}\` is not set here`, span, `set it before: {{ ${name} := … }}`);
}
