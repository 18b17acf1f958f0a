import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import type { RunEvent } from '../execute/events.js';
import type { RunOptions } from '../perform/options.js';
import { readJournal } from './journal.js';

/** What was asked for, kept beside the journal so that `opsctl resume` can ask for the same again. */
export interface Request {
  readonly id: string;
  readonly cwd: string;
  /** What the file of the runbook is known by from run to run; absent for a command line. */
  readonly path?: string;
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
    throw neverBegan(file, (error as Error).message);
  }
}

/** What is on record of a run that is to be resumed. */
export function readEarlierEvents(folder: string): readonly RunEvent[] {
  const file = join(folder, 'journal.ndjson');
  if (!existsSync(file)) throw neverBegan(file, 'no such file');
  const events = readJournal(file);
  if (events[0]?.type !== 'run-start') throw neverBegan(file, 'no record of a start');
  return events;
}

function neverBegan(file: string, why: string): UserError {
  const hint = 'it was cut off before it began, so nothing was started: run it again';
  return new UserError({ code: 'E_RUN_NOT_FOUND', what: `${file}: ${why}`, hint });
}
