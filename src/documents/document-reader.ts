import { readdir, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Place, type Problem, UserError } from '../errors.js';
import type { DocumentPath } from './document.js';
import { type IncludeLink, includedFileProblem } from './include.js';
import { type DocumentSchema, documentProblems } from './load.js';
import { type FileText, parseText, readText } from './parse.js';
import { readRegularFile } from './read.js';
import { containsTemplate } from './template.js';
import type { ParsedFile } from './tree.js';

/** A file that a step names, as text. Its path and what led to it decide what it may include. */
export interface NamedFile extends FileText {
  readonly path: string;
  /** Files that it includes must be inside it. */
  readonly root: string;
  /** The files that include it, outermost first, and itself. */
  readonly chain: readonly IncludeLink[];
}

export interface Named {
  /** Where the file is asked for. */
  readonly from: Place;
  /** The document that asks for it; the runbook when absent. Relative names are relative to its folder. */
  readonly beside?: NamedFile;
}

/**
 * How a step kind reads files of its own while its runbook is loaded. What is wrong is told with all other problems of
 * the runbook, and then the answer is undefined.
 */
export interface DocumentReader {
  /** The place of a parameter; the path starts in `with`. */
  place(path: DocumentPath, part?: 'key' | 'value'): Place;
  /** Refuses expressions in parameters that must be known before any contact. */
  areFixed(params: Readonly<Record<string, unknown>>, names: readonly string[]): boolean;
  read(name: string, named: Named): Promise<NamedFile | undefined>;
  /** Paths of the files that a pattern (`*`, `?`, `[a-z]`) finds, sorted, ready for `read`. */
  find(pattern: string, named: Named): Promise<readonly string[]>;
  parse(text: FileText, check: DocumentCheck): Promise<ParsedFile | undefined>;
  /** `read` and `parse`. */
  load(name: string, options: Named & DocumentCheck): Promise<ParsedFile | undefined>;
  refuse(problem: Problem): void;
}

/** What a document must be. Without a schema it is any tree. */
export type DocumentCheck = Pick<DocumentSchema, 'subject'> & Partial<DocumentSchema>;

export interface ReaderOptions {
  readonly cwd: string;
  /** Folder of the runbook. */
  readonly folder: string;
  /** Where files must be. Each file's own folder when absent. */
  readonly root?: string;
  readonly place: DocumentReader['place'];
  readonly refuse: (problem: Problem) => void;
  /** Takes what was read. */
  readonly files: { readonly file: string; readonly sha256: string }[];
}

const fileLimit = 200;

export function documentReader(options: ReaderOptions): DocumentReader {
  const { cwd, place, refuse } = options;
  let files = 0;
  const pathOf = (name: string, { beside }: Named) => resolve(beside ? dirname(beside.path) : options.folder, name);

  async function read(name: string, named: Named): Promise<NamedFile | undefined> {
    const { from, beside } = named;
    const path = pathOf(name, named);
    const root = beside?.root ?? options.root ?? dirname(path);
    const chain = beside?.chain ?? [];
    if (++files > fileLimit) {
      if (files === fileLimit + 1)
        refuse({
          code: 'E_INCLUDE_LIMIT',
          what: `more than ${fileLimit} files are included`,
          hint: 'include less',
          place: from,
        });
      return undefined;
    }
    const problem = await includedFileProblem(path, { written: name, root, chain, from });
    if (problem) {
      refuse(problem);
      return undefined;
    }
    return attempt(async () => {
      const shown = shownPath(path, cwd);
      const text = readText(await readRegularFile(path, shown, from), shown);
      options.files.push({ file: shown, sha256: text.sha256 });
      const real = await realpath(path);
      return { ...text, path, root, chain: [...chain, { real, name: shown }] };
    });
  }

  async function parse(text: FileText, check: DocumentCheck): Promise<ParsedFile | undefined> {
    return attempt(async () => {
      const parsed = await parseText(text, check);
      const { schema, validator, ...rest } = check;
      const problems =
        schema && validator ? await documentProblems(parsed, { ...rest, schema, validator }) : parsed.problems;
      for (const problem of problems) refuse(problem);
      return problems.length === 0 ? parsed : undefined;
    });
  }

  async function attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      for (const problem of error.problems) refuse(problem);
      return undefined;
    }
  }

  return {
    place,
    refuse,
    read,
    parse,
    async load(name, { from, beside, ...check }) {
      const text = await read(name, { from, ...(beside && { beside }) });
      return text && parse(text, check);
    },
    find: (pattern, named) => findFiles(pathOf(pattern, named)),
    areFixed(params, names) {
      const open = names.flatMap((name) => templatesIn(params[name], [name]));
      for (const path of open)
        refuse({
          code: 'E_INCLUDE_DYNAMIC',
          what: `\`${path[0]}\` is fixed before any host is contacted`,
          hint: 'write its value, without ${{ }}',
          place: place(path),
        });
      return open.length === 0;
    },
  };
}

/** As messages name a file: relative where it is below the working folder. */
export function shownPath(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path.startsWith(`..${sep}`) || isAbsolute(path) ? file : path;
}

function templatesIn(value: unknown, path: DocumentPath): DocumentPath[] {
  if (typeof value === 'string') return containsTemplate(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    templatesIn(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

async function findFiles(pattern: string): Promise<string[]> {
  let found = ['/'];
  for (const part of pattern.split(sep).filter((each) => each !== '')) {
    if (!/[*?[]/.test(part)) {
      found = found.map((folder) => join(folder, part));
      continue;
    }
    const wanted = segmentPattern(part);
    const below = await Promise.all(
      found.map(async (folder) => {
        const names = await readdir(folder).catch((): string[] => []);
        return names.filter((name) => wanted.test(name)).map((name) => join(folder, name));
      }),
    );
    found = below.flat();
  }
  return found.sort();
}

function segmentPattern(part: string): RegExp {
  const source = part.replace(/\[[^\]]+\]|[\s\S]/g, (piece) => {
    if (piece.length > 1) return `[${piece.slice(1, -1).replaceAll('\\', '\\\\')}]`;
    return piece === '*' ? '.*' : piece === '?' ? '.' : piece.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 's');
}
