import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

/**
 * `describe` where the programs are there, else a skipped suite that names what is missing. With CI set,
 * nothing may be skipped: a missing program fails the suite instead.
 */
export function describeWith(title: string, programs: readonly string[], body: () => void): void {
  const missing = programs.filter((program) => !onPath(program));
  if (missing.length === 0) describe(title, body);
  else if (process.env.CI)
    describe(title, () => {
      throw new Error(`${title}: missing ${missing.join(', ')}`);
    });
  else describe.skip(`${title} (missing: ${missing.join(', ')})`, body);
}

export function onPath(program: string): boolean {
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
