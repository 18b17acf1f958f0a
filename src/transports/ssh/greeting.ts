import type { Duplex } from 'node:stream';
import { printable } from '../printable.js';
import { type Target, TransportError } from '../transport.js';
import { unreachable, where } from './link.js';

/** Text before the SSH greeting is allowed, but not much of it is ever sent by a real server. */
const limit = 8_192;

/** Web, mail and VNC servers, told at once instead of after the timer. */
const otherProtocol = /^(HTTP\/|220[ -]|\+OK|\* OK|RFB )/;

export interface Greeting {
  /** The connection ended, or the timer did, without an SSH greeting: what to make of it. */
  ended(): TransportError;
  timedOut(wait: string): TransportError;
  stop(): void;
}

/**
 * Looks at the first bytes beside ssh2, to tell "not SSH at all" from a slow or overloaded sshd. Attach it
 * while the stream is paused: it must not start the flow.
 */
export function watchGreeting(
  stream: Duplex,
  target: Target,
  on: { greeted(): void; refused(error: TransportError): void },
): Greeting {
  let seen = Buffer.alloc(0);
  const stop = () => stream.off('data', onData);
  const onData = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk.subarray(0, limit)]);
    const text = seen.toString('latin1');
    const version = /(?:^|\n)SSH-(\d+\.\d+)-/.exec(text)?.[1];
    if (version !== undefined) {
      stop();
      if (version === '2.0' || version === '1.99') on.greeted();
      else on.refused(notSsh(target, seen, 'speaks only SSH 1'));
    } else if (seen.length >= limit || otherProtocol.test(text)) {
      stop();
      on.refused(notSsh(target, seen));
    }
  };
  stream.on('data', onData);
  return {
    stop,
    ended() {
      // Newer sshd says why it hangs up before the greeting; both are a matter of waiting.
      if (seen.length === 0 || /^(Exceeded MaxStartups|Not allowed at this time)/.test(seen.toString('latin1'))) {
        const why = seen.length > 0 ? ` ("${printable(seen.toString('latin1'), 60)}")` : '';
        return unreachable(
          'connection-reset',
          `${where(target)} closed the connection before the SSH greeting${why}; it may have too many logins at once`,
          true,
        );
      }
      return notSsh(target, seen);
    },
    timedOut(wait) {
      return seen.length === 0
        ? unreachable('banner-timeout', `${where(target)} is connected but sent no SSH greeting within ${wait}`)
        : notSsh(target, seen);
    },
  };
}

function notSsh(target: Target, seen: Buffer, what = 'is not an SSH server'): TransportError {
  return new TransportError(
    'not-ssh',
    'unreachable',
    `${where(target)} ${what}: it answers "${printable(seen.toString('latin1'), 60)}"`,
    { hint: 'check the port' },
  );
}
