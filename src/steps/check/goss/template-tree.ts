/** What a template is made of. `start` and `end` point into its text. */
export type Node =
  | { readonly type: 'text'; readonly start: number; readonly end: number }
  | { readonly type: 'print'; readonly pipe: Pipe; readonly start: number; readonly end: number }
  | {
      readonly type: 'if' | 'with';
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly type: 'range';
      readonly pipe: Pipe;
      readonly names: readonly string[];
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly type: 'break' }
  | { readonly type: 'continue' };

export interface Pipe extends Span {
  /** Set by `$x := …` and `$x = …`. */
  readonly assigns?: { readonly name: string; readonly declares: boolean };
  readonly commands: readonly (readonly Operand[])[];
}

export type Operand = Span & {
  /** Names of `.a.b` after the head. */
  readonly fields: readonly string[];
  readonly head:
    | { readonly type: 'dot' }
    | { readonly type: 'literal'; readonly value: string | number | boolean | null }
    | { readonly type: 'variable' | 'function'; readonly name: string }
    | { readonly type: 'pipe'; readonly pipe: Pipe };
};

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What is wrong with a template, and where. */
export class TemplateError extends Error {
  readonly span: Span;
  readonly hint: string;

  constructor(message: string, span: Span, hint: string) {
    super(message);
    this.name = 'TemplateError';
    this.span = span;
    this.hint = hint;
  }
}

type Token = Span & {
  readonly type: 'word' | 'variable' | 'field' | 'dot' | 'literal' | 'mark';
  readonly text: string;
  readonly value?: string | number;
  /** Nothing stands between it and the token before. */
  readonly glued: boolean;
};

/** Reads a text with the actions of Go's text/template. Throws TemplateError. */
export function readTemplate(source: string): readonly Node[] {
  return new TemplateParser(source).parse();
}

type Action = Span & { readonly tokens: readonly Token[] };

