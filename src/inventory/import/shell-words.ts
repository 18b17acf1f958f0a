/**
 * Python's `shlex.split` in POSIX mode: quotes, backslashes, and with `comments` a `#` that ends the line wherever
 * it stands outside quotes.
 * @throws Error when a quote is not closed
 */
export function splitShellWords(text: string, comments = false): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at++);
    if (/[ \t\r\n]/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (comments && character === '#') break;
    else if (character === '\\') {
      if (at >= text.length) throw new Error('a backslash at the end');
      word = (word ?? '') + text.charAt(at++);
    } else if (character === "'") {
      const end = text.indexOf("'", at);
      if (end === -1) throw new Error('a quote without its end');
      word = (word ?? '') + text.slice(at, end);
      at = end + 1;
    } else if (character === '"') {
      const [quoted, end] = doubleQuoted(text, at);
      word = (word ?? '') + quoted;
      at = end;
    } else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Only `\\` and `\"` are escapes inside double quotes. */
function doubleQuoted(text: string, start: number): [string, number] {
  let quoted = '';
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return [quoted, at + 1];
    const next = text.charAt(at + 1);
    if (character === '\\' && (next === '\\' || next === '"')) {
      quoted += next;
      at++;
    } else quoted += character;
  }
  throw new Error('a quote without its end');
}
