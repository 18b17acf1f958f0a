import { createRequire } from 'node:module';
import type { RE2JS, RE2JSSyntaxException } from 're2js';
import { plainText } from './plain-text.js';

/** A compiled pattern. Time grows with the length of the text, never faster, whatever the pattern. */
export interface Regex {
  readonly source: string;
  /** Says whether the pattern occurs anywhere in the text. */
  test(text: string): boolean;
  /** The first occurrence: where it starts, and its groups (`groups[0]` is the whole match). */
  find(text: string): RegexMatch | undefined;
}

export interface RegexMatch {
  readonly index: number;
  readonly groups: readonly (string | undefined)[];
}

/** What is wrong with a pattern. `index` and `length` point into the pattern where the engine tells. */
export class RegexError extends Error {
  readonly index: number;
  readonly length: number;

  constructor(message: string, index: number, length: number) {
    super(message);
    this.name = 'RegexError';
    this.index = index;
    this.length = length;
  }
}

const longestPattern = 2_000;

/** Compiles a pattern of RE2 syntax. Throws RegexError. */
export function compileRegex(source: string): Regex {
  const plain = plainText(source);
  if (plain) return plain;
  const compiled = compile(source);
  return {
    source,
    test: (text) => compiled.test(text),
    find(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
      return { index: matcher.start(), groups };
    },
  };
}

type Engine = typeof import('re2js');
let loaded: Engine | undefined;

/** Loaded when the first pattern needs it: that takes as long as ten small checks. */
function loadEngine(): Engine {
  loaded ??= createRequire(import.meta.url)('re2js') as Engine;
  return loaded;
}

function compile(source: string): RE2JS {
  if (source.length > longestPattern) {
    throw new RegexError(`the pattern is longer than ${longestPattern} characters`, 0, source.length);
  }
  const engine = loadEngine();
  try {
    return engine.RE2JS.compile(source);
  } catch (error) {
    if (error instanceof engine.RE2JSSyntaxException) throw explain(source, error);
    throw new RegexError('the pattern is too complex', 0, source.length);
  }
}

const unsupported: readonly (readonly [RegExp, string])[] = [
  [/\(\?<[=!]/, 'look-behind is not supported (linear engine)'],
  [/\(\?[=!]/, 'look-ahead is not supported (linear engine)'],
  [/\(\?>/, 'an atomic group is not supported (linear engine)'],
  [/\\[1-9]|\\k[<{']/, 'a back-reference is not supported (linear engine)'],
];

function explain(source: string, error: RE2JSSyntaxException): RegexError {
  const piece = error.getPattern() ?? '';
  const found = piece === '' ? -1 : source.indexOf(piece);
  for (const [shape, message] of unsupported) {
    const match = shape.exec(piece);
    if (match) return new RegexError(message, Math.max(0, found) + match.index, match[0].length);
  }
  // The rest of the pattern is named where an opening has no end; one character is enough for the caret.
  const open = error.getDescription().startsWith('missing closing');
  const index = found === -1 ? Math.max(0, source.length - 1) : found;
  return new RegexError(error.getDescription(), index, open ? 1 : Math.max(1, piece.length));
}

const recent = new Map<string, Regex>();

/** The same as compileRegex, but keeps the last few patterns: expressions are evaluated once per host. */
export function cachedRegex(source: string): Regex {
  const known = recent.get(source);
  if (known) return known;
  const regex = compileRegex(source);
  if (recent.size >= 200) recent.delete(recent.keys().next().value as string);
  recent.set(source, regex);
  return regex;
}
