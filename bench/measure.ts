import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** What one run of a command cost, together with everything that it started, whether or not that was waited for. */
export interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Peak memory of all its processes; file cache that they pulled in counts too. */
  readonly peakMebibytes: number;
  readonly status: number | null;
  readonly output: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** File for standard input; otherwise nothing. */
  readonly stdin?: string;
  readonly cwd?: string;
}

/** A control group: counts the processor time and the memory of all processes in it. */
export interface Group {
  /** Puts a command into the group. */
  wrap(argv: readonly string[]): readonly string[];
  cpuSeconds(): number;
  peakMebibytes(): number;
  pids(): readonly number[];
  remove(): Promise<void>;
}

const top = '/sys/fs/cgroup';

export function makeGroup(name: string): Group {
  const id = `opsctl-bench-${process.pid}-${name}`;
  const v2 = existsSync(join(top, 'cgroup.controllers'));
  const folders = v2 ? [join(top, id)] : [join(top, 'cpuacct', id), join(top, 'memory', id)];
  const [cpu, memory] = [folders[0] ?? '', folders.at(-1) ?? ''];
  for (const folder of folders) mkdirSync(folder);
  const number = (file: string) => Number(readFileSync(file, 'utf8'));
  return {
    wrap: (argv) => [
      'sh',
      '-c',
      `${folders.map((folder) => `echo $$ >${folder}/cgroup.procs`).join(' && ')} && exec "$@"`,
      'sh',
      ...argv,
    ],
    cpuSeconds: () =>
      v2
        ? Number(/^usage_usec (\d+)$/m.exec(readFileSync(join(cpu, 'cpu.stat'), 'utf8'))?.[1]) / 1e6
        : number(join(cpu, 'cpuacct.usage')) / 1e9,
    peakMebibytes: () => number(join(memory, v2 ? 'memory.peak' : 'memory.max_usage_in_bytes')) / 2 ** 20,
    pids: () => readFileSync(join(cpu, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
    async remove() {
      for (const folder of folders) await removeWhenEmpty(folder);
    },
  };
}

/** Runs a command to its end and counts what it cost. */
export async function measure(command: Command): Promise<Cost> {
  const group = makeGroup(`run-${process.hrtime.bigint()}`);
  const [program = '', ...args] = group.wrap(command.argv);
  const began = performance.now();
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH ?? '', ...command.env },
    cwd: command.cwd ?? '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}).end(command.stdin === undefined ? '' : readFileSync(command.stdin));
  const output = collect(child);
  const [status] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - began) / 1000;
  // What it left behind, such as ssh's shared connections, belongs to its bill and must not disturb the next run.
  const left = group.pids();
  for (const pid of left) killIfThere(pid);
  const cost = {
    seconds,
    cpuSeconds: group.cpuSeconds(),
    peakMebibytes: group.peakMebibytes(),
    status,
    output: output(),
  };
  await group.remove();
  return cost;
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.length < 100_000) text += chunk;
    });
  return () => text;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // it has just ended
  }
}

async function removeWhenEmpty(folder: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      rmdirSync(folder);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
