import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { readRequest } from './request.js';
import { readResult, runIds } from './runs.js';
import { runFolder } from './state.js';

/**
 * What `@failed` means: the hosts that did not end ok in the last finished run of this runbook. `path` is what its file is
 * known by, as two projects may have runbooks of one name; none for a command line.
 */
export async function lastFailedHosts(
  state: string,
  name: string,
  path: string | undefined,
): Promise<readonly string[]> {
  for (const id of await runIds(state)) {
    const folder = runFolder(state, id);
    const file = join(folder, 'result.json');
    // Results may be large, and there may be many: what was asked for says first whose it is.
    if (!isRunOf(folder, path) || !existsSync(file)) continue;
    const result = await readResult(file).catch(ignoreDamage);
    if (result?.run.runbook !== name) continue;
    return result.hosts
      .filter(({ outcome }) => !['ok', 'changed', 'warning', 'skipped'].includes(outcome))
      .map((host) => host.name);
  }
  return [];
}

function isRunOf(folder: string, path: string | undefined): boolean {
  try {
    return readRequest(folder).path === path;
  } catch {
    return false;
  }
}

function ignoreDamage(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  return undefined;
}
