import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Adds one line to a known_hosts file: a lock beside the file against other writers of ours, and a single
 * appending write against everyone else, so that lines never mix.
 */
export async function appendKnownHost(path: string, line: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = await takeLock(`${path}.lock`);
  try {
    const file = openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    try {
      const { size } = fstatSync(file);
      const last = Buffer.alloc(1);
      const needsBreak = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
      const bytes = Buffer.from(`${needsBreak ? '\n' : ''}${line}\n`);
      if (writeSync(file, bytes) !== bytes.length) throw new Error(`${path}: no space left`);
    } finally {
      closeSync(file);
    }
  } finally {
    closeSync(lock);
    rmSync(`${path}.lock`, { force: true });
  }
}

async function takeLock(path: string): Promise<number> {
  for (let tries = 0; ; tries++) {
    try {
      return openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // A lock is held for milliseconds; one of a minute was left by a process that died.
      if (isOld(path)) rmSync(path, { force: true });
      else if (tries > 100) throw new Error(`${path} is held by another process`);
      await sleep(20 + Math.random() * 30);
    }
  }
}

function isOld(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > 60_000;
  } catch {
    return false;
  }
}
