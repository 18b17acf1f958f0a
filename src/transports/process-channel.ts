import type { ChildProcess } from 'node:child_process';
import type { Channel, ChannelExit, OutputHandlers } from './transport.js';

export interface ProcessOptions {
  readonly afterExit: number;
  /** Turns the process's own end into the command's; the plain status when absent. */
  readonly judge?: (exit: ChannelExit) => Promise<ChannelExit> | ChannelExit;
  /** Called once when the process has ended, or its streams were cut. */
  readonly onEnd?: () => void;
  /** Hold the output back until `release`. */
  readonly held?: boolean;
}

export interface ProcessChannel extends Channel {
  /** The command has ended, as told by someone else, while the process still runs. */
  exited(status: ChannelExit): void;
  release(): void;
}

/** A started process, alone in its process group, as a channel. */
export function processChannel(child: ChildProcess, output: OutputHandlers, options: ProcessOptions): ProcessChannel {
  const { stdin, stdout, stderr } = child;
  let status: ChannelExit | undefined;
  let completed = false;
  let settled = false;
  let grace: NodeJS.Timeout | undefined;
  const pendingWrites = new Set<() => void>();
  let resolveExit: (exit: ChannelExit) => void = () => {};
  const exit = new Promise<ChannelExit>((resolve) => {
    resolveExit = resolve;
  });

  const settle = (result: ChannelExit) => {
    if (settled) return;
    settled = true;
    clearTimeout(grace);
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    for (const taken of [...pendingWrites]) taken();
    options.onEnd?.();
    const judged = options.judge ? options.judge(result) : result;
    void Promise.resolve(judged).then(resolveExit);
  };
  stdout?.on('data', (chunk: Buffer) => {
    if (!settled) output.onStdout(chunk);
  });
  stderr?.on('data', (chunk: Buffer) => {
    if (!settled) output.onStderr(chunk);
  });
  if (options.held) for (const stream of [stdout, stderr]) stream?.pause();
  for (const stream of [stdin, stdout, stderr]) stream?.on('error', () => {});
  const exited = (ended: ChannelExit) => {
    if (status) return;
    status = ended;
    if (completed) settle(status);
    else grace = setTimeout(() => settle({ ...ended, truncated: true }), options.afterExit);
  };
  child.on('exit', (code, signal) => exited({ status: code, signal }));
  child.on('close', (code, signal) => settle(status ?? { status: code, signal }));

  return {
    exit,
    exited,
    release() {
      for (const stream of [stdout, stderr]) stream?.resume();
    },
    async write(data) {
      if (settled || !stdin?.writable) return;
      await new Promise<void>((resolve) => {
        const taken = () => {
          pendingWrites.delete(taken);
          resolve();
        };
        pendingWrites.add(taken);
        stdin.write(data, taken);
      });
    },
    end() {
      stdin?.end();
    },
    complete() {
      completed = true;
      if (status) settle(status);
    },
    kill() {
      if (settled) return;
      signalGroup(child, 'SIGTERM');
      const force = setTimeout(() => signalGroup(child, 'SIGKILL'), 2_000);
      void exit.then(() => clearTimeout(force));
    },
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}
