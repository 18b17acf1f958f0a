import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCode, UserError } from '../errors.js';

/**
 * Keeps two processes from working on one run (a run and its resume). The file names its holder by pid, start
 * time and boot id, so that what a killed process left behind is told from a process at work.
 * @returns how to give it back
 * @throws UserError E_LOCKED, exit 75
 */
export function lockRun(folder: string, pid: number): () => void {
  const file = join(folder, 'lock');
  const me = identify(pid);
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      writeFileSync(file, JSON.stringify(me), { flag: 'wx', mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(file);
    if (holder && isAlive(holder)) {
      const what = `process ${holder.pid} is working on this run`;
      throw new UserError({ code: 'E_LOCKED', what, hint: 'wait for it, or end it first' }, exitCode.locked);
    }
    rmSync(file, { force: true });
  }
  throw new UserError(
    { code: 'E_LOCKED', what: 'another process took this run', hint: 'wait for it' },
    exitCode.locked,
  );
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
