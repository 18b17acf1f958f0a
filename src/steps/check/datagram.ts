import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { type ConnectionFailure, connectionFailure, lookupTimedOut } from './connection.js';

export interface DatagramTarget {
  readonly address: string;
  readonly port: number;
  /** For all of it. */
  readonly seconds: number;
}

export interface Exchange<T> {
  readonly failure: ConnectionFailure | null;
  /** Seconds from the first question to the answer. */
  readonly seconds: number | null;
  readonly value: T | null;
}

/** Datagrams get lost: one that has no answer is sent again, this often within the time. */
const tries = 3;

/**
 * Sends what `question` makes, and gives what `accept` makes of the first datagram that it does not leave aside
 * with undefined. The kernel lets in nothing from other addresses. Settles when `signal` aborts.
 */
export async function exchange<T>(
  { address, port, seconds }: DatagramTarget,
  signal: AbortSignal,
  question: () => Buffer,
  accept: (datagram: Buffer) => T | undefined,
): Promise<Exchange<T>> {
  signal.throwIfAborted();
  return await new Promise<Exchange<T>>((resolve, reject) => {
    const cleanUp: (() => void)[] = [];
    const finish = (settle: () => void) => {
      for (const step of cleanUp.splice(0)) step();
      settle();
    };
    const fail = (failure: ConnectionFailure) => finish(() => resolve({ failure, seconds: null, value: null }));
    const abort = () => finish(() => reject(signal.reason as Error));
    signal.addEventListener('abort', abort, { once: true });
    const late = { reason: 'timeout', detail: `no answer within ${seconds} s`, proven: true };
    let resolved = false;
    const timer = setTimeout(() => fail(resolved ? late : connectionFailure(lookupTimedOut())), seconds * 1000);
    let done = false;
    cleanUp.push(
      () => signal.removeEventListener('abort', abort),
      () => clearTimeout(timer),
      () => {
        done = true;
      },
    );

    const begin = (found: { readonly address: string; readonly family: number }) => {
      if (done) return;
      resolved = true;
      const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4');
      cleanUp.push(() => socket.close());
      socket.on('error', (error) => done || fail(connectionFailure(error)));
      socket.on('message', (datagram) => {
        if (done) return;
        try {
          const value = accept(datagram);
          if (value === undefined) return;
          const took = (performance.now() - started) / 1000;
          finish(() => resolve({ failure: null, seconds: took, value }));
        } catch (error) {
          finish(() => reject(error));
        }
      });
      let started = performance.now();
      socket.connect(port, found.address, () => {
        if (done) return;
        const ask = () => socket.send(question());
        const again = setInterval(ask, (seconds * 1000) / tries);
        cleanUp.push(() => clearInterval(again));
        started = performance.now();
        ask();
      });
    };
    lookup(address).then(begin, (error) => done || fail(connectionFailure(error)));
  });
}
