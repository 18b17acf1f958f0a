import { createHash } from 'node:crypto';
import { decode } from './decode.js';
import { readJson } from './json.js';
import { type Source, sourceOf } from './source.js';
import { type ParsedFile, parsedFile } from './tree.js';

export interface ParseOptions {
  /** What the file is, for messages: `a runbook`. */
  readonly subject?: string;
}

/**
 * The bytes of a file as located data: JSON when the name ends in `.json`, YAML otherwise. Throws a UserError when
 * the file cannot be read as a tree; `problems` holds what is wrong in a tree that can still be validated.
 */
export async function parse(bytes: Buffer, file: string, options: ParseOptions = {}): Promise<ParsedFile> {
  return parseText(readText(bytes, file), options);
}

/** The text of a file, before it is read as a tree. */
export interface FileText {
  readonly source: Source;
  /** Hex, of the bytes on disk. */
  readonly sha256: string;
}

export function readText(bytes: Buffer, file: string): FileText {
  return { source: sourceOf(file, decode(bytes, file)), sha256: createHash('sha256').update(bytes).digest('hex') };
}

export async function parseText({ source, sha256 }: FileText, options: ParseOptions = {}): Promise<ParsedFile> {
  if (/\.json$/i.test(source.file)) return parsedFile(source, sha256, readJson(source));
  // Loaded on use: a run with JSON files only does not need the YAML library.
  const { readYaml } = await import('./yaml.js');
  return parsedFile(source, sha256, readYaml(source, options.subject ?? 'a document'));
}
