import { createRequire } from 'node:module';

type StringWidth = typeof import('string-width').default;
let loaded: StringWidth | undefined;

/** Characters of one column each: ASCII, Latin, and the marks and lines of reports. */
const narrow = /^[\x20-\x7e\xa1-\xac\xae-\u02af\u2010-\u2015\u2018-\u2027\u2190-\u2193\u2500-\u257f✓✔✗✘]*$/;

/** Columns that text takes. The library is loaded for the first text that is out of the ordinary. */
export function widthOf(text: string): number {
  if (narrow.test(text)) return text.length;
  loaded ??= (createRequire(import.meta.url)('string-width') as { default: StringWidth }).default;
  return loaded(text);
}

/** Cuts to a width, with `…` where something is missing. Expects one escaped line without colour. */
export function clip(text: string, width: number): string {
  if (text.length <= width && widthOf(text) <= width) return text;
  if (width < 1) return '';
  let used = 0;
  let end = 0;
  // No line is longer than the screen: look at no more characters than could fit.
  for (const character of text.slice(0, width * 2 + 16)) {
    const size = widthOf(character);
    if (used + size > width - 1) break;
    used += size;
    end += character.length;
  }
  return `${text.slice(0, end)}…`;
}

/** Breaks one escaped line into lines of at most `width` columns, at spaces where there are any. */
export function wrap(text: string, width: number, maxLines = Number.POSITIVE_INFINITY): readonly string[] {
  const limit = Math.max(8, width);
  const lines: string[] = [];
  let rest = text;
  while (rest !== '') {
    const head = fitting(rest, limit);
    if (head.length === rest.length) {
      lines.push(rest);
      break;
    }
    if (lines.length + 1 >= maxLines) {
      lines.push(clip(rest, limit));
      break;
    }
    const space = rest[head.length] === ' ' ? head.length : head.lastIndexOf(' ');
    const comma = head.lastIndexOf(',') + 1;
    // A soft break keeps at least a third of the line filled.
    const cut = space > limit / 3 ? space : comma > limit / 3 ? comma : head.length;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return lines.length === 0 ? [''] : lines;
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function fitting(text: string, width: number): string {
  const slice = text.slice(0, width);
  if (widthOf(slice) === slice.length) return endsInHalf(slice, text) ? slice.slice(0, -1) : slice;
  let used = 0;
  let end = 0;
  for (const character of text.slice(0, width * 2 + 16)) {
    const size = widthOf(character);
    if (used + size > width) break;
    used += size;
    end += character.length;
  }
  return text.slice(0, Math.max(1, end));
}

function endsInHalf(slice: string, text: string): boolean {
  return slice.length < text.length && /[\ud800-\udbff]$/.test(slice);
}
