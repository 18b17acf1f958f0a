import { type Channel, type ChannelExit, type OutputHandlers, type Target, TransportError } from '../transport.js';
import type { Session } from './session.js';
import type { ClientChannel } from './ssh2.js';

/** Wraps an accepted exec channel. `onEnd` is called once, when the channel no longer counts against the host's limit. */
export function wrapChannel(
  stream: ClientChannel,
  output: OutputHandlers,
  session: Session,
  target: Target,
  onEnd: () => void,
): Channel {
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
    stopWatching();
    for (const taken of [...pendingWrites]) taken();
    resolveExit(result);
  };
  /** The status is known and waiting for the streams is over: cut them. */
  const cut = (result: ChannelExit) => {
    settle(result);
    stream.close();
  };

  // Output waits until the caller has the channel in hand. Both streams are read whatever happens: an unread
  // stderr would stop the remote program for ever.
  setImmediate(() => {
    stream.on('data', (chunk: Buffer) => {
      if (!settled) output.onStdout(chunk);
    });
    stream.stderr.on('data', (chunk: Buffer) => {
      if (!settled) output.onStderr(chunk);
    });
  });
  stream.on('error', () => {});
  stream.stderr.on('error', () => {});
  stream.on('exit', (code: number | null, signal?: string) => {
    status = { status: code, signal: code === null ? (signal ?? null) : null };
    if (completed) cut(status);
    else grace = setTimeout(() => cut({ ...(status as ChannelExit), truncated: true }), target.deadlines.afterExit);
  });
  stream.on('close', () => {
    onEnd();
    // Also reached when the link was cut: then the connection's own close comes right after, with its reason.
    if (status && !session.lost) settle(status);
    else setImmediate(() => settle(status ? { ...status, truncated: true } : unproven(session, target)));
  });
  const stopWatching = session.onLost(() => {
    onEnd();
    setImmediate(() => settle(status ? { ...status, truncated: true } : unproven(session, target)));
  });

  return {
    exit,
    async write(data) {
      if (settled || !stream.writable) return;
      await new Promise<void>((resolve) => {
        const taken = () => {
          pendingWrites.delete(taken);
          resolve();
        };
        pendingWrites.add(taken);
        stream.write(data, taken);
      });
    },
    end() {
      if (stream.writable) stream.end();
    },
    complete() {
      completed = true;
      if (status) cut(status);
    },
    kill() {
      if (settled) return;
      stream.signal('TERM');
      const force = setTimeout(() => {
        if (settled) return;
        stream.signal('KILL');
        const giveUp = setTimeout(
          () => cut(status ? { ...status, truncated: true } : unproven(session, target)),
          1_000,
        );
        void exit.then(() => clearTimeout(giveUp));
      }, 2_000);
      void exit.then(() => clearTimeout(force));
    },
  };
}

function unproven(session: Session, target: Target): ChannelExit {
  const lost =
    session.lost ??
    new TransportError('connection-lost', 'unknown', `${target.name} closed the channel without an exit status`);
  return { status: null, signal: null, lost };
}
