/**
 * Shell patterns in time that grows with pattern × text, whatever the pattern: one `*` is tried again at a time,
 * never a stack of them. `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const tokens = tokenize(pattern);
  return (text) => {
    const characters = [...text];
    let token = 0;
    let at = 0;
    let star = -1;
    let retry = 0;
    while (at < characters.length) {
      const current = tokens[token];
      if (current === '*') {
        star = token++;
        retry = at;
      } else if (current?.(characters[at] ?? '')) {
        token++;
        at++;
      } else if (star !== -1) {
        token = star + 1;
        at = ++retry;
      } else return false;
    }
    while (tokens[token] === '*') token++;
    return token === tokens.length;
  };
}

export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

type Token = '*' | ((character: string) => boolean);

function tokenize(pattern: string): Token[] {
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') {
      const previous = tokens.at(-1);
      if (previous !== '*') tokens.push('*');
    } else if (character === '?') tokens.push(() => true);
    else {
      const close = character === '[' ? closingBracket(characters, at) : -1;
      if (close === -1) tokens.push((other) => other === character);
      else {
        tokens.push(characterClass(characters.slice(at + 1, close)));
        at = close;
      }
    }
  }
  return tokens;
}

/** `]` right after `[` or `[!` stands for itself. */
function closingBracket(characters: readonly string[], open: number): number {
  const first = open + (characters[open + 1] === '!' ? 2 : 1);
  return characters.indexOf(']', first + 1);
}

function characterClass(body: readonly string[]): (character: string) => boolean {
  const negated = body[0] === '!';
  const members = negated ? body.slice(1) : body;
  const singles = new Set<string>();
  const spans: (readonly [string, string])[] = [];
  for (let at = 0; at < members.length; at++) {
    const [from, dash, to] = [members[at] ?? '', members[at + 1], members[at + 2]];
    if (dash === '-' && to !== undefined) {
      spans.push([from, to]);
      at += 2;
    } else singles.add(from);
  }
  return (character) =>
    (singles.has(character) || spans.some(([from, to]) => from <= character && character <= to)) !== negated;
}
