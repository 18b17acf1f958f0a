import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MasterLog } from './master-log.js';

describe('the log of an ssh master', () => {
  let path: string;
  let log: MasterLog;
  const ends = (session: number, status: number) =>
    appendFileSync(path, `debug2: mux_exit_message: channel ${session}: exit message, exitval ${status}\n`);
  const begins = (session: number) => appendFileSync(path, `debug2: client_session2_setup: id ${session}\n`);
  const watched = (session: number) => {
    const heard: number[] = [];
    log.watch(session, (status) => heard.push(status));
    return heard;
  };
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'opsctl-master-')), 'log');
    writeFileSync(path, '');
    log = new MasterLog(path);
  });
  afterEach(() => log.close());

  it('tells how a session ended, also one that ended before anybody watched', async () => {
    const other = watched(9);
    const first = watched(1);
    ends(1, 3);
    ends(2, 4);
    await sleep(150);
    expect([first, watched(2), other]).toEqual([[3], [4], []]);
  });

  it('does not take the end of a session for that of the next with its number', async () => {
    watched(9);
    watched(1);
    log.forget(1);
    ends(1, 0);
    // Read, or not read yet, when the next one begins.
    for (const pause of [0, 150]) {
      await sleep(pause);
      begins(1);
      const again = watched(1);
      await sleep(80);
      expect(again).toEqual([]);
      log.forget(1);
      ends(1, 0);
    }
    begins(1);
    const next = watched(1);
    await sleep(150);
    expect(next).toEqual([]);
    ends(1, 7);
    await sleep(150);
    expect(next).toEqual([7]);
  });
});
