/**
 * Finds `${{ … }}` in text. Light on purpose: a runbook without expressions never loads the engine.
 * Only text that the user wrote in a document is scanned, never what a host said.
 */

/** One stretch of a template: literal text, or the source of an expression and where it starts. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'expression'; readonly source: string; readonly start: number };

/** An opening `${{` that has no end. */
export interface UnclosedTemplate {
  readonly unclosedAt: number;
}

/** Says whether any string inside a JSON value holds `${{` (an escaped `$${{` too, for it must be unescaped). */
export function hasTemplate(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${{');
  if (Array.isArray(value)) return value.some(hasTemplate);
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([key, item]) => key.includes('${{') || hasTemplate(item));
}

/** Cuts text into literal stretches and expressions. `$${{` stands for a literal `${{`. */
export function splitTemplate(text: string): readonly TemplatePart[] | UnclosedTemplate {
  const parts: TemplatePart[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('$${{', at)) {
      literal += '${{';
      at += 4;
    } else if (text.startsWith('${{', at)) {
      const end = expressionEnd(text, at + 3);
      if (end === undefined) return { unclosedAt: at };
      if (literal !== '') parts.push({ kind: 'text', text: literal });
      literal = '';
      parts.push({ kind: 'expression', source: text.slice(at + 3, end), start: at + 3 });
      at = end + 2;
    } else {
      const next = text.indexOf('$', at + 1);
      const stop = next === -1 ? text.length : next;
      literal += text.slice(at, stop);
      at = stop;
    }
  }
  if (literal !== '') parts.push({ kind: 'text', text: literal });
  return parts;
}

// `}}` inside a quoted string or at the end of nested map literals does not close the expression.
function expressionEnd(text: string, from: number): number | undefined {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const char = text[at] as string;
    if (char === '"' || char === "'") {
      at = stringEnd(text, at, char);
      continue;
    }
    if (char === '{') depth += 1;
    else if (char === '}') {
      if (depth > 0) depth -= 1;
      else if (text[at + 1] === '}') return at;
    }
    at += 1;
  }
  return undefined;
}

function stringEnd(text: string, start: number, quote: string): number {
  const delimiter = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let at = start + delimiter.length;
  while (at < text.length) {
    if (text[at] === '\\') at += 2;
    else if (text.startsWith(delimiter, at)) return at + delimiter.length;
    else at += 1;
  }
  return text.length;
}
