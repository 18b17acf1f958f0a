import { channelEnding } from '../ending.js';
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
  const ending = channelEnding(target.deadlines.afterExit, (result) => {
    stopWatching();
    if (!session.lost) stream.close();
    return result;
  });
  /** Nobody will tell more than is known. */
  const cut = () => {
    const status = ending.status();
    ending.settle(status ? { ...status, truncated: true } : unproven(session, target));
  };

  // Output waits until the caller has the channel in hand. Both streams are read whatever happens: an unread
  // stderr would stop the remote program for ever.
  setImmediate(() => {
    stream.on('data', (chunk: Buffer) => {
      if (!ending.settled()) output.onStdout(chunk);
    });
    stream.stderr.on('data', (chunk: Buffer) => {
      if (!ending.settled()) output.onStderr(chunk);
    });
  });
  stream.on('error', () => {});
  stream.stderr.on('error', () => {});
  stream.on('exit', (code: number | null, signal?: string) => {
    ending.exited({ status: code, signal: code === null ? (signal ?? null) : null });
  });
  stream.on('close', () => {
    onEnd();
    const status = ending.status();
    // Also reached when the link was cut: then the connection's own close comes right after, with its reason.
    if (status && !session.lost) ending.settle(status);
    else setImmediate(cut);
  });
  const stopWatching = session.onLost(() => {
    onEnd();
    setImmediate(cut);
  });

  return {
    exit: ending.exit,
    write: (data) => ending.write(stream, data),
    end() {
      if (stream.writable) stream.end();
    },
    complete: ending.complete,
    kill() {
      if (ending.settled()) return;
      stream.signal('TERM');
      ending.later(2_000, () => {
        stream.signal('KILL');
        ending.later(1_000, cut);
      });
    },
  };
}

function unproven(session: Session, target: Target): ChannelExit {
  const lost =
    session.lost ??
    new TransportError('connection-lost', 'unknown', `${target.name} closed the channel without an exit status`);
  return { status: null, signal: null, lost };
}
