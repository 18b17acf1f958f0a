import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compactShell } from './compact-shell.js';

/** The text of a shell file as hosts get it: without comments, and with the files that it shares with others in it. */
export function readShell(file: string): string {
  return compactShell(withShared(file));
}

/** A line `. ../x.sh` gives place to that file. No file is there to be read on a host. */
function withShared(file: string): string {
  const text = readFileSync(file, 'utf8');
  return text.replace(/^\. (\.\.?\/\S+\.sh)\n/gm, (_, shared: string) => withShared(join(dirname(file), shared)));
}
