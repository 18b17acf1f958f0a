import type { Place } from '../errors.js';

/** Gives the place of the characters `start`…`end` of a text. */
export type Locate = (start: number, end: number) => Place;

/**
 * Maps offsets inside a YAML scalar to columns of its source line. Exact for plain and quoted scalars on
 * one line; for block scalars and folded lines it gives the start of the scalar.
 */
export function locateInScalar(place: Place, text: string): Locate {
  const offsets = scalarOffsets(place, text);
  if (offsets === undefined) return () => place;
  return (start, end) => {
    const first = offsets[Math.min(start, text.length)] as number;
    const last = offsets[Math.min(Math.max(end, start + 1), text.length)] as number;
    return { ...place, column: first + 1, length: Math.max(1, last - first) };
  };
}

/** The index in the source line of every character of the text, and of its end. */
function scalarOffsets(place: Place, text: string): readonly number[] | undefined {
  const { source, column } = place;
  if (source === undefined || column === undefined) return undefined;
  const start = column - 1;
  const quote = source[start];
  if (quote === '"' || quote === "'") return quotedOffsets(source, start + 1, text, quote);
  if (!source.startsWith(text, start)) return undefined;
  return Array.from({ length: text.length + 1 }, (_, index) => start + index);
}

function quotedOffsets(source: string, start: number, text: string, quote: string): readonly number[] | undefined {
  const offsets: number[] = [];
  let at = start;
  let index = 0;
  while (index < text.length) {
    offsets.push(at);
    const width = quote === "'" ? singleQuotedWidth(source, at) : doubleQuotedWidth(source, at);
    const written = source.slice(at, at + width);
    if (width === 1 && written !== text[index]) return undefined;
    at += width;
    index += 1;
  }
  if (source[at] !== quote) return undefined;
  offsets.push(at);
  return offsets;
}

function singleQuotedWidth(source: string, at: number): number {
  return source.startsWith("''", at) ? 2 : 1;
}

const escapeWidths: Readonly<Record<string, number>> = { x: 4, u: 6 };

function doubleQuotedWidth(source: string, at: number): number {
  return source[at] === '\\' ? (escapeWidths[source[at + 1] ?? ''] ?? 2) : 1;
}
