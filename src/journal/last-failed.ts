import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { type Request, readRequest } from './request.js';
import { readResult, runIds } from './runs.js';
import { runFolder } from './state.js';

/** What is run: a file, or a command line that stands for a runbook. */
export type Source = Pick<Request, 'cwd'> & { readonly name: string; readonly runbook: Request['options']['runbook'] };

/** What `@failed` means: the hosts that did not end ok in the last finished run of this runbook. */
export async function lastFailedHosts(state: string, source: Source): Promise<readonly string[]> {
  for (const id of await runIds(state)) {
    const folder = runFolder(state, id);
    const file = join(folder, 'result.json');
    // Results may be large, and there may be many: what was asked for says first whose it is.
    if (!isRunOf(folder, source) || !existsSync(file)) continue;
    const result = await readResult(file).catch(ignoreDamage);
    if (result?.run.runbook !== source.name) continue;
    return result.hosts
      .filter(({ outcome }) => !['ok', 'changed', 'warning', 'skipped'].includes(outcome))
      .map(({ name }) => name);
  }
  return [];
}

/** The same file, wherever it was started from: two projects may have runbooks of one name. */
function isRunOf(folder: string, { cwd, runbook }: Source): boolean {
  try {
    const asked = readRequest(folder);
    const theirs = asked.options.runbook;
    if (typeof theirs !== 'string' || typeof runbook !== 'string') return typeof theirs === typeof runbook;
    return resolve(asked.cwd, theirs) === resolve(cwd, runbook);
  } catch {
    return false;
  }
}

function ignoreDamage(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  return undefined;
}
