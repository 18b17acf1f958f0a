/**
 * Takes whole-line comments and blank lines out of a shell script, so that they do not travel to every host.
 * Quoted strings and here-documents stay as they are. test/tooling/compact-shell.test.ts holds every shipped
 * script against bash's own reading of it before and after.
 */
export function compactShell(source: string): string {
  const lexer = newLexer();
  const kept: string[] = [];
  for (const line of source.replace(/\n$/, '').split('\n')) {
    const code = lexer.betweenCommands();
    if (!code || !/^\s*(#|$)/.test(line)) kept.push(line);
    lexer.read(line);
  }
  return `${kept.join('\n')}\n`;
}

/** Shell code. `parens` and `cases` tell the `)` that ends a `$(` from others. */
interface Code {
  readonly kind: 'code';
  readonly end: ')' | '`' | '';
  parens: number;
  cases: number;
}

/** What encloses the text at one spot. */
type Enclosure =
  | Code
  | { readonly kind: 'arithmetic'; parens: number }
  | { readonly kind: 'double' }
  | { readonly kind: 'single' }
  | { readonly kind: 'parameter' };

interface HereDocument {
  readonly delimiter: string;
  readonly tabs: boolean;
}

function newLexer() {
  const stack: Enclosure[] = [{ kind: 'code', parens: 0, cases: 0, end: '' }];
  const pending: HereDocument[] = [];
  let inHereDocument = false;
  let continued = false;

  const top = () => stack[stack.length - 1] as Enclosure;

  function read(line: string): void {
    const document = pending[0];
    if (inHereDocument && document) {
      if ((document.tabs ? line.replace(/^\t+/, '') : line) === document.delimiter) pending.shift();
      inHereDocument = pending.length > 0;
      return;
    }
    continued = false;
    let at = 0;
    while (at < line.length) at += step(line, at);
    inHereDocument = pending.length > 0 && top().kind === 'code';
  }

  /** Reads what starts at `at` and tells how many characters it was. */
  function step(line: string, at: number): number {
    const spot = top();
    const rest = line.slice(at);
    if (spot.kind === 'single') {
      if (rest[0] === "'") stack.pop();
      return 1;
    }
    if (rest[0] === '\\') {
      if (rest.length === 1) continued = true;
      return 2;
    }
    if (rest.startsWith('$((')) return enter({ kind: 'arithmetic', parens: 0 }, 3);
    if (rest.startsWith('$(')) return enter({ kind: 'code', parens: 0, cases: 0, end: ')' }, 2);
    if (rest.startsWith('${')) return enter({ kind: 'parameter' }, 2);
    if (rest[0] === '`') {
      if (spot.kind === 'code' && spot.end === '`') return leave(1);
      return enter({ kind: 'code', parens: 0, cases: 0, end: '`' }, 1);
    }
    if (rest[0] === '"') return spot.kind === 'double' ? leave(1) : enter({ kind: 'double' }, 1);
    if (spot.kind === 'double') return 1;
    if (spot.kind === 'parameter') {
      if (rest[0] === '}') return leave(1);
      // Inside "${x:-it's}" an apostrophe is only itself.
      if (rest[0] === "'" && stack[stack.length - 2]?.kind !== 'double') return enter({ kind: 'single' }, 1);
      return 1;
    }
    if (spot.kind === 'arithmetic') {
      if (rest.startsWith('))') && spot.parens === 0) return leave(2);
      if (rest[0] === '(') spot.parens++;
      else if (rest[0] === ')') spot.parens--;
      return 1;
    }
    return code(spot, line, at, rest);
  }

  function code(spot: Code, line: string, at: number, rest: string): number {
    const wordStart = at === 0 || /[\s;&|()`]/.test(line[at - 1] as string);
    if (rest[0] === '#' && wordStart) return rest.length;
    if (rest[0] === "'") return enter({ kind: 'single' }, 1);
    const here = /^<<(-?)[ \t]*(?:'([^']+)'|"([^"]+)"|\\?([^\s;&|<>()'"]+))/.exec(rest);
    if (here) {
      pending.push({ tabs: here[1] === '-', delimiter: here[2] ?? here[3] ?? (here[4] as string) });
      return here[0].length;
    }
    const word = wordStart ? /^[a-z]+(?![\w=-])/.exec(rest)?.[0] : undefined;
    if (word === 'case') spot.cases++;
    if (word === 'esac') spot.cases--;
    if (word) return word.length;
    if (rest[0] === '(') spot.parens++;
    if (rest[0] === ')') {
      if (spot.parens > 0) spot.parens--;
      else if (spot.cases === 0 && spot.end === ')') return leave(1);
    }
    return 1;
  }

  function enter(enclosure: Enclosure, length: number): number {
    stack.push(enclosure);
    return length;
  }

  function leave(length: number): number {
    stack.pop();
    return length;
  }

  return {
    read,
    /** A line that starts here is a command or a comment, not the inside of a string. */
    betweenCommands: () => !inHereDocument && !continued && top().kind === 'code',
  };
}
