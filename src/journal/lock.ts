import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCode, UserError } from '../errors.js';

/**
 * Keeps two processes from working on one run (a run and its resume). Each holder links a file `lock.N` one above
 * the last and never removes it: two that find the same dead holder want the same next name, and only one gets
 * it. A holder is known by pid, start time and boot id, so that what a killed process left is told from one at work.
 * @returns how to give it back
 * @throws UserError E_LOCKED, exit 75
 */
export function lockRun(folder: string, pid: number): () => void {
  const last = lastLock(folder);
  const holder = last === 0 ? undefined : readHolder(lockFile(folder, last));
  if (holder && isAlive(holder)) throw locked(`process ${holder.pid} is working on this run`);
  const file = lockFile(folder, last + 1);
  if (!claim(file, identify(pid))) throw locked('another process took this run');
  return () => {
    try {
      writeFileSync(file, '');
    } catch {
      // It ends with this process.
    }
  };
}

/** Whether a process works on the run. */
export function isLocked(folder: string): boolean {
  const holder = readHolder(lockFile(folder, lastLock(folder)));
  return holder !== undefined && isAlive(holder);
}

/** Makes the file with its contents in one step; false when it exists. */
function claim(file: string, holder: Holder): boolean {
  const draft = `${file}.${holder.pid}`;
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    linkSync(draft, file);
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    const hint = 'free space, or set another `state` folder';
    throw new UserError({ code: 'E_OUTPUT', what: `${file}: ${message}`, hint }, exitCode.output, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
}

function lockFile(folder: string, number: number): string {
  return join(folder, `lock.${number}`);
}

/** The number of the newest lock, 0 for none. */
function lastLock(folder: string): number {
  const numbers = readdirSync(folder).map((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

function locked(what: string): UserError {
  return new UserError({ code: 'E_LOCKED', what, hint: 'wait for it, or end it first' }, exitCode.locked);
}

interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
}

function identify(pid: number): Holder {
  return { pid, started: startedAt(pid) ?? '', boot: read('/proc/sys/kernel/random/boot_id') ?? '' };
}

function isAlive(holder: Holder): boolean {
  const now = identify(holder.pid);
  return holder.boot === now.boot && holder.started === now.started && startedAt(holder.pid) !== undefined;
}

/** Start time in ticks since boot, field 22 of /proc/PID/stat. */
function startedAt(pid: number): string | undefined {
  return read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')[19];
}

/** Undefined for a lock that was given back. */
function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
