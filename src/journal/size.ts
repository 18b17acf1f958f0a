import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a folder takes up on the disk. Links are not followed; what vanishes meanwhile counts nothing. */
export function folderBytes(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return 0;
  const own = found.blocks * 512;
  return found.isDirectory() ? namesIn(path).reduce((sum, name) => sum + folderBytes(join(path, name)), own) : own;
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
