import type { Place } from '../errors.js';

export type DocumentPath = readonly (string | number)[];

/** A parsed, validated file whose every value still knows its place. */
export interface LoadedDocument<T> {
  /** As the user gave it, for messages. */
  readonly file: string;
  /** Hex, of the bytes on disk. */
  readonly sha256: string;
  readonly value: T;
  /** The place of a value, or of its key. Falls back to the nearest parent that is in the file. */
  place(path: DocumentPath, part?: 'key' | 'value'): Place;
}
