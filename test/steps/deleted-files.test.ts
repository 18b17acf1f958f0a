import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import kind from '../../src/steps/check/disk/step.js';
import { describeWith } from '../support/needs.js';
import { judgeOutput, outputOf, runProbe, shells, withDefaults } from '../support/probe.js';

describeWith('check.disk, where a deleted file of 15 MiB is still open', ['root', 'busybox'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-deleted-'));
  let holder: ChildProcess;

  beforeAll(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20M', 'tmpfs', folder]);
    chmodSync(folder, 0o755);
    const log = join(folder, 'big log');
    writeFileSync(log, Buffer.alloc(15 * 2 ** 20, 'x'));
    const file = openSync(log, 'r');
    holder = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', file] });
    closeSync(file);
    rmSync(log);
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => holder.once('exit', resolve));
    holder.kill();
    await ended;
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });

  const limits = { warning: 60, critical: 90 };
  const hint = () =>
    `${folder} is 75 % full, 5 MiB left, limit 60 %, 15 MiB held by a deleted file of pid ${holder.pid} (sleep)`;

  it.each(Object.keys(shells))('names the program and the amount with %s', (shell) => {
    const one = { ...limits, path: folder };
    const judged = judgeOutput(kind, runProbe(kind, one, shell), one);
    const among = judgeOutput(kind, runProbe(kind, limits, shell), limits);

    expect(judged).toMatchObject({ outcome: 'warning', reason: 'above-warning', summary: hint() });
    expect(judged.findings?.[0]?.remedy).toBe(`Restart pid ${holder.pid} (sleep), which keeps deleted files open`);
    expect(among.findings?.map(({ subject, detail }) => `${subject} ${detail}`)).toContain(hint());
  });

  it('names it for an amount that is short, too', () => {
    const given = { path: folder, available: '6MiB:' };

    expect(judgeOutput(kind, runProbe(kind, given), given).summary).toBe(
      `${folder} has 5 MiB available, at least 6 MiB, 15 MiB held by a deleted file of pid ${holder.pid} (sleep)`,
    );
  });

  it.each(Object.keys(shells))('is not misled by hostile names with %s', async (shell) => {
    const hostile = ['a\n/proc/1/fd:\n/b', '\nl 1 -> x (deleted)', '\n/proc/x y -c %n/fd:\n/c', '*', '\r\u001b[2J\n'];
    const open = (name: string) => {
      const path = `${folder}/${name} (deleted)`;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'x');
      const file = openSync(path, 'r');
      rmSync(path);
      return file;
    };
    const files = hostile.map(open);
    const rename = '$0 = "\\r\\t(x) y"; $| = 1; print "up"; sleep 1000';
    const named = spawn('perl', ['-e', rename], { stdio: ['ignore', 'pipe', 'ignore', files[0] as number] });
    await once(named.stdout as Readable, 'data');
    const given = { ...limits, path: folder };
    const judged = judgeOutput(kind, runProbe(kind, given, shell), given);
    for (const file of files) closeSync(file);
    named.kill();
    await once(named, 'exit');

    expect(judged.outcome).toBe('warning');
    // GNU ls prints line ends as they are, so a file of such a name may be missed; nothing else may.
    expect(judged.summary).toMatch(new RegExp(`15 MiB held by .* of pid ${holder.pid} \\(sleep\\)( and \\d+ more)?$`));
  });

  it('does not look where the limits are kept', () => {
    const given = { path: folder, warning: 80 };

    expect(String(runProbe(kind, given).stdout)).not.toMatch(/^(file|program) /m);
  });

  it('says nothing of it to a user who cannot see it', () => {
    const given = { ...limits, path: folder };
    const args = kind.args(withDefaults(kind, given)).map(String);
    const { stdout } = spawnSync('dash', ['-c', kind.probe.text, 'sh', ...args], {
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
    });

    expect(judgeOutput(kind, outputOf(String(stdout)), given).summary).toBe(
      `${folder} is 75 % full, 5 MiB left, limit 60 %`,
    );
  });
});
