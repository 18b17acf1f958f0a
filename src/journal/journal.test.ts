import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWith } from '../../test/support/needs.js';
import { exitCode, UserError } from '../errors.js';
import type { RunEvent } from '../execute/events.js';
import { openJournal, readJournal } from './journal.js';

const at = '2026-01-02T03:04:05.678Z';
const warning = (message: string): RunEvent => ({ type: 'warning', at, message });
const begun = (step: string): RunEvent => ({
  type: 'step-start',
  at,
  host: 'web1',
  step,
  name: step,
  effect: 'change',
  job: `job-${step}`,
});

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'opsctl-journal-'));
  file = join(folder, 'journal.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function written(events: readonly RunEvent[]): Buffer {
  const journal = openJournal(file, 'new');
  for (const event of events) journal.append(event);
  journal.close();
  return readFileSync(file);
}

describe('a journal', () => {
  it('gives back what was written, whatever a host said', () => {
    const said = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(fc.array(said, { maxLength: 20 }), (messages) => {
        rmSync(file, { force: true });
        const events = [...messages, 'line\u2028and\u2029paragraph\r\u0085\ud800'].map(warning);
        written(events);

        expect(readJournal(file)).toEqual(JSON.parse(JSON.stringify(events)));
      }),
      { numRuns: 300 },
    );
  });

  it('is a file for its owner only, and never one that is there already', () => {
    written([warning('first')]);

    expect(execFileSync('stat', ['-c', '%a', file], { encoding: 'utf8' })).toBe('600\n');
    expect(() => openJournal(file, 'new')).toThrow(expect.objectContaining({ exit: exitCode.output }));
  });

  it('has a changing step on the disk at once, and lets records of reading steps wait a little', async () => {
    const journal = openJournal(file, 'new');
    journal.append(warning('waits'));
    expect(readFileSync(file, 'utf8')).toBe('');

    journal.append(begun('apply'));
    expect(readJournal(file)).toHaveLength(2);

    journal.append(warning('waits too'));
    for (let tries = 0; tries < 100 && readJournal(file).length < 3; tries += 1) await sleep(20);
    expect(readJournal(file)).toHaveLength(3);
    journal.close();
  });

  it('keeps every record before the one that a crash cut, at every byte', () => {
    const events = Array.from({ length: 20 }, (_, index) => warning(`é record ${index}`));
    const bytes = written(events);
    const ends = [0, ...Array.from(bytes.entries()).flatMap(([index, byte]) => (byte === 0x0a ? [index + 1] : []))];

    for (let length = 0; length <= bytes.length; length += 1) {
      writeFileSync(file, bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length).length - 1;
      // A record without only its line end is whole, too.
      const almost = ends.includes(length + 1) ? 1 : 0;
      expect(readJournal(file)).toEqual(events.slice(0, whole + almost));
    }
  });

  it('never takes a damaged record for a good one, at every byte', () => {
    const events = Array.from({ length: 8 }, (_, index) => warning(`record ${index} \ufffd`));
    const bytes = written(events);
    const texts = events.map((event) => JSON.stringify(event));
    let refused = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      for (const flip of [0x01, 0x20, 0x80]) {
        const damaged = Buffer.from(bytes);
        damaged[index] = (damaged[index] as number) ^ flip;
        writeFileSync(file, damaged);
        try {
          const read = readJournal(file).map((event) => JSON.stringify(event));
          // Only the end can go missing without a word: that is what a crash looks like.
          expect(texts.slice(0, read.length)).toEqual(read);
          expect(read.length).toBeGreaterThanOrEqual(events.length - 2);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.problems[0]?.code).toBe('E_JOURNAL_CORRUPT');
          expect(error.exit).toBe(exitCode.bug);
          refused += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(bytes.length * 2);
  });

  it('goes on after a torn end, again and again', () => {
    const bytes = written([warning('one'), warning('two'), warning('three')]);
    truncateSync(file, bytes.length - 7);
    for (const message of ['four', 'five']) {
      const journal = openJournal(file, 'resume');
      journal.append(warning(message));
      journal.close();
      appendFileSync(file, '99 0123abcd {"torn');
    }

    expect(readJournal(file).map((event) => (event as { message: string }).message)).toEqual([
      'one',
      'two',
      'four',
      'five',
    ]);
  });
});

describeWith('a journal on a full disk', ['root'], () => {
  it('says so with exit 74, takes nothing more, and can be resumed', async () => {
    const disk = join(folder, 'disk');
    execFileSync('mkdir', [disk]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'none', disk]);
    try {
      file = join(disk, 'journal.ndjson');
      const journal = openJournal(file, 'new');
      journal.append(begun('first'));
      const full = expect.objectContaining({ exit: exitCode.output, message: expect.stringContaining('ENOSPC') });
      expect(() => {
        for (let index = 0; index < 100; index += 1) journal.append(begun(`${index} ${'x'.repeat(300)}`));
      }).toThrow(full);
      const kept = readJournal(file);

      // Room again: still nothing may follow the torn record.
      execFileSync('mount', ['-o', 'remount,size=1m', disk]);
      expect(() => journal.append(begun('later'))).toThrow(full);
      expect(() => journal.append(warning('later'))).toThrow(full);
      expect(() => journal.close()).toThrow(full);

      expect(readJournal(file)).toEqual(kept);
      const resumed = openJournal(file, 'resume');
      resumed.append(begun('resumed'));
      resumed.close();
      expect(readJournal(file)).toEqual([...kept, begun('resumed')]);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it('tells of a record that waited when it is closed', () => {
    const disk = join(folder, 'disk');
    execFileSync('mkdir', [disk]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', disk]);
    try {
      const journal = openJournal(join(disk, 'journal.ndjson'), 'new');
      journal.append(warning('x'.repeat(20_000)));

      expect(() => journal.close()).toThrow(expect.objectContaining({ exit: exitCode.output }));
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
