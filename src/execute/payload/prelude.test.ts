import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { shells } from '../../../test/support/probe.js';
import { FrameReader } from './frames.js';
import { buildPayload } from './payload.js';

const nonce = '00112233445566778899aabb';

/** Runs a round in a real shell; ends with its last frame, as a channel does, and not with its streams. */
async function round(shell: string, probes: readonly (readonly [text: string, seconds?: number])[], mark = 'none') {
  const [program = 'sh', ...options] = shells[shell] ?? [];
  const child = spawn(program, [...options, '-s'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, MARK: mark, N: 'exported by the host' },
  });
  const payload = buildPayload(
    nonce,
    probes.map(([text, seconds = 60], index) => ({
      script: { name: `${index}`, text },
      args: [`it's ${index}`],
      seconds,
    })),
  );
  const started = performance.now();
  const order: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no end: ${order.join()}`)), 40_000);
    const reader: FrameReader = new FrameReader(nonce, probes.length, 1 << 20, {
      onBegin: (index) => order.push(`begin ${index}`),
      onEnd: (index) => order.push(`end ${index}`),
      onFinish: () => {
        clearTimeout(late);
        resolve();
      },
    });
    readers.set(child, reader);
    child.stdout.on('data', (chunk) => reader.onStdout(chunk));
    child.stderr.on('data', (chunk) => reader.onStderr(chunk));
    child.stdin.end(payload);
  });
  const reader = readers.get(child) as FrameReader;
  const ends = reader.probes.map((probe) => ({
    status: probe.exitStatus,
    how: probe.ended,
    complete: probe.complete,
    stdout: probe.stdout.head.toString('latin1'),
    stderr: probe.stderr.head.toString('latin1'),
  }));
  return { ends, order, seconds: (performance.now() - started) / 1000 };
}
const readers = new WeakMap<ChildProcess, FrameReader>();

/** Processes of a round, known by a variable that all of its descendants inherit. */
function processesOf(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`MARK=${mark}\0`);
    } catch {
      return false;
    }
  });
}

async function allGone(mark: string): Promise<string[]> {
  for (let tries = 0; tries < 100 && processesOf(mark).length > 0; tries += 1) await sleep(100);
  return processesOf(mark);
}

describe.concurrent.each(Object.keys(shells))('a round in %s', (shell) => {
  it('runs probes in order, each with its arguments, its streams, its status, and nothing to read', async () => {
    const mark = `order-${shell}-${process.pid}`;
    const { ends, order } = await round(
      shell,
      [
        ['printf "%s" "$1"; echo oops >&2; exit 3'],
        ['cat; echo end'],
        ['set -eu; echo before; false; echo after'],
        ['set -u; echo "$NOT_SET_ANYWHERE"; echo after'],
        ['cd /tmp && index=9 seconds=0 status=0 pid=1 how=x; return 7'],
        ['printf "a\\0b\\377\\n\\n%s x" "$N"'],
        ['env | grep "^N=" || echo hidden'],
        ['no-such-program-here'],
        ['true'],
      ],
      mark,
    );

    for (const word of ['begin', 'end'])
      expect(order.filter((event) => event.startsWith(word))).toEqual(ends.map((_, index) => `${word} ${index}`));
    expect(ends.every(({ complete, how }) => complete && how === 'done')).toBe(true);
    expect(ends[0]).toMatchObject({ status: 3, stdout: "it's 0", stderr: 'oops\n' });
    expect(ends[1]).toMatchObject({ status: 0, stdout: 'end\n', stderr: '' });
    expect(ends[2]).toMatchObject({ status: 1, stdout: 'before\n' });
    expect(ends[3]?.status).toBeGreaterThan(0);
    expect(ends[3]?.stdout).toBe('');
    expect(ends[4]).toMatchObject({ status: 7 });
    expect(ends[5]?.stdout).toMatch(/^a\0b\xff\n\n/);
    expect(ends[6]).toMatchObject({ stdout: 'hidden\n' });
    expect(ends[7]).toMatchObject({ status: 127 });
    expect(ends[8]).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await allGone(mark)).toEqual([]);
  });

  it('kills the whole tree of a probe at its deadline, what is stopped included, and goes on', async () => {
    const mark = `tree-${shell}-${process.pid}`;
    const tree =
      'sh -c "sh -c \'sleep 300 & sleep 301\' & sleep 302" & sleep 303 & kill -STOP $!; echo begun; sleep 304';
    const { ends, seconds } = await round(shell, [[tree, 1], ['echo next']], mark);

    expect(ends[0]).toMatchObject({ how: 'timeout', stdout: 'begun\n', complete: true });
    expect(ends[1]).toMatchObject({ how: 'done', status: 0, stdout: 'next\n' });
    expect(seconds).toBeLessThan(20);
    expect(await allGone(mark)).toEqual([]);
  });

  it('does not wait for what a probe left in the background', async () => {
    const mark = `left-${shell}-${process.pid}`;
    const { ends, seconds } = await round(shell, [['sleep 30 & echo done'], ['echo next']], mark);

    expect(ends).toMatchObject([{ status: 0, stdout: 'done\n' }, { stdout: 'next\n' }]);
    expect(seconds).toBeLessThan(20);
    for (const pid of processesOf(mark)) process.kill(Number(pid), 'SIGKILL');
    expect(await allGone(mark)).toEqual([]);
  });

  it('tells a probe that was killed from outside from one that ended', async () => {
    const { ends } = await round(shell, [
      ['sh -c \'kill -KILL "$PPID"\'; sleep 1; echo never'],
      ['sh -c \'kill -TERM "$PPID"\'; sleep 1; echo never'],
      ['echo next'],
    ]);

    for (const end of ends.slice(0, 2)) {
      expect(end.status).toBeGreaterThan(128);
      expect(end.stdout).toBe('');
    }
    expect(ends[2]).toMatchObject({ status: 0, stdout: 'next\n' });
  });

  it('has the right status when a probe ends at the very moment of a tick', async () => {
    // The watcher ticks every second: these ends crowd around its ticks.
    const moments = [0.98, 0.99, 1, 0.99, 1];
    const { ends } = await round(
      shell,
      moments.map((moment, index) => [`sleep ${moment}; exit ${index + 40}`]),
    );

    expect(ends.map(({ status }) => status)).toEqual([40, 41, 42, 43, 44]);
  });
});
