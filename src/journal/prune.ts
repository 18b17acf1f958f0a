import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeepRuns } from '../documents/project.schema.js';
import { UserError } from '../errors.js';
import { isLocked, lockRun } from './lock.js';
import { runIds } from './runs.js';
import { folderBytes } from './size.js';

export interface PruneOptions {
  readonly keep: KeepRuns;
  readonly now: Date;
  readonly user: { readonly uid: number | undefined; readonly pid: number };
  /** Finds and removes nothing. */
  readonly dryRun?: boolean;
  /** Finds out how much each run takes up. */
  readonly measure?: boolean;
  /** A run that stays in any case. */
  readonly spare?: string;
  /** Stops when it is over, as far as it came. Milliseconds. */
  readonly budget?: number;
}

export interface Pruned {
  readonly removed: readonly { readonly id: string; readonly runbook: string; readonly bytes: number }[];
  readonly kept: number;
  /** Kept whatever their age: a change began, and nobody knows how it ended. */
  readonly unfinished: readonly string[];
  /** Folders with the name of a run that are none, or somebody else's. */
  readonly foreign: readonly string[];
  /** What could not be removed, in words. */
  readonly problems: readonly string[];
}

/** Such folders are runs; everything else in there is none of our business. */
const runId = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{6}$/;
/** A run on its way out. What a prune that was killed left is found by it. */
const leaving = '.removed-';
const day = 86_400_000;
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Removes old runs, the newest looked at first. Each is locked as a run at work is, then renamed, then removed: no
 * other opsctl ever sees half a run. Symbolic links are never followed.
 * @throws UserError E_STATE_UNSAFE when somebody else may write to the folder
 */
export async function pruneRuns(state: string, options: PruneOptions): Promise<Pruned> {
  const { keep, now, user, dryRun = false, measure = false, spare, budget = Number.POSITIVE_INFINITY } = options;
  const folder = join(state, 'runs');
  const ids = (await runIds(state)).filter((id) => runId.test(id));
  const removed: { id: string; runbook: string; bytes: number }[] = [];
  const unfinished: string[] = [];
  const foreign: string[] = [];
  const problems: string[] = [];
  if (!refuseUnsafe(folder, user.uid)) return { removed, kept: 0, unfinished, foreign, problems };
  const seen = new Map<string, number>();
  const end = performance.now() + budget;
  if (!dryRun) await finishRemoving(folder, user.uid);
  for (const id of ids) {
    if (performance.now() > end) break;
    const path = join(folder, id);
    const run = readRun(path, id, user.uid);
    if (run === 'foreign') foreign.push(path);
    if (typeof run === 'string') continue;
    const isOld = now.getTime() - run.at > keep.days * day;
    const isFinished = run.runbook !== undefined;
    const newer = seen.get(run.runbook ?? '') ?? 0;
    if (isFinished) seen.set(run.runbook, newer + 1);
    if (id === spare || (isFinished ? newer < keep.least || !(isOld || newer >= keep.most) : !isOld)) continue;
    try {
      if (isLocked(path)) continue;
      if (!isFinished && beganChange(path)) {
        unfinished.push(id);
        continue;
      }
      const bytes = measure ? folderBytes(path) : 0;
      if (!dryRun) await remove(folder, id, user.pid);
      removed.push({ id, runbook: run.runbook ?? '', bytes });
    } catch (error) {
      // Somebody works on it since, or removed it: neither is trouble.
      const isTaken = error instanceof UserError && error.problems[0]?.code === 'E_LOCKED';
      if (!isTaken && lstatSync(path, { throwIfNoEntry: false }))
        problems.push(`${path} cannot be removed: ${(error as Error).message}`);
    }
  }
  return { removed, kept: ids.length - removed.length, unfinished, foreign, problems };
}

