import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { lockRun } from './lock.js';

describe('the lock of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('names the process that works on the run, with exit 75', () => {
    lockRun(folder, process.pid);

    expect(() => lockRun(folder, process.ppid)).toThrow(
      expect.objectContaining({
        exit: 75,
        message: expect.stringContaining(`process ${process.pid} is working on this run`),
      }),
    );
  });

  it('is free again when it was given back', () => {
    lockRun(folder, process.pid)();

    expect(() => lockRun(folder, process.pid)).not.toThrow();
  });

  it('is taken over from a process that was killed, and not from one with the same pid after it', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    lockRun(folder, child.pid as number);
    expect(() => lockRun(folder, process.pid)).toThrow(UserError);
    const other = { ...JSON.parse(readFileSync(join(folder, 'lock.1'), 'utf8')), pid: process.pid };

    child.kill('SIGKILL');
    await ended;
    lockRun(folder, process.pid)();

    writeFileSync(join(folder, 'lock.3'), JSON.stringify(other));
    expect(() => lockRun(folder, process.pid)).not.toThrow();
  });

  it('is taken by exactly one of many that find the same dead holder', async () => {
    writeFileSync(join(folder, 'lock.1'), JSON.stringify({ pid: 1, started: 'never', boot: 'another' }));
    const program = `
      const { lockRun } = await import(${JSON.stringify(new URL('./lock.ts', import.meta.url).href)});
      const at = Number(process.argv[1]);
      while (Date.now() < at);
      try { lockRun(${JSON.stringify(folder)}, process.pid); console.log('mine'); setTimeout(() => {}, 4000); }
      catch (error) { console.log(error.exit); }`;
    const at = String(Date.now() + 2_500);
    const racers = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program, at], {
        cwd: new URL('../..', import.meta.url),
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const said = await Promise.all(
      racers.map(
        (racer) =>
          new Promise<string>((resolve) => racer.stdout.once('data', (chunk) => resolve(String(chunk).trim()))),
      ),
    );
    for (const racer of racers) racer.kill('SIGKILL');

    expect(said.sort()).toEqual(['75', '75', '75', '75', '75', 'mine']);
  });
});
