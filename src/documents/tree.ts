import type { Place, Problem } from '../errors.js';
import type { DocumentPath } from './document.js';
import type { Source } from './source.js';

/** Where a value and its key are in the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly keyStart?: number;
  readonly keyEnd?: number;
  /** A scalar without quotes: YAML decided its type. */
  readonly plain: boolean;
}

/** A file as a value whose parts know their place. */
export interface ParsedFile {
  readonly file: string;
  readonly sha256: string;
  /** Plain data. Shares nothing between two places, also where the file uses an alias. */
  readonly value: unknown;
  /** Found while reading, in order of place. The value is whole all the same. */
  readonly problems: readonly Problem[];
  /** The place of a value, or of its key. Falls back to the nearest parent that is in the file. */
  place(path: DocumentPath, part?: 'key' | 'value'): Place;
  /** The text of a scalar without quotes as it was written, such as `0644`; undefined for anything else. */
  written(path: DocumentPath): string | undefined;
}

/** What a reader (yaml.ts, json.ts) makes of a text. */
export interface Tree {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** The span of `path`, or of its nearest parent that is there. */
  find(path: DocumentPath): { readonly span: Span; readonly exact: boolean };
}

export function parsedFile(source: Source, sha256: string, tree: Tree): ParsedFile {
  return {
    file: source.file,
    sha256,
    value: tree.value,
    problems: tree.problems,
    place(path, part = 'value') {
      const { span, exact } = tree.find(path);
      // A map that is too long to underline is shown by its key.
      if (span.keyStart !== undefined && (part === 'key' || !exact)) return source.place(span.keyStart, span.keyEnd);
      return source.place(span.start, span.end);
    },
    written(path) {
      const { span, exact } = tree.find(path);
      return exact && span.plain ? source.text.slice(span.start, span.end) : undefined;
    },
  };
}

export function valueAt(value: unknown, path: DocumentPath): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}
