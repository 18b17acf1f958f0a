import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { Place } from '../errors.js';
import { type Problem, UserError } from '../errors.js';
import { tooBig } from './decode.js';
import { sizeLimit } from './limits.js';
import { nearest } from './nearest.js';

/** Reads a regular file of up to 10 MB. `file` is how messages name it, `place` where it was asked for. */
export async function readRegularFile(path: string, file: string, place: Place = { file }): Promise<Buffer> {
  const refuse = (code: Problem['code'], what: string, hint?: string, cause?: unknown): never => {
    throw new UserError({ code, what, place, ...(hint !== undefined && { hint }) }, undefined, { cause });
  };
  const named = place.file === file && place.line === undefined ? 'this' : `\`${file}\``;
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK the open itself waits for a writer when the path is a FIFO.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = await handle.stat();
    if (!stats.isFile()) return refuse('E_NOT_REGULAR', `${named} is ${kindOf(stats)}`, 'name a regular file');
    if (stats.size > sizeLimit) throw new UserError({ ...tooBig(file, stats.size), place });
    return await readUpTo(handle, sizeLimit + 1);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return refuse(
        'E_NOT_FOUND',
        `${named === 'this' ? 'there is no such file' : `there is no file ${named}`}`,
        file === '-' ? 'standard input is not read: write it into a file' : await suggestion(path),
        error,
      );
    }
    if (code === 'ENXIO')
      return refuse('E_NOT_REGULAR', `${named} is a socket or device`, 'name a regular file', error);
    if (code === 'EACCES' || code === 'EPERM') {
      return refuse(
        'E_NOT_READABLE',
        `${named} may not be read by this user`,
        'change its mode, or run as its owner',
        error,
      );
    }
    if (code === undefined) throw error;
    return refuse('E_NOT_READABLE', `${named} cannot be read: ${message}`, 'name another file', error);
  } finally {
    await handle?.close();
  }
}

/** A file that grows while it is read ends at the limit, too. */
async function readUpTo(handle: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < limit) {
    const { bytesRead, buffer } = await handle.read({
      buffer: Buffer.allocUnsafe(Math.min(256 * 1024, limit - total)),
    });
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(chunks, total);
}

export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

async function suggestion(path: string): Promise<string> {
  const names = await readdir(dirname(path)).catch(() => undefined);
  if (!names) return `the folder ${dirname(path)} cannot be read either`;
  const ending = extname(path);
  // What all files there end with says nothing about which of them was meant.
  const [alike, others] = [
    names.filter((name) => extname(name) === ending),
    names.filter((name) => extname(name) !== ending),
  ];
  const stem = nearest(
    basename(path, ending),
    alike.map((name) => basename(name, ending)),
  );
  const best = stem === undefined ? nearest(basename(path), others) : `${stem}${ending}`;
  return best === undefined ? 'check the path' : `did you mean \`${best}\`?`;
}
