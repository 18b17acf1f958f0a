import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { loadValidator } from '../documents/validators.js';
import { UserError } from '../errors.js';
import type { RunResult } from '../result/result.schema.js';

/** A run on the disk. `result` is absent while it runs, and after it was killed. */
export interface StoredRun {
  readonly id: string;
  readonly folder: string;
  readonly result?: RunResult;
  /** Why its result cannot be read. */
  readonly problem?: string;
}

/** The newest runs first. */
export async function listRuns(stateFolder: string, limit = Number.POSITIVE_INFINITY): Promise<readonly StoredRun[]> {
  const ids = (await runIds(stateFolder)).slice(0, limit);
  const runs: StoredRun[] = [];
  for (const id of ids) {
    const folder = join(stateFolder, 'runs', id);
    const file = join(folder, 'result.json');
    if (!(await isFile(file))) runs.push({ id, folder });
    else
      try {
        runs.push({ id, folder, result: await readResult(file) });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        runs.push({ id, folder, problem: error.problems[0]?.what ?? error.message });
      }
  }
  return runs;
}

/**
 * The `result.json` that RUN means: a path, `last`, a run id, or the start of one that only one run has.
 * @throws UserError E_RUN_NOT_FOUND, E_RUN_AMBIGUOUS, E_RUN_UNFINISHED
 */
export async function findRun(stateFolder: string, ref: string, cwd = ''): Promise<string> {
  if (ref.includes('/') || ref.endsWith('.json')) return findFile(ref, cwd);
  const ids = await runIds(stateFolder);
  if (ref === 'last') return lastRun(stateFolder, ids);
  const id = matchId(stateFolder, ref, ids);
  const file = join(stateFolder, 'runs', id, 'result.json');
  if (!(await isFile(file))) throw unfinished(id);
  return file;
}

/** The folder of a run, finished or not: what `opsctl resume` goes on with. `last` is the newest. */
export async function findRunFolder(stateFolder: string, ref: string): Promise<string> {
  const ids = await runIds(stateFolder);
  const [id] = ids;
  if (ref === 'last' && id !== undefined) return join(stateFolder, 'runs', id);
  return join(stateFolder, 'runs', matchId(stateFolder, ref, ids));
}

/** Reads a result and makes sure that it is one. */
export async function readResult(file: string): Promise<RunResult> {
  const invalid = (what: string, hint = 'run it again, or use the version of opsctl that wrote it') =>
    new UserError({ code: 'E_RESULT_INVALID', what, hint, place: { file } });
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(`cannot be read: ${(error as Error).message}`, 'check the path and its permissions');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`is not JSON: ${(error as Error).message}`);
  }
  const schema = (value as { schema?: unknown } | null)?.schema;
  if (schema !== 'opsctl.result/1')
    throw invalid(
      typeof schema === 'string' && schema.startsWith('opsctl.result/')
        ? `has format ${schema}; this opsctl reads opsctl.result/1`
        : 'is no result of an opsctl run',
    );
  const validate = await loadValidator('result');
  if (!validate(value)) {
    const [error] = validate.errors ?? [];
    throw invalid(`does not fit its schema: ${error?.instancePath || '/'} ${error?.message ?? 'is not valid'}`);
  }
  return value as RunResult;
}

async function findFile(ref: string, cwd: string): Promise<string> {
  const path = isAbsolute(ref) ? ref : resolve(cwd, ref);
  for (const file of [path, join(path, 'result.json')]) if (await isFile(file)) return file;
  throw new UserError({
    code: 'E_RUN_NOT_FOUND',
    what: `no result file ${ref}`,
    hint: 'give a run id, `last`, or the path of a result.json',
  });
}

async function lastRun(stateFolder: string, ids: readonly string[]): Promise<string> {
  for (const id of ids) {
    const file = join(stateFolder, 'runs', id, 'result.json');
    if (await isFile(file)) return file;
  }
  const [id] = ids;
  if (id !== undefined) throw unfinished(id);
  throw new UserError({ code: 'E_RUN_NOT_FOUND', what: `no run in ${stateFolder}`, hint: 'nothing has run yet' });
}

function unfinished(id: string): UserError {
  return new UserError({
    code: 'E_RUN_UNFINISHED',
    what: `run ${id} has no result: it is still running, or was killed`,
    hint: `finish it with \`opsctl resume ${id}\``,
  });
}

/** The id that REF is, or is the start of. */
function matchId(stateFolder: string, ref: string, ids: readonly string[]): string {
  const exact = ids.includes(ref) ? [ref] : ref === '' ? [] : ids.filter((id) => id.startsWith(ref));
  const [id, ...others] = exact;
  if (id === undefined)
    throw new UserError({
      code: 'E_RUN_NOT_FOUND',
      what: `no run "${ref}" in ${stateFolder}`,
      hint: ids.length === 0 ? 'nothing has run yet' : 'list them with `opsctl runs`',
    });
  if (others.length > 0)
    throw new UserError({
      code: 'E_RUN_AMBIGUOUS',
      what: `"${ref}" is the start of ${exact.length} runs: ${exact.slice(0, 5).join(', ')}${exact.length > 5 ? ' …' : ''}`,
      hint: 'give more of the id',
    });
  return id;
}

/** The newest first. Run ids sort by time, to the second; folders tell which of one second came later. */
export async function runIds(stateFolder: string): Promise<readonly string[]> {
  const folder = join(stateFolder, 'runs');
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const ids = entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort()
      .reverse();
    return await orderWithinSeconds(ids, folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new UserError(
      { code: 'E_RUN_NOT_FOUND', what: `${folder}: ${message}`, hint: 'check its owner and permissions' },
      undefined,
      { cause: error },
    );
  }
}

async function orderWithinSeconds(ids: readonly string[], folder: string): Promise<readonly string[]> {
  const second = (id: string) => id.replace(/-[^-]*$/, '');
  const created = new Map<string, bigint>();
  for (const [index, id] of ids.entries()) {
    const beside = [ids[index - 1], ids[index + 1]];
    if (!beside.some((other) => other !== undefined && second(other) === second(id))) continue;
    const found = await stat(join(folder, id), { bigint: true }).catch(() => undefined);
    created.set(id, found?.birthtimeNs ?? 0n);
  }
  return ids.toSorted((a, b) => {
    if (second(a) !== second(b)) return 0;
    const [first, other] = [created.get(a) ?? 0n, created.get(b) ?? 0n];
    return first > other ? -1 : Number(first < other);
  });
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}
