import type { Regex } from './regex.js';

/** `text`, `^text`, `text$`, `^text$`, each with or without `(?m)`; ASCII without any special character. */
const shape = /^(\(\?m\))?(\^?)([\w \-/:;,=@%&#<>!~"'`]{1,100})(\$?)$/;

/**
 * A pattern that is nothing but text, perhaps tied to a beginning or an end. Most patterns of runbooks are, and the
 * engine need not be loaded for them. Undefined for any other pattern.
 */
export function plainText(source: string): Regex | undefined {
  const [, lines, start, text, end] = shape.exec(source) ?? [];
  if (text === undefined) return undefined;
  const begins = (subject: string, at: number) => at === 0 || (lines !== undefined && subject[at - 1] === '\n');
  const ends = (subject: string, at: number) => at === subject.length || (lines !== undefined && subject[at] === '\n');
  const indexIn = (subject: string): number => {
    for (let at = subject.indexOf(text); at !== -1; at = subject.indexOf(text, at + 1))
      if ((!start || begins(subject, at)) && (!end || ends(subject, at + text.length))) return at;
    return -1;
  };
  return {
    source,
    test: (subject) => indexIn(subject) !== -1,
    find(subject) {
      const index = indexIn(subject);
      return index === -1 ? undefined : { index, groups: [text] };
    },
  };
}
