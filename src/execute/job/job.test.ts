import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../test/support/needs.js';
import { shells } from '../../../test/support/probe.js';
import { Secret } from '../../secrets/secret.js';
import { FrameReader } from '../payload/frames.js';
import { buildJobPayload, jobId, jobStatus } from './job.js';

const nonce = '00112233445566778899aabb';
/** Not root: its jobs are in a folder that each test chooses. */
const nobody = 65_534;

interface Host {
  readonly state: string;
  readonly shell: string;
  readonly path?: string;
}

interface JobOptions {
  readonly id?: string;
  readonly seconds?: number;
  readonly args?: readonly (string | Secret)[];
}

function watchJob(host: Host, text: string, { id = 'job', seconds = 60, args = [] }: JobOptions = {}) {
  const [program = 'sh', ...options] = shells[host.shell] ?? [];
  const child = spawn(execFileSync('which', [program], { encoding: 'utf8' }).trim(), [...options, '-s'], {
    uid: nobody,
    gid: nobody,
    cwd: '/',
    env: { PATH: host.path ?? '/usr/bin:/bin', XDG_STATE_HOME: host.state },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let payload = buildJobPayload({ nonce, id, seconds, script: { name: 'work', text }, args });
  // The script puts the folders of the system first; a test of a bare host must not see them.
  if (host.path !== undefined) payload = payload.replaceAll(/^PATH=.*$/gm, `PATH=${host.path}`);
  const ended = new Promise<{ status: number | undefined; stdout: string; stderr: string }>((resolve) => {
    const settle = () => {
      const [probe] = reader.probes;
      resolve({
        status: probe?.complete ? probe.exitStatus : undefined,
        stdout: probe?.stdout.head.toString() ?? '',
        stderr: probe?.stderr.head.toString() ?? '',
      });
    };
    const reader = new FrameReader(nonce, 1, 1 << 20, { onFinish: settle });
    child.stdout.on('data', (chunk) => reader.onStdout(chunk));
    child.stderr.on('data', (chunk) => reader.onStderr(chunk));
    child.on('close', settle);
    child.stdin.end(payload);
  });
  return { child, ended, folder: join(host.state, 'opsctl/jobs', id) };
}

const runJob = (...given: Parameters<typeof watchJob>) => watchJob(...given).ended;

async function eventually(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !what(); tries += 1) await sleep(50);
  expect(what()).toBe(true);
}

describeWith('a job on a host', ['dash', 'bash', 'busybox', 'root'], () => {
  let base: string;
  let bare: string;
  let count = 0;

  beforeAll(() => {
    base = mkdtempSync(join(tmpdir(), 'opsctl-job-'));
    execFileSync('chmod', ['755', base]);
    // All that a job needs, without flock and setsid: the lock has to do with links.
    bare = join(base, 'bin');
    mkdirSync(bare);
    for (const tool of 'cat date find head id ln mkdir mv rm rmdir sh sleep sync kill env'.split(' '))
      symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(bare, tool));
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  function newHost(shell = 'dash', path?: string): Host {
    const state = join(base, `host${count++}`);
    mkdirSync(state);
    execFileSync('chown', [`${nobody}`, state]);
    return { state, shell, ...(path !== undefined && { path }) };
  }
  const counted = (host: Host) =>
    existsSync(join(host.state, 'count')) ? readFileSync(join(host.state, 'count'), 'utf8').length : 0;
  const counting = (host: Host, more = '') => `printf x >>'${join(host.state, 'count')}'; ${more}`;
  /** Shell text that lasts until the test calls `release`, so that no busy machine ends it early. */
  const held = (host: Host) => `until [ -e '${join(host.state, 'go')}' ]; do sleep 0.1; done`;
  const release = (host: Host) => writeFileSync(join(host.state, 'go'), '');
  const runnerOf = (folder: string) => Number(readFileSync(join(folder, 'started'), 'utf8').split(' ')[0]);

  describe.concurrent.each([
    ['dash', 'flock'],
    ['bash', 'flock'],
    ['busybox', 'flock'],
    ['dash', 'links'],
    ['busybox', 'links'],
  ])('with %s and %s for the lock', (shell, lock) => {
    const host = () => newHost(shell, lock === 'links' ? bare : undefined);

    it('runs once, however often it is asked for, and tells the same each time', async () => {
      const here = host();
      const work = counting(here, 'cat; printf "%s|" "$@"; echo oops >&2; exit 3');
      const args = ["it's", '$(id)\n', new Secret('env:X', 'hunter2')];

      const first = await runJob(here, work, { args });
      const again = await runJob(here, work, { args });

      expect(first).toEqual({ status: 3, stdout: "it's|$(id)\n|hunter2|", stderr: 'oops\n' });
      expect(again).toEqual(first);
      expect(counted(here)).toBe(1);
      // Another job finds the lock free.
      expect(await runJob(here, 'echo other', { id: 'other' })).toMatchObject({ status: 0, stdout: 'other\n' });
    });

    it('is one job for six that ask at once', async () => {
      const here = host();
      const six = Array.from({ length: 6 }, () => runJob(here, counting(here, 'sleep 0.5; echo done')));

      for (const end of await Promise.all(six)) expect(end).toMatchObject({ status: 0, stdout: 'done\n' });
      expect(counted(here)).toBe(1);
    });

    it('is interrupted when its runner was killed, and never begins again', async () => {
      const here = host();
      const first = watchJob(here, counting(here, 'exec sleep 40'));
      await eventually(() => counted(here) === 1);
      process.kill(runnerOf(first.folder), 'SIGKILL');

      expect((await first.ended).status).toBe(jobStatus.interrupted);
      expect((await runJob(here, counting(here))).status).toBe(jobStatus.interrupted);
      expect(counted(here)).toBe(1);
    });

    it('keeps another job out while it works, and names itself', async () => {
      const here = host();
      const first = watchJob(here, counting(here, held(here)), { id: 'first' });
      await eventually(() => counted(here) === 1);

      const second = await runJob(here, counting(here), { id: 'second' });
      release(here);

      expect(second.status).toBe(jobStatus.locked);
      expect(second.stderr).toMatch(/^first, pid \d+$/m);
      expect((await first.ended).status).toBe(0);
      expect(await runJob(here, 'echo now', { id: 'second' })).toMatchObject({ status: 0, stdout: 'now\n' });
      expect(counted(here)).toBe(1);
    });

    it('goes on when its watcher is killed or gives up, and another watcher gets its end', async () => {
      const here = host();
      const work = counting(here, `${held(here)}; echo whole`);
      const first = watchJob(here, work);
      await eventually(() => counted(here) === 1);
      first.child.kill('SIGKILL');

      expect((await runJob(here, work, { seconds: 1 })).status).toBe(jobStatus.running);
      release(here);
      expect(await runJob(here, work)).toMatchObject({ status: 0, stdout: 'whole\n' });
      expect(counted(here)).toBe(1);
    });
  });

  it('lets exactly one of six take over the lock that a dead holder left', async () => {
    const here = newHost('dash', bare);
    const jobs = join(here.state, 'opsctl/jobs');
    execFileSync('install', ['-d', '-o', `${nobody}`, join(here.state, 'opsctl'), jobs]);
    writeFileSync(join(jobs, 'held'), '4194303 another-boot 1\n');
    const work = counting(here, `${held(here)}; echo done`);
    let told = 0;

    const racers = Array.from({ length: 6 }, (_, index) =>
      runJob(here, work, { id: `racer${index}` }).finally(() => (told += 1)),
    );
    await eventually(() => told === 5);
    release(here);
    const ends = await Promise.all(racers);

    expect(ends.map(({ status }) => status).sort()).toEqual([0, 902, 902, 902, 902, 902]);
    expect(counted(here)).toBe(1);
    expect(await runJob(here, 'echo after', { id: 'after' })).toMatchObject({ status: 0 });
  });

  it('gives the lock back though a daemon that it started lives on', async () => {
    const here = newHost();

    expect(await runJob(here, 'sleep 20 >/dev/null 2>&1 & echo $!', { id: 'starts' })).toMatchObject({ status: 0 });
    expect(await runJob(here, 'echo free', { id: 'next' })).toMatchObject({ status: 0, stdout: 'free\n' });
  });

  it('leaves no secret and no script in files or process lists', async () => {
    const here = newHost();
    const job = watchJob(here, counting(here, `${held(here)}; : unmistakable`), {
      args: [new Secret('env:X', 'hunter2hunter2')],
    });
    await eventually(() => counted(here) === 1);

    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toMatch(/hunter2hunter2|unmistakable/);
    release(here);
    await job.ended;
    // grep ends with 1 when there is none.
    expect(spawnSync('grep', ['-rE', 'hunter2hunter2|unmistakable', here.state]).status).toBe(1);
  });

  it('starts nothing where there is no room for its marks', async () => {
    const readOnly = newHost();
    execFileSync('chown', ['root', readOnly.state]);
    const full = newHost();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=777', 'none', full.state]);
    try {
      writeFileSync(join(full.state, 'ballast'), '');
      try {
        writeFileSync(join(full.state, 'ballast'), Buffer.alloc(1 << 16));
      } catch {
        // Full now.
      }
      for (const shell of Object.keys(shells)) {
        expect((await runJob({ ...readOnly, shell }, 'echo ran')).status).toBe(jobStatus.noState);
        expect((await runJob({ ...full, shell }, 'echo ran')).status).toBe(jobStatus.noState);
      }
    } finally {
      execFileSync('umount', [full.state]);
    }
  });

  it('never begins once it was given up, and may be started anew', async () => {
    const here = newHost();
    // A host so slow that the runner does not get to its first line within the time.
    const slow = join(base, 'slow');
    mkdirSync(slow);
    for (const tool of readdirSync(bare)) if (tool !== 'sh') symlinkSync(join(bare, tool), join(slow, tool));
    writeFileSync(join(slow, 'setsid'), '#!/bin/sh\nsleep 3\nexec /usr/bin/setsid "$@"\n', { mode: 0o755 });

    const first = await runJob({ ...here, path: slow }, counting(here), { seconds: 1 });
    expect(first.status).toBe(jobStatus.neverStarted);
    await sleep(4_000);
    expect(counted(here)).toBe(0);

    expect(await runJob(here, counting(here, 'echo ran'))).toMatchObject({ status: 0, stdout: 'ran\n' });
    expect(counted(here)).toBe(1);
  });
});

describe('the name of a job', () => {
  it('is the same for the same step of a run on a host, and another for any other', () => {
    const names = [jobId('r1', 'a', 's'), jobId('r2', 'a', 's'), jobId('r1', 'b', 's'), jobId('r1', 'a', 's\0item')];

    expect(jobId('r1', 'a', 's')).toBe(names[0]);
    expect(new Set(names).size).toBe(4);
  });
});
