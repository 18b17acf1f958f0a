/**
 * Python literals, as Ansible reads the values of INI inventories: `ast.literal_eval`, and the text as it stands
 * when it is none. `True`, `1`, `0x1f`, `'x'`, `[1, 2]`, `{'a': 1}`, `None`; `0755` and `1.2.3` are text.
 */
export function readPythonValue(text: string): unknown {
  try {
    return new LiteralReader(text.replace(/^[ \t]+/, '')).whole();
  } catch (error) {
    if (error instanceof NotLiteral) return text;
    throw error;
  }
}

class NotLiteral extends Error {}

const depthLimit = 60;

const number =
  /0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*)?\.\d(?:_?\d)*(?:[eE][+-]?\d(?:_?\d)*)?|\d(?:_?\d)*\.?(?:[eE][+-]?\d(?:_?\d)*)?/y;
const stringStart = /([rRuUbB]|[bB][rR]|[rR][bB])?('''|"""|'|")/y;
const name = /[A-Za-z_][A-Za-z0-9_]*/y;

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const first = this.#value();
    const value = this.#peek() === ',' ? this.#tupleAfter(first, '') : first;
    this.#space();
    if (this.#at < this.#text.length) throw new NotLiteral();
    return value;
  }

  #value(): unknown {
    if (++this.#depth > depthLimit) throw new NotLiteral();
    const value = this.#signed();
    this.#depth--;
    return value;
  }

  #signed(): unknown {
    const sign = this.#peek();
    if (sign !== '+' && sign !== '-') return this.#atom();
    this.#at++;
    const value = this.#atom();
    if (typeof value !== 'number') throw new NotLiteral();
    return sign === '-' ? -value : value;
  }

  #atom(): unknown {
    const next = this.#peek();
    if (next === '[') return this.#list();
    if (next === '(') return this.#parentheses();
    if (next === '{') return this.#braces();
    if (this.#match(stringStart, false)) return this.#strings();
    const digits = this.#match(number);
    if (digits) return toNumber(digits[0], this.#text[this.#at]);
    const word = this.#match(name)?.[0];
    if (word === 'True') return true;
    if (word === 'False') return false;
    if (word === 'None') return null;
    if (word === 'set' && /^\s*\(\s*\)/.test(this.#text.slice(this.#at))) {
      this.#at = this.#text.indexOf(')', this.#at) + 1;
      return [];
    }
    throw new NotLiteral();
  }

  #list(): unknown[] {
    this.#at++;
    const items: unknown[] = [];
    while (this.#peek() !== ']') {
      items.push(this.#value());
      this.#comma(']');
    }
    this.#at++;
    return items;
  }

  #parentheses(): unknown {
    this.#at++;
    if (this.#peek() === ')') {
      this.#at++;
      return [];
    }
    const first = this.#value();
    const value = this.#peek() === ',' ? this.#tupleAfter(first, ')') : first;
    if (this.#peek() !== ')') throw new NotLiteral();
    this.#at++;
    return value;
  }

  #tupleAfter(first: unknown, close: string): unknown[] {
    const items = [first];
    while (this.#peek() === ',') {
      this.#at++;
      if (this.#peek() === close) break;
      items.push(this.#value());
    }
    return items;
  }

  /** A dict, or a set, which becomes a list. */
  #braces(): unknown {
    this.#at++;
    const map: Record<string, unknown> = {};
    const set: unknown[] = [];
    let isSet = false;
    let isMap = false;
    while (this.#peek() !== '}') {
      const key = this.#value();
      if (this.#peek() === ':') {
        this.#at++;
        if (typeof key === 'object' && key !== null) throw new NotLiteral();
        Object.defineProperty(map, keyText(key), {
          value: this.#value(),
          enumerable: true,
          configurable: true,
          writable: true,
        });
        isMap = true;
      } else {
        set.push(key);
        isSet = true;
      }
      if (isSet && isMap) throw new NotLiteral();
      this.#comma('}');
    }
    this.#at++;
    return isSet ? [...new Set(set)] : map;
  }

  /** Neighbours are one string: `'a' 'b'`. */
  #strings(): string {
    let text = '';
    for (let start = this.#match(stringStart); start; start = this.#match(stringStart)) {
      const prefix = (start[1] ?? '').toLowerCase();
      text += this.#stringBody(start[2] ?? "'", prefix.includes('r'));
      this.#space();
    }
    return text;
  }

  #stringBody(quote: string, raw: boolean): string {
    const start = this.#at;
    for (;;) {
      if (this.#at >= this.#text.length) throw new NotLiteral();
      if (this.#text.startsWith(quote, this.#at)) break;
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    }
    const body = this.#text.slice(start, this.#at);
    this.#at += quote.length;
    return raw ? body : unescapePython(body);
  }

  #comma(close: string): void {
    const next = this.#peek();
    if (next === ',') this.#at++;
    else if (next !== close) throw new NotLiteral();
  }

  #peek(): string {
    this.#space();
    return this.#text[this.#at] ?? '';
  }

  /** A comment ends the line, and the text has one line only. */
  #space(): void {
    while (/[ \t\f]/.test(this.#text[this.#at] ?? '')) this.#at++;
    if (this.#text[this.#at] === '#') this.#at = this.#text.length;
  }

  #match(pattern: RegExp, take = true): RegExpExecArray | undefined {
    this.#space();
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match && take) this.#at += match[0].length;
    return match;
  }
}

function toNumber(digits: string, next: string | undefined): number | string {
  const plain = digits.replaceAll('_', '');
  // 0755 is a syntax error in Python, and 1.2.3, 10.0.0.1 and 5m are no numbers.
  if (/^0\d*[1-9]/.test(plain) && /^\d+$/.test(plain)) throw new NotLiteral();
  if (next !== undefined && /[\w.]/.test(next)) throw new NotLiteral();
  const value = Number(plain.endsWith('.') ? plain.slice(0, -1) : plain.replace(/\.(?=[eE])/, ''));
  // More digits than a number keeps: the text is exact.
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) throw new NotLiteral();
  return value;
}

function keyText(key: unknown): string {
  if (key === null) return 'null';
  return String(key);
}

const simpleEscapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Unknown escapes keep their backslash, as in Python. */
function unescapePython(body: string): string {
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))/gs,
    (whole, x: string, u: string, U: string, octal: string, one: string) => {
      const hex = x ?? u ?? U;
      if (hex !== undefined) return fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return fromCodePoint(Number.parseInt(octal, 8));
      if (one === 'x' || one === 'u' || one === 'U' || one === 'N') throw new NotLiteral();
      return simpleEscapes[one] ?? whole;
    },
  );
}

function fromCodePoint(code: number): string {
  if (code > 0x10ffff) throw new NotLiteral();
  return String.fromCodePoint(code);
}
