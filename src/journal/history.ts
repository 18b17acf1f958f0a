import { createHash } from 'node:crypto';
import { join } from 'node:path';

/**
 * Where what is known across runs of one runbook is kept: `<state>/history/<id>`. The same file is the same runbook,
 * wherever it is started from; a command line that stands for one is known by its text.
 */
export function historyFolder(state: string, runbook: { readonly name: string; readonly path: string }): string {
  const id = createHash('sha256').update(`${runbook.path}\0${runbook.name}`).digest('hex').slice(0, 16);
  return join(state, 'history', id);
}
