import type { Place } from '../errors.js';

/** The text of one file, and where an offset of it is on the screen. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** The place of the characters from `start` up to `end`. The caret stops at the end of the line. */
  place(start: number, end?: number): Place;
}

export function sourceOf(file: string, text: string): Source {
  let starts: number[] | undefined;
  return {
    file,
    text,
    place(start, end = start + 1) {
      starts ??= lineStarts(text);
      const line = lineOf(starts, start);
      const lineStart = starts[line] ?? 0;
      const nextStart = starts[line + 1];
      const lineEnd = nextStart === undefined ? text.length : nextStart - 1;
      return {
        file,
        line: line + 1,
        column: start - lineStart + 1,
        source: visible(text.slice(lineStart, lineEnd)),
        length: Math.max(1, Math.min(end, lineEnd) - start),
      };
    },
  };
}

/** A stretch of a text that was made from another one: copied from there, or put in place of what stands there. */
export interface Piece {
  readonly text: string;
  /** Where it comes from in the original. */
  readonly start: number;
  readonly end: number;
  readonly copied: boolean;
}

/** A text made from another one, such as a rendered template. Its places are those of the original. */
export function rewritten(original: Source, pieces: readonly Piece[]): Source {
  return {
    file: original.file,
    text: pieces.map(({ text }) => text).join(''),
    place(start, end = start + 1) {
      let at = 0;
      for (const piece of pieces) {
        const inside = start - at;
        if (inside < piece.text.length) {
          if (!piece.copied) return original.place(piece.start, piece.end);
          return original.place(piece.start + inside, Math.min(piece.end, piece.start + end - at));
        }
        at += piece.text.length;
      }
      return original.place(original.text.length);
    },
  };
}

/** Characters that would drive a terminal or reorder its text; each becomes one harmless character, so carets still fit. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
export const unsafeCharacter = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/;
const unsafeCharacters = new RegExp(unsafeCharacter, 'g');

function visible(line: string): string {
  return line.replace(unsafeCharacters, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd';
  });
}

/** A value as a message quotes it: on one line, short, nothing in it that could drive a terminal. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  const escaped = JSON.stringify(short).replace(
    new RegExp(unsafeCharacter, 'g'),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return typeof value === 'string' ? escaped : escaped.slice(1, -1).replaceAll('\\"', '"');
}

/** `U+00A0`, as messages name a character. */
export function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
