import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readShell } from './read-shell.js';

/** A shell file of a step kind. The text is the body of a POSIX sh script that reads only `"$@"`. */
export interface Script {
  readonly name: string;
  readonly text: string;
}

/**
 * Names the shell file beside a step. The build replaces every `script('./x.sh', import.meta.url)` with what it
 * returns, so the published bundle reads no file for it.
 */
export function script(path: `./${string}.sh`, base: string): Script {
  return { name: basename(path), text: readShell(fileURLToPath(new URL(path, base))) };
}
