import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import type { RunOptions } from '../perform/options.js';

/** What was asked for, kept beside the journal so that `opsctl resume` can ask for the same again. */
export interface Request {
  readonly id: string;
  readonly cwd: string;
  /** Of the runbook and all that it includes: a changed runbook cannot go on where the old one stopped. */
  readonly sha256: string;
  readonly options: RunOptions;
}

export function writeRequest(folder: string, request: Request): void {
  writeFileSync(join(folder, 'request.json'), `${JSON.stringify(request)}\n`, { mode: 0o600, flag: 'wx' });
}

export function readRequest(folder: string): Request {
  const file = join(folder, 'request.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Request;
  } catch (error) {
    const hint = 'it was cut off before it began, so nothing was started: run it again';
    throw new UserError({ code: 'E_RUN_NOT_FOUND', what: `${file}: ${(error as Error).message}`, hint });
  }
}