class TemplateParser {
  readonly #source: string;
  readonly #parts: (Action | Extract<Node, { type: 'text' }>)[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): readonly Node[] {
    this.#split();
    const { nodes, end } = this.#list();
    if (end) throw new TemplateError(`unexpected \`${end.tokens[0]?.text}\``, end, 'nothing is open here; remove it');
    return nodes;
  }

  /** Text and actions in turn, white space trimmed where `{{-` and `-}}` say so. */
  #split(): void {
    let at = 0;
    let trims = false;
    while (at <= this.#source.length) {
      const open = this.#source.indexOf('{{', at);
      const stop = open === -1 ? this.#source.length : open;
      const trimsBefore = open !== -1 && /^-\s/.test(this.#source.slice(open + 2, open + 4));
      let [start, end] = [at, stop];
      if (trims) while (start < end && /\s/.test(this.#source[start] as string)) start++;
      if (trimsBefore) while (end > start && /\s/.test(this.#source[end - 1] as string)) end--;
      if (start < end) this.#parts.push({ type: 'text', start, end });
      if (open === -1) return;
      const action = this.#action(open, open + (trimsBefore ? 3 : 2));
      trims = action.trims;
      at = action.end;
      if (action.tokens.length > 0) this.#parts.push(action);
      else if (!action.comment) throw new TemplateError('an empty action', action, 'remove it');
    }
  }

  #action(start: number, from: number): Action & { readonly trims: boolean; readonly comment: boolean } {
    const comment = /^\s*\/\*[\s\S]*?\*\/(\s-)?\s*\}\}/.exec(this.#source.slice(from));
    if (comment)
      return { start, end: from + comment[0].length, tokens: [], trims: comment[1] !== undefined, comment: true };
    const tokens: Token[] = [];
    let at = from;
    for (;;) {
      const rest = this.#source.slice(at, at + 10_000);
      const space = /^\s*/.exec(rest)?.[0].length ?? 0;
      const close = /^(\s-)?\}\}/.exec(rest.slice(space > 0 ? space - 1 : 0)) ?? /^\}\}/.exec(rest.slice(space));
      if (close) {
        const end = this.#source.indexOf('}}', at) + 2;
        return { start, end, tokens, trims: close[1] !== undefined, comment: false };
      }
      at += space;
      const token = this.#token(at, start, space === 0);
      tokens.push(token);
      at = token.end;
    }
  }

  #token(at: number, opened: number, glued: boolean): Token {
    const rest = this.#source.slice(at);
    for (const [type, pattern] of shapes) {
      const text = pattern.exec(rest)?.[0];
      if (text === undefined) continue;
      const token = { type, text, start: at, end: at + text.length, glued };
      if (type !== 'literal') return token;
      return { ...token, value: literalOf(text, token) };
    }
    if (rest === '' || rest[0] === '\n' || rest.indexOf('}}') === -1)
      throw new TemplateError('an action has no end', { start: opened, end: opened + 2 }, 'close it with }}');
    const quoted = rest[0] === '"' || rest[0] === '`';
    throw new TemplateError(
      quoted ? 'a text has no end' : `unexpected \`${rest[0]}\``,
      { start: at, end: at + 1 },
      quoted ? `close it with ${rest[0]}` : 'see text/template of Go for what an action may hold',
    );
  }

  /** Nodes up to the action that ends the list: `else` or `end`. */
  #list(): { readonly nodes: Node[]; readonly end?: Action } {
    const nodes: Node[] = [];
    while (this.#at < this.#parts.length) {
      const part = this.#parts[this.#at++] as Action | Extract<Node, { type: 'text' }>;
      if (!('tokens' in part)) {
        nodes.push(part);
        continue;
      }
      const word = part.tokens[0]?.type === 'word' ? part.tokens[0].text : '';
      if (word === 'end' || word === 'else') return { nodes, end: part };
      if (word === 'if' || word === 'with' || word === 'range')
        nodes.push(this.#block(word, part, part.tokens.slice(1)));
      else if (word === 'break' || word === 'continue') nodes.push({ type: word });
      else if (word === 'define' || word === 'template' || word === 'block')
        throw new TemplateError(
          `\`${word}\` is not supported`,
          part,
          'write its content where it is used, or use a `gossfile` include',
        );
      else nodes.push({ type: 'print', pipe: this.#pipe(part.tokens, part), start: part.start, end: part.end });
    }
    return { nodes };
  }

  #block(type: 'if' | 'with' | 'range', action: Action, given: readonly Token[]): Node {
    const loop = type === 'range' ? loopNames(given) : { names: [], tokens: given };
    const pipe = this.#pipe(loop.tokens, action);
    const { nodes: body, end } = this.#list();
    let otherwise: readonly Node[] = [];
    if (end?.tokens[0]?.text === 'else') {
      const [, next, ...tokens] = end.tokens;
      if (next && (next.text === 'if' || next.text === 'with')) otherwise = [this.#block(next.text, action, tokens)];
      else if (next) throw new TemplateError('`else` takes nothing here', next, 'write `else` or `else if …`');
      else {
        const last = this.#list();
        if (last.end?.tokens[0]?.text !== 'end') throw unclosed(type, action);
        otherwise = last.nodes;
      }
    } else if (end?.tokens[0]?.text !== 'end') throw unclosed(type, action);
    return { type, pipe, body, otherwise, ...(type === 'range' && { names: loop.names }) } as Node;
  }

  #pipe(tokens: readonly Token[], whole: Span): Pipe {
    const reader = new PipeReader(tokens, whole);
    const pipe = reader.pipe();
    const rest = reader.peek();
    if (rest)
      throw new TemplateError(
        `unexpected \`${rest.text}\``,
        rest,
        'see text/template of Go for what an action may hold',
      );
    return pipe;
  }
}

const shapes: readonly (readonly [Token['type'], RegExp])[] = [
  ['literal', /^(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|[+-]?\d[\w.]*)/],
  ['field', /^\.[\p{L}_][\p{L}\p{N}_]*/u],
  ['dot', /^\./],
  ['variable', /^\$[\p{L}\p{N}_]*/u],
  ['word', /^[\p{L}_][\p{L}\p{N}_]*/u],
  ['mark', /^(?::=|=|\||\(|\)|,)/],
];

