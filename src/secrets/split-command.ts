/**
 * Cuts a command line into words as a shell quotes them: blanks separate, '…' and "…" group, \ escapes.
 * Nothing is expanded. Undefined when a quote has no end.
 */
export function splitCommand(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] as string;
    if (quote === "'" ? char !== "'" : char === '\\') {
      const literal = quote === "'" ? char : escaped(line[at + 1], quote);
      if (quote !== "'") at += 1;
      word = (word ?? '') + literal;
    } else if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

// Between double quotes a backslash stays, except before what it can escape there.
function escaped(next: string | undefined, quote: string): string {
  if (next === undefined) return '\\';
  return quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next;
}
