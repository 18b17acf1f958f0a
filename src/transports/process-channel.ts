import type { ChildProcess } from 'node:child_process';
import { channelEnding } from './ending.js';
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
  const ending = channelEnding(options.afterExit, (result) => {
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    options.onEnd?.();
    return options.judge ? options.judge(result) : result;
  });

  stdout?.on('data', (chunk: Buffer) => {
    if (!ending.settled()) output.onStdout(chunk);
  });
  stderr?.on('data', (chunk: Buffer) => {
    if (!ending.settled()) output.onStderr(chunk);
  });
  if (options.held) for (const stream of [stdout, stderr]) stream?.pause();
  for (const stream of [stdin, stdout, stderr]) stream?.on('error', () => {});
  child.on('exit', (code, signal) => ending.exited({ status: code, signal }));
  child.on('close', (code, signal) => ending.settle(ending.status() ?? { status: code, signal }));

  return {
    exit: ending.exit,
    exited: ending.exited,
    release() {
      for (const stream of [stdout, stderr]) stream?.resume();
    },
    write: (data) => ending.write(stdin, data),
    end() {
      stdin?.end();
    },
    complete: ending.complete,
    kill() {
      if (ending.settled()) return;
      signalGroup(child, 'SIGTERM');
      ending.later(2_000, () => signalGroup(child, 'SIGKILL'));
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
