import type { Writable } from 'node:stream';
import type { ChannelExit } from './transport.js';

/** How a channel ends: once, with the exit status, and with the rest of the output where that comes in time. */
export interface Ending {
  readonly exit: Promise<ChannelExit>;
  settled(): boolean;
  /** How the command ended, when that is known. */
  status(): ChannelExit | undefined;
  /** Nothing more comes. */
  settle(result: ChannelExit): void;
  /** The command has ended with `status`; the rest of its output may still come. */
  exited(status: ChannelExit): void;
  /** The caller has all the output it needs. */
  complete(): void;
  /** Writes to the command, and returns once the data was taken or nobody will take it. */
  write(stream: Writable | null, data: Buffer | string): Promise<void>;
  /** Acts in `milliseconds`, unless the channel has ended by then. */
  later(milliseconds: number, act: () => void): void;
}

/**
 * Output is waited for `afterExit` milliseconds after the command. `close` is called once, gives up what the
 * channel holds, and tells the exit as the caller is to see it.
 */
export function channelEnding(
  afterExit: number,
  close: (result: ChannelExit) => Promise<ChannelExit> | ChannelExit,
): Ending {
  let status: ChannelExit | undefined;
  let completed = false;
  let settled = false;
  const pendingWrites = new Set<() => void>();
  let resolveExit: (exit: Promise<ChannelExit> | ChannelExit) => void = () => {};
  const exit = new Promise<ChannelExit>((resolve) => {
    resolveExit = resolve;
  });

  const settle = (result: ChannelExit) => {
    if (settled) return;
    settled = true;
    const closed = close(result);
    for (const taken of [...pendingWrites]) taken();
    resolveExit(closed);
  };
  const later = (milliseconds: number, act: () => void) => {
    const timer = setTimeout(act, milliseconds);
    void exit.then(() => clearTimeout(timer));
  };

  return {
    exit,
    settled: () => settled,
    status: () => status,
    settle,
    exited(ended) {
      if (status) return;
      status = ended;
      if (completed) settle(ended);
      else later(afterExit, () => settle({ ...ended, truncated: true }));
    },
    complete() {
      completed = true;
      if (status) settle(status);
    },
    async write(stream, data) {
      if (settled || !stream?.writable) return;
      await new Promise<void>((resolve) => {
        const taken = () => {
          pendingWrites.delete(taken);
          resolve();
        };
        pendingWrites.add(taken);
        stream.write(data, taken);
      });
    },
    later,
  };
}
