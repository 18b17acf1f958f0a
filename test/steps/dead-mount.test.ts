import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import kind from '../../src/steps/check/disk/step.js';
import nfs from '../../src/steps/check/nfs/step.js';
import { describeWith } from '../support/needs.js';
import { judgeOutput, runProbe, shells, withDefaults } from '../support/probe.js';

describeWith('checks beside a dead mount', ['bindfs', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-mount-'));
  const alive = join(folder, 'with space');
  const dead = join(folder, 'dead');
  let daemons: ChildProcess[] = [];

  beforeAll(async () => {
    for (const name of ['source', 'with space', 'dead']) mkdirSync(join(folder, name));
    daemons = [alive, dead].map((point) => spawn('bindfs', ['-f', join(folder, 'source'), point], { stdio: 'ignore' }));
    const mounted = () => readFileSync('/proc/self/mountinfo', 'utf8').split(`${folder}/`).length > 4;
    for (let tries = 0; tries < 200 && !mounted(); tries += 1) await sleep(50);
    daemons[1]?.kill('SIGSTOP');
  });

  afterAll(() => {
    daemons[1]?.kill('SIGCONT');
    for (const point of [alive, dead]) spawnSync('umount', ['-l', point]);
    for (const daemon of daemons) daemon.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(Object.keys(shells))('check.disk keeps the numbers of the others with %s', (shell) => {
    const output = runProbe(kind, {}, shell);
    const { mounts, unknown } = kind.parse(output, withDefaults(kind));

    expect(mounts.map(({ path }) => path)).toContain(alive);
    expect(mounts.map(({ path }) => path)).toContain('/');
    expect(unknown.filter(({ path }) => path.startsWith(folder))).toEqual([
      { path: dead, reason: 'timeout', detail: 'did not answer within 5 s' },
    ]);
    expect(judgeOutput(kind, output, { critical: 100, warning: 100 }).reason).toBe('mount-hung');
  });

  it.each(Object.keys(shells))('check.nfs names the one that hangs with %s', (shell) => {
    const given = { types: ['fuse'], paths: [alive, dead], deadline: 1 };
    const judged = judgeOutput(nfs, runProbe(nfs, given, shell), given);

    expect(judged).toMatchObject({ outcome: 'failed', reason: 'mount-hung' });
    expect(judged.findings?.map(({ subject }) => subject)).toEqual([dead]);
    expect(judged.metrics?.map(({ name }) => name)).toEqual([`answer{${alive}}`]);
  });

  it('leaves no process behind', () => {
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/cmdline`))
      .map((name) => {
        try {
          return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        } catch {
          return '';
        }
      });

    expect(lines.filter((line) => line.startsWith('stat -f') && line.includes(dead))).toEqual([]);
  });
});
