import { hash } from 'node:crypto';
import { closeSync, constants, fdatasyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { exitCode, UserError } from '../errors.js';
import type { RunEvent } from '../execute/events.js';
import { stepKey } from '../result/fold.js';

/**
 * The append-only record of a run: one event a line, `SEQUENCE CHECKSUM JSON`. It comes before the act: a
 * changing step's `step-start` is on the disk before its first byte goes to the host.
 */
export interface Journal {
  readonly file: string;
  /** Throws a UserError with exit 74 when the record, or one before it, could not be written. */
  append(event: RunEvent): void;
  close(): void;
}

/** Opens a journal for appending; a new file must not exist yet, a resumed one must. */
export function openJournal(file: string, mode: 'new' | 'resume'): Journal {
  if (mode === 'new') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let sequence = mode === 'resume' ? readJournal(file).length : 0;
  const creation = mode === 'new' ? constants.O_CREAT | constants.O_EXCL : 0;
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | creation;
  const descriptor = guard(file, () => openSync(file, flags, 0o600));
  const changing = new Set<string>();
  // A record cut off by a crash must not swallow the first record after it.
  let pending = mode === 'resume' ? '\n' : '';
  let timer: NodeJS.Timeout | undefined;
  let failure: unknown;
  // After one record that may be torn none may follow: a hole in the middle is corruption, a torn end is not.
  const attempt = (write: () => void) => {
    if (failure) throw failure;
    try {
      guard(file, write);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (pending === '') return;
    const bytes = Buffer.from(pending);
    pending = '';
    attempt(() => writeAll(descriptor, bytes));
  };
  return {
    file,
    append(event) {
      if (failure) throw failure;
      // That a reading step began is of no use to a resumed run: it is read again.
      if (event.type === 'step-start' && event.effect === 'read') return;
      sequence += 1;
      const body = JSON.stringify(event);
      pending += `${sequence} ${checksum(sequence, body)} ${body}\n`;
      if (mustBeDurable(event, changing)) {
        flush();
        attempt(() => fdatasyncSync(descriptor));
      } else if (pending.length > flushBytes) flush();
      else {
        timer ??= setTimeout(() => {
          try {
            flush();
          } catch {
            // The next record, or `close`, tells.
          }
        }, flushAfter);
      }
    },
    close() {
      try {
        flush();
        attempt(() => fdatasyncSync(descriptor));
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** Records of reading steps wait this long for company, so that a thousand hosts cost few writes. */
const flushAfter = 50;
const flushBytes = 64 * 1024;

/**
 * Reads the events of a journal. A record torn by a crash is normal and left out; a record that is missing
 * between two good ones is corruption.
 */
export function readJournal(file: string): readonly RunEvent[] {
  const events: RunEvent[] = [];
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    const record = readRecord(line);
    if (!record) continue;
    if (record.sequence !== events.length + 1) throw corrupt(file, index + 1);
    events.push(record.event);
  }
  return events;
}

function readRecord(line: string): { readonly sequence: number; readonly event: RunEvent } | undefined {
  const [, number, sum, body] = /^(\d+) ([0-9a-f]{8}) (.*)$/s.exec(line) ?? [];
  if (number === undefined || body === undefined || sum !== checksum(Number(number), body)) return undefined;
  return { sequence: Number(number), event: JSON.parse(body) as RunEvent };
}

/** What a resumed run must be able to rely on: which changes were begun, and which are known to be over. */
function mustBeDurable(event: RunEvent, changing: Set<string>): boolean {
  if (event.type === 'step-start' && event.effect === 'change') {
    changing.add(`${event.host}\0${event.step}`);
    return true;
  }
  if (event.type === 'step-end') return changing.has(`${event.host}\0${stepKey(event.result)}`);
  return event.type === 'run-start' || event.type === 'run-end';
}

/** Finds damage, not forgery. Node's own SHA-256 takes a fifth of the time of a CRC in JavaScript. */
function checksum(sequence: number, body: string): string {
  return hash('sha256', `${sequence} ${body}`).slice(0, 8);
}

// Near a full disk a write may be short without an error; the next one then fails.
function writeAll(descriptor: number, bytes: Buffer): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

function guard<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new UserError(
      {
        code: 'E_JOURNAL_WRITE',
        what: `${file}: ${(error as Error).message}`,
        hint: 'free space, or set another `state` folder',
      },
      exitCode.output,
      { cause: error },
    );
  }
}

function corrupt(file: string, line: number): UserError {
  return new UserError(
    {
      code: 'E_JOURNAL_CORRUPT',
      place: { file, line },
      what: 'the record before this line is missing or damaged',
      hint: 'look at the hosts by hand before you run this again',
    },
    exitCode.bug,
  );
}