interface FoundRun {
  /** When it began, or when its result was written: a resumed run is as old as what it found last. */
  readonly at: number;
  /** What counts as one runbook; undefined without a result. Command lines are one, whatever they ran. */
  readonly runbook: string | undefined;
}

function readRun(path: string, id: string, uid: number | undefined): FoundRun | 'foreign' | 'gone' {
  const began = Date.parse(id.replace(runId, '$1-$2-$3T$4:$5:$6Z'));
  try {
    const isOurs = (file: string, type: 'isDirectory' | 'isFile') => {
      const found = lstatSync(file, { throwIfNoEntry: false });
      return found?.[type]() === true && (uid === undefined || found.uid === uid);
    };
    if (!isOurs(path, 'isDirectory') || !isOurs(join(path, 'request.json'), 'isFile'))
      return lstatSync(path, { throwIfNoEntry: false }) ? 'foreign' : 'gone';
    const head = readHead(join(path, 'result.json'));
    if (!head) return { at: began, runbook: undefined };
    return { at: Math.max(began, head.mtime), runbook: runbookOf(head.text) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'gone' : 'foreign';
  }
}

/** Results may be large, and there may be many: the name is in the first line of all. */
function readHead(file: string): { readonly text: string; readonly mtime: number } | undefined {
  if (!lstatSync(file, { throwIfNoEntry: false })) return undefined;
  const descriptor = openSync(file, readOnly);
  try {
    const buffer = Buffer.alloc(4096);
    return { text: buffer.toString('utf8', 0, readSync(descriptor, buffer)), mtime: fstatSync(descriptor).mtimeMs };
  } finally {
    closeSync(descriptor);
  }
}

/** Empty for a command line, and for a result that is damaged or of another version. */
function runbookOf(head: string): string {
  const text = '"(?:[^"\\\\]|\\\\.)*"';
  const found = new RegExp(`^\\{"schema":${text},"run":\\{"id":${text},"runbook":(${text}),"file":`).exec(head);
  return found?.[1] === undefined ? '' : (JSON.parse(found[1]) as string);
}

/** Only changing steps have their start on record. Inside the text of a host the quotes would be escaped. */
function beganChange(path: string): boolean {
  const file = join(path, 'journal.ndjson');
  if (!lstatSync(file, { throwIfNoEntry: false })) return false;
  const descriptor = openSync(file, readOnly);
  try {
    const sign = '"type":"step-start"';
    const buffer = Buffer.alloc(65_536);
    let text = '';
    for (let size = -1; size !== 0; ) {
      size = readSync(descriptor, buffer);
      text = text.slice(-sign.length) + buffer.toString('latin1', 0, size);
      if (text.includes(sign)) return true;
    }
    return false;
  } finally {
    closeSync(descriptor);
  }
}

async function remove(folder: string, id: string, pid: number): Promise<void> {
  lockRun(join(folder, id), pid);
  const away = join(folder, `${leaving}${id}`);
  renameSync(join(folder, id), away);
  await discard(away);
}

/** Another prune may be at it, too: what it removes under our hands is no error. */
async function discard(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

async function finishRemoving(folder: string, uid: number | undefined): Promise<void> {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(leaving) || !runId.test(name.slice(leaving.length))) continue;
    const path = join(folder, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    // What still cannot be removed is tried again the next time.
    if (found?.isDirectory() && (uid === undefined || found.uid === uid)) await discard(path).catch(() => {});
  }
}

/** Who may write to the folder may swap what is in it under our hands. False where there is none yet. */
function refuseUnsafe(folder: string, uid: number | undefined): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found) return false;
  if (uid === undefined || (found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0)) return true;
  throw new UserError({
    code: 'E_STATE_UNSAFE',
    what: found.isDirectory()
      ? `others than you may write to ${folder}, so nothing is removed from it`
      : `${folder} is no folder, so nothing is removed from it`,
    hint: found.uid === uid ? `run \`chmod go-w ${folder}\`` : 'run this as the user whose runs they are',
  });
}
