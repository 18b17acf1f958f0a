import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWholeFile } from '../reports/write-file.js';
import { type LastStates, noLastStates } from '../result/last.js';

/**
 * What the last runs of a runbook saw, in one small file `latest.N.json` with the highest N. A new one is linked
 * one above the last: of two runs that end at once only one gets the name, and the other begins again from what
 * that one wrote. Nothing is locked, so nothing is left locked by a process that was killed.
 */
export async function readLastStates(folder: string): Promise<LastStates> {
  return (await newest(folder)).states;
}

/** Reads, changes and writes. Throws when the file system does not let it. */
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

async function newest(folder: string): Promise<{ readonly number: number; readonly states: LastStates }> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const number = Math.max(0, ...(await numbers(folder)));
    if (number === 0) return { number, states: noLastStates };
    try {
      return { number, states: read(await readFile(fileOf(folder, number), 'utf8')) };
    } catch (error) {
      // Another run has written a newer one in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${folder}: too many runs of this runbook end at once`);
}

/** A file of another version, or one that somebody damaged, is as good as none: the next run is a first one. */
function read(text: string): LastStates {
  try {
    const states = JSON.parse(text) as LastStates;
    const isOurs = states?.schema === noLastStates.schema && typeof states.hosts === 'object';
    return isOurs ? states : noLastStates;
  } catch {
    return noLastStates;
  }
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
