import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWholeFile } from '../reports/write-file.js';
import { isLastStates, type LastStates, noLastStates } from '../result/last.js';

/**
 * What the last runs of a runbook saw, in one small file `latest.N.json` with the highest N. A new one is linked
 * one above the last: of two runs that end at once only one gets the name, and the other begins again from what
 * that one wrote. Nothing is locked, so nothing is left locked by a process that was killed.
 */
export async function readLastStates(folder: string): Promise<LastStates> {
  const { states, damaged } = await newest(folder);
  if (damaged !== undefined) throw new Error(`${damaged} is damaged`);
  return states;
}

/** Reads, changes and writes; begins anew after a damaged file. Throws when the file system does not let it. */
export async function updateLastStates(folder: string, update: (states: LastStates) => LastStates): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const { number, states } = await newest(folder);
    const draft = join(folder, `draft-${randomUUID()}`);
    try {
      await writeWholeFile(draft, JSON.stringify(update(states)));
      await link(draft, fileOf(folder, number + 1));
      await removeBelow(folder, number);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }
  throw new Error(`${folder}: too many runs of this runbook end at once`);
}

const maxAttempts = 100;

function fileOf(folder: string, number: number): string {
  return join(folder, `latest.${number}.json`);
}

interface Newest {
  readonly number: number;
  readonly states: LastStates;
  /** The file, where it says nothing. */
  readonly damaged?: string;
}

async function newest(folder: string): Promise<Newest> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const number = Math.max(0, ...(await numbers(folder)));
    if (number === 0) return { number, states: noLastStates };
    const file = fileOf(folder, number);
    try {
      const states = read(await readFile(file, 'utf8'), file);
      return { number, ...(states ? { states } : { states: noLastStates, damaged: file }) };
    } catch (error) {
      // Another run has written a newer one in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${folder}: too many runs of this runbook end at once`);
}

/** Undefined for what somebody damaged. That of another version is left as it is, for the version that can read it. */
function read(text: string, file: string): LastStates | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const schema = (value as { readonly schema?: unknown } | null)?.schema;
  if (typeof schema === 'string' && /^opsctl\.last\/\d+$/.test(schema) && schema !== noLastStates.schema)
    throw new Error(`${file} has format ${schema}; this opsctl reads ${noLastStates.schema}`);
  return isLastStates(value) ? value : undefined;
}

async function numbers(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.map((name) => Number(/^latest\.(\d+)\.json$/.exec(name)?.[1] ?? 0));
}

/** The last but one stays: somebody may be about to read it. */
async function removeBelow(folder: string, number: number): Promise<void> {
  for (const old of await numbers(folder)) if (old > 0 && old < number) await rm(fileOf(folder, old), { force: true });
}
