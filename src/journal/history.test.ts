import { existsSync, mkdirSync, mkdtempSync, readdirSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandHistory, forgetCommands, runbookHistory } from './history.js';

const now = new Date('2026-01-02T03:04:05Z');
const newState = () => mkdtempSync(join(tmpdir(), 'opsctl-history-'));

function use(folder: string, daysAgo: number): void {
  mkdirSync(join(folder, 'hosts'), { recursive: true });
  const at = new Date(now.getTime() - daysAgo * 86_400_000);
  utimesSync(join(folder, 'hosts'), at, at);
}

describe('what is known of command lines', () => {
  it('is apart from what is known of runbooks, and from each other', () => {
    const folders = [
      commandHistory('/s', 'a'),
      commandHistory('/s', 'b'),
      runbookHistory('/s', { name: 'a', path: '/a' }),
      runbookHistory('/s', { name: 'b', path: '/a' }),
    ];

    expect(new Set(folders).size).toBe(4);
    expect(commandHistory('/s', 'a')).toBe(folders[0]);
  });

  it('is forgotten after 400 days without use, and a runbook is not', () => {
    const state = newState();
    const [fresh, old] = [commandHistory(state, 'fresh'), commandHistory(state, 'old')];
    const runbook = runbookHistory(state, { name: 'yearly', path: '/yearly.yaml' });
    use(fresh, 399);
    use(old, 401);
    use(runbook, 4000);

    expect(forgetCommands(state, now)).toEqual([]);

    expect([fresh, old, runbook].map((folder) => existsSync(folder))).toEqual([true, false, true]);
  });

  it('is kept of the 200 that were used last', () => {
    const state = newState();
    for (let index = 0; index < 203; index++) use(commandHistory(state, `check ${index}`), index);

    forgetCommands(state, now);

    expect(readdirSync(join(state, 'history'))).toHaveLength(200);
    expect(existsSync(commandHistory(state, 'check 199'))).toBe(true);
    expect(existsSync(commandHistory(state, 'check 200'))).toBe(false);
  });

  it('is no trouble where there is none, or where it cannot be looked at', () => {
    expect(forgetCommands('/proc/self/status', now)[0]).toContain('is not removed');
    const state = newState();
    mkdirSync(join(state, 'history'));
    expect(forgetCommands(state, now)).toEqual([]);
  });
});