function literalOf(text: string, span: Span): string | number {
  if (text.startsWith('`')) return text.slice(1, -1);
  if (text.startsWith('"')) {
    try {
      return JSON.parse(
        text.replace(/\\([abfnrtv'x\\"u])/g, (all, letter: string) => goEscapes[letter] ?? all),
      ) as string;
    } catch {
      throw new TemplateError(`${text} has an escape that is not supported`, span, 'use a raw text in backquotes');
    }
  }
  // 0755 is octal in Go.
  const number = Number(text.replaceAll('_', '').replace(/^([+-]?)0(?=[0-7]+$)/, (_, sign: string) => `${sign}0o`));
  if (!Number.isFinite(number)) throw new TemplateError(`${text} is not a number`, span, 'write a decimal number');
  return number;
}

const goEscapes: Readonly<Record<string, string>> = { a: '\\u0007', v: '\\u000b', "'": "'", x: '\\u00' };

function loopNames(tokens: readonly Token[]): { readonly names: string[]; readonly tokens: readonly Token[] } {
  const at = tokens.findIndex(({ text }) => text === ':=');
  const before = tokens.slice(0, Math.max(0, at));
  if (at === -1 || !before.every(({ type, text }) => type === 'variable' || text === ',')) return { names: [], tokens };
  return {
    names: before.filter(({ type }) => type === 'variable').map(({ text }) => text),
    tokens: tokens.slice(at + 1),
  };
}

function unclosed(type: string, action: Span): TemplateError {
  return new TemplateError(`\`${type}\` has no end`, action, 'close it with {{ end }}');
}

class PipeReader {
  readonly #tokens: readonly Token[];
  readonly #whole: Span;
  #at = 0;

  constructor(tokens: readonly Token[], whole: Span) {
    this.#tokens = tokens;
    this.#whole = whole;
  }

  peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  pipe(): Pipe {
    const [first, second] = this.#tokens.slice(this.#at);
    const assigns =
      first?.type === 'variable' && (second?.text === ':=' || second?.text === '=')
        ? { name: first.text, declares: second.text === ':=' }
        : undefined;
    if (assigns) this.#at += 2;
    const start = this.peek()?.start ?? this.#whole.start;
    const commands = [this.#command()];
    while (this.peek()?.text === '|') {
      this.#at++;
      commands.push(this.#command());
    }
    const end = this.#tokens[this.#at - 1]?.end ?? this.#whole.end;
    return { commands, start, end, ...(assigns && { assigns }) };
  }

  #command(): readonly Operand[] {
    const operands: Operand[] = [];
    for (let next = this.peek(); next && !['|', ')'].includes(next.text); next = this.peek())
      operands.push(this.#operand());
    if (operands.length === 0) throw new TemplateError('a value is missing', this.peek() ?? this.#whole, 'write one');
    return operands;
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at++] as Token;
    const fields: string[] = [];
    const head = this.#head(token, fields);
    let end = this.#tokens[this.#at - 1]?.end ?? token.end;
    for (let next = this.peek(); next?.type === 'field' && next.glued; next = this.peek()) {
      fields.push(next.text.slice(1));
      end = next.end;
      this.#at++;
    }
    return { head, fields, start: token.start, end };
  }

  #head(token: Token, fields: string[]): Operand['head'] {
    switch (token.type) {
      case 'field':
        fields.push(token.text.slice(1));
        return { type: 'dot' };
      case 'dot':
        return { type: 'dot' };
      case 'variable':
        return { type: 'variable', name: token.text };
      case 'literal':
        return { type: 'literal', value: token.value as string | number };
      case 'word':
        if (token.text === 'true' || token.text === 'false') return { type: 'literal', value: token.text === 'true' };
        if (token.text === 'nil') return { type: 'literal', value: null };
        return { type: 'function', name: token.text };
      default: {
        if (token.text !== '(') throw new TemplateError(`unexpected \`${token.text}\``, token, 'a value belongs here');
        const pipe = this.pipe();
        if (this.peek()?.text !== ')') throw new TemplateError('a parenthesis has no end', token, 'close it with )');
        this.#at++;
        return { type: 'pipe', pipe };
      }
    }
  }
}
