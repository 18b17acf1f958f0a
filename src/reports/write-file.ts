import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file that is whole or absent, mode 0600 unless told otherwise. An old file stays until the new one is on the disk. A
 * symbolic link, a device or a pipe in its place is refused. write-file-atomic is not enough here: it
 * follows links, and its temporary name can be guessed.
 */
export async function writeWholeFile(file: string, text: string, mode = 0o600): Promise<void> {
  const old = await lstat(file).catch(ignoreMissing);
  if (old && !old.isFile()) throw new Error(`${old.isSymbolicLink() ? 'a symbolic link' : 'no regular file'} is there`);
  const folder = dirname(file);
  const temporary = join(folder, `.${basename(file).slice(0, 100)}.${randomUUID()}.tmp`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(temporary, flags, 0o600);
  try {
    await fill(handle, text, mode);
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
}

async function fill(handle: FileHandle, text: string, mode: number): Promise<void> {
  try {
    await handle.chmod(mode);
    // Goes on after short writes; a full disk throws.
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems cannot sync a folder; the file itself is safe.
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
