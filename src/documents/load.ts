import { resolve } from 'node:path';
import { type Place, type Problem, UserError } from '../errors.js';
import type { LoadedDocument } from './document.js';
import type { JsonSchema } from './json-schema.js';
import { parse } from './parse.js';
import { readRegularFile } from './read.js';
import type { ParsedFile } from './tree.js';
import { ordered, validate } from './validate.js';

export interface ReadOptions {
  readonly cwd: string;
  /** What the file is, for messages: `a runbook`. */
  readonly subject: string;
  /** Where the file was asked for, when that is in another file. */
  readonly from?: Place;
}

/** Reads and parses a file that the user named; a relative path is relative to `cwd`. */
export async function readDocument(path: string, { cwd, subject, from }: ReadOptions): Promise<ParsedFile> {
  const bytes = await readRegularFile(resolve(cwd, path), path, from);
  return parse(bytes, path, { subject });
}

export interface LoadOptions extends ReadOptions {
  readonly schema: JsonSchema;
  /** Name of the validator compiled from `schema`: `inventory`. */
  readonly validator: string;
  readonly templates?: boolean;
}

/** Reads, parses and validates a file. Throws one UserError with all that is wrong in it. */
export async function loadDocument<T>(path: string, options: LoadOptions): Promise<LoadedDocument<T>> {
  const parsed = await readDocument(path, options);
  const problems = await documentProblems(parsed, options);
  if (problems.length > 0) throw new UserError(problems);
  return loadedDocument<T>(parsed);
}

export type DocumentSchema = Pick<LoadOptions, 'schema' | 'validator' | 'subject' | 'templates'>;

/** What parsing and the schema find wrong, each slip once. */
export async function documentProblems(parsed: ParsedFile, check: DocumentSchema): Promise<Problem[]> {
  const { schema, validator, subject, templates } = check;
  const found = await validate({
    ...{ schema, validator, subject, value: parsed.value, place: parsed.place, written: parsed.written },
    ...(templates !== undefined && { templates }),
  });
  return mergeProblems(parsed.problems, found);
}

/**
 * Problems of the reader and of the schema in order of place. A value that the reader refused is not judged
 * again, except that a schema knows better what should be finite.
 */
export function mergeProblems(read: readonly Problem[], found: readonly Problem[]): Problem[] {
  const better = read.map((problem) => {
    const known = problem.code === 'E_RANGE' ? found.find((other) => isSamePlace(other, problem)) : undefined;
    return known ?? problem;
  });
  return ordered([...better, ...found]);
}

function isSamePlace(a: Problem, b: Problem): boolean {
  return a.place?.line === b.place?.line && a.place?.column === b.place?.column && a.place?.file === b.place?.file;
}

export function loadedDocument<T>({ file, sha256, value, place }: ParsedFile): LoadedDocument<T> {
  return { file, sha256, value: value as T, place };
}
