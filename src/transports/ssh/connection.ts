import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { failedDial, refusedDial } from '../dial-error.js';
import { printable } from '../printable.js';
import type { Channel, Connection, OutputHandlers, Target, TransportError } from '../transport.js';
import type { Hop } from './bastions.js';
import { wrapChannel } from './channel.js';
import { seconds, unreachable, where } from './link.js';
import type { Session } from './session.js';
import type { ClientChannel } from './ssh2.js';

/** sshd's MaxSessions is ten by default; a few are left to whoever else shares the connection's limit. */
const channelsPerConnection = 8;

/** Commands over one logged-in session, no more at once than the host takes. */
export function openConnection(target: Target, session: Session, via: Hop | undefined): Connection {
  let limit = channelsPerConnection;
  let open = 0;
  let opened = false;
  let waiting: (() => void)[] = [];
  if (via) session.onLost(() => via.leave());

  const release = () => {
    open--;
    const next = waiting;
    waiting = [];
    for (const wake of next) wake();
  };

  /** Waits for a free place, at most until `end`; false when there was none. */
  async function place(end: number): Promise<boolean> {
    while (open >= limit) {
      const left = end - performance.now();
      if (left <= 0 || session.lost) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    open++;
    return true;
  }

  async function start(command: string, output: OutputHandlers): Promise<Channel> {
    const end = performance.now() + target.deadlines.channel;
    let refusal: TransportError | undefined;
    for (;;) {
      if (!(await place(end))) throw refusal ?? tooManyChannels(target);
      let released = false;
      const onEnd = () => {
        if (released) return;
        released = true;
        release();
      };
      try {
        // Wrapped at once: the exit status may be in the same packet as the host's consent.
        const channel = await openChannel(session, target, command, (stream) =>
          wrapChannel(stream, output, session, target, onEnd),
        );
        opened = true;
        return channel;
      } catch (error) {
        onEnd();
        if (!(error instanceof ChannelLimit)) throw error;
        // The host takes fewer channels than we thought: wait for one of ours to end. sshd may still be busy with
        // the end of the last one; a host that never opened any will not do so later.
        if ((open === 0 && !opened) || performance.now() > end) throw error.refusal;
        limit = Math.max(1, open);
        refusal = error.refusal;
        if (open === 0) await sleep(30);
      }
    }
  }

  return {
    hostKeys: [...(via?.hostKeys ?? []), session.fingerprint],
    async exec(command, output) {
      if (command.includes('\0')) {
        throw unreachable('transport-error', 'a command cannot contain a NUL character; nothing was sent');
      }
      return start(command, output);
    },
    dial: ({ address, port }, signal) => openTunnel(session, target, address, port, signal),
    async close() {
      await session.close();
      via?.leave();
    },
  };
}

/** A TCP connection from the host (`direct-tcpip`). */
async function openTunnel(
  session: Session,
  target: Target,
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let done = false;
    const settle = (act: () => void) => {
      if (done) return;
      done = true;
      stopWatching();
      signal.removeEventListener('abort', abort);
      act();
    };
    const fail = (error: unknown) => settle(() => reject(error));
    const abort = () => fail(signal.reason);
    const stopWatching = session.onLost(() => fail(session.lost));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    session.client.forwardOut('127.0.0.1', 0, address, port, (error, stream) => {
      if (error) return fail(session.lost ?? tunnelError(error, target));
      if (done) return stream.destroy();
      // ssh2 would end it as if the server had, and its own `destroy` takes no error.
      const stop = session.onLost(() => void Duplex.prototype.destroy.call(stream, session.lost));
      stream.once('close', stop).on('error', () => {});
      settle(() => resolve(stream));
    });
  });
}

/** RFC 4254: 1 is forbidden, 2 could not connect. */
function tunnelError(error: Error & { reason?: unknown }, target: Target): Error {
  const text = error.message.replace(/^\(SSH\) Channel open failure: /, '');
  return error.reason === 2 ? failedDial(text) : refusedDial(where(target), text, error);
}

class ChannelLimit extends Error {
  readonly refusal: TransportError;

  constructor(refusal: TransportError) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

async function openChannel(
  session: Session,
  target: Target,
  command: string,
  wrap: (stream: ClientChannel) => Channel,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    let done = false;
    const finish = (error: Error) => {
      if (done) return;
      done = true;
      stopWatching();
      clearTimeout(timer);
      reject(error);
    };
    const { channel } = target.deadlines;
    const timer = setTimeout(() => {
      finish(unreachable('channel-timeout', `${where(target)} did not start the command within ${seconds(channel)}`));
    }, channel);
    const stopWatching = session.onLost(() => finish(neverStarted(session, target)));
    try {
      session.client.exec(command, (error, stream) => {
        if (error) {
          const text = printable(error.message.replace(/^\(SSH\) Channel open failure: /, ''));
          const refused = unreachable(
            'channel-refused',
            `${where(target)} refused to run a command: ${text}`,
            false,
            error,
          );
          finish(
            session.lost ? neverStarted(session, target) : 'reason' in error ? new ChannelLimit(refused) : refused,
          );
        } else if (done) stream.close();
        else {
          done = true;
          stopWatching();
          clearTimeout(timer);
          resolve(wrap(stream));
        }
      });
    } catch (error) {
      finish(neverStarted(session, target, error));
    }
  });
}

function neverStarted(session: Session, target: Target, cause?: unknown): TransportError {
  const reason = session.lost?.reason ?? 'connection-lost';
  const text = session.lost?.message ?? `the connection to ${where(target)} was lost`;
  return unreachable(reason, `${text}; the command was not started`, false, cause);
}

function tooManyChannels(target: Target): TransportError {
  return unreachable(
    'channel-refused',
    `${where(target)} had no free channel within ${seconds(target.deadlines.channel)}`,
  );
}
