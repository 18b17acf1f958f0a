import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../execute/events.js';
import { openJournal } from './journal.js';
import { type Request, readEarlierEvents, readRequest, writeRequest } from './request.js';

describe('what a resumed run starts from', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-request-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const at = '2026-01-02T03:04:05Z';
  const start: RunEvent = {
    type: 'run-start',
    at,
    run: { id: 'r', runbook: 'Test', mode: 'run', startedAt: at, version: '1' },
    hosts: [],
  };
  const neverBegan = expect.objectContaining({ exit: 2, message: expect.stringContaining('nothing was started') });

  it('is the request and the events on record', () => {
    const request: Request = { id: 'r', cwd: '/', sha256: 'x', options: { runbook: 'a.yaml', mode: 'run' } };
    writeRequest(folder, request);
    const journal = openJournal(join(folder, 'journal.ndjson'), 'new');
    journal.append(start);
    journal.close();

    expect(readRequest(folder)).toEqual(request);
    expect(readEarlierEvents(folder)).toEqual([start]);
    expect(() => writeRequest(folder, request)).toThrow('EEXIST');
  });

  it('is missing when the run was cut off before its first record', () => {
    expect(() => readRequest(folder)).toThrow(neverBegan);
    expect(() => readEarlierEvents(folder)).toThrow(neverBegan);

    writeFileSync(join(folder, 'request.json'), '{"id":');
    writeFileSync(join(folder, 'journal.ndjson'), '1 0123abcd {"type":"run-st');
    expect(() => readRequest(folder)).toThrow(neverBegan);
    expect(() => readEarlierEvents(folder)).toThrow(neverBegan);
  });
});
