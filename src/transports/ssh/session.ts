import type { Duplex } from 'node:stream';
import { printable } from '../printable.js';
import { type Target, TransportError } from '../transport.js';
import type { TrustStore, Verdict } from '../trust/trust.js';
import { algorithmsFor } from './algorithms.js';
import type { Credentials } from './credentials.js';
import { watchGreeting } from './greeting.js';
import { abortError, seconds, unreachable, where } from './link.js';
import { Client, type Ssh2Client } from './ssh2.js';

/** One host, verified and logged in to. */
export interface Session {
  readonly client: Ssh2Client;
  readonly fingerprint: string;
  /** Why the connection ended, once it has. */
  readonly lost: TransportError | undefined;
  /** Calls back once, when the connection has ended, at once if it has. Gives the function that forgets the callback. */
  onLost(callback: () => void): () => void;
  /** Ends the connection: politely, and after a second at the latest by force. Never rejects. */
  close(): Promise<void>;
}

/** The key types that were offered cannot match; another handshake with `otherTypes` may. */
export class OtherKeyTypes extends Error {
  readonly types: readonly string[];
  readonly refusal: TransportError;

  constructor(types: readonly string[], refusal: TransportError) {
    super(refusal.message);
    this.types = types;
    this.refusal = refusal;
  }
}

/** SSH handshake, host key check and login over an open stream. Owns the stream from here on. */
export async function startSession(
  stream: Duplex,
  target: Target,
  types: readonly string[] | undefined,
  credentials: Credentials,
  trust: Pick<TrustStore, 'judge'>,
  signal: AbortSignal,
): Promise<Session> {
  return new Promise((resolve, reject) => {
    const { deadlines } = target;
    const client = new Client();
    const lostCallbacks = new Set<() => void>();
    let phase: 'greeting' | 'handshake' | 'login' | 'ready' = 'greeting';
    let verdict: Verdict | undefined;
    let lost: TransportError | undefined;
    let ended = false;
    let settled = false;

    const settle = () => {
      settled = true;
      clearTimeout(timer);
      greeting.stop();
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error) => {
      if (settled) return;
      settle();
      stream.destroy();
      reject(error);
    };
    const onAbort = () => fail(abortError(target));
    const loginTimeout = () => {
      const what = phase === 'login' ? 'log us in' : 'finish the SSH handshake';
      fail(unreachable('login-timeout', `${where(target)} did not ${what} within ${seconds(deadlines.login)}`));
    };
    let timer = setTimeout(() => fail(greeting.timedOut(seconds(deadlines.banner))), deadlines.banner);

    stream.pause();
    const greeting = watchGreeting(stream, target, {
      greeted() {
        if (phase !== 'greeting') return;
        phase = 'handshake';
        clearTimeout(timer);
        timer = setTimeout(loginTimeout, deadlines.login);
      },
      refused: fail,
    });
    signal.addEventListener('abort', onAbort, { once: true });

    client.on('handshake', () => {
      phase = 'login';
    });
    client.on('change password', () => {
      fail(
        new TransportError(
          'auth-failed',
          'refused',
          `the password of ${printable(target.user)} on ${target.name} has expired`,
        ),
      );
    });
    // ssh2 may emit any number of errors for one fault: the listener stays for good, the first one counts.
    client.on('error', (error: Error & { level?: string; code?: unknown }) => {
      if (phase === 'ready') {
        lost ??= lostError(target, error);
        stream.destroy();
        return;
      }
      // An agent or a key that cannot sign is not the end: ssh2 goes on with the next method.
      if (error.level === 'agent') return;
      if (error.level === 'client-authentication' && !error.message.startsWith('All configured')) return;
      if (verdict && !verdict.accepted) {
        fail(verdict.otherTypes?.length ? new OtherKeyTypes(verdict.otherTypes, verdict.error) : verdict.error);
      } else if (phase === 'greeting') setImmediate(() => fail(greeting.ended()));
      else fail(handshakeError(target, error, phase, types, credentials));
    });
    client.on('close', () => {
      if (phase === 'ready') {
        ended = true;
        lost ??= lostError(target);
        for (const callback of [...lostCallbacks]) callback();
        lostCallbacks.clear();
      } else if (phase === 'greeting') fail(greeting.ended());
      else fail(unreachable('connection-reset', `${where(target)} closed the connection during the ${phase}`));
    });
    client.on('ready', () => {
      if (settled || verdict?.accepted !== true) {
        fail(new TransportError('host-key-unknown', 'refused', `the host key of ${target.name} was not checked`));
        return;
      }
      settle();
      phase = 'ready';
      const { fingerprint } = verdict;
      resolve({
        client,
        fingerprint,
        get lost() {
          return lost;
        },
        onLost(callback) {
          if (ended) callback();
          else lostCallbacks.add(callback);
          return () => {
            lostCallbacks.delete(callback);
          };
        },
        close: async () => closeClient(client, stream, () => lost !== undefined),
      });
    });

    try {
      client.connect({
        sock: stream as never,
        ident: 'opsctl',
        username: target.user,
        algorithms: algorithmsFor(types),
        readyTimeout: 0,
        keepaliveInterval: deadlines.keepaliveInterval,
        keepaliveCountMax: deadlines.keepaliveCount,
        // Must stay synchronous: ssh2 takes a promise for a yes.
        hostVerifier: (key: Buffer, done: (accepted: boolean) => void) => {
          verdict = trust.judge(target, key);
          done(verdict.accepted === true);
        },
        authHandler: ((methodsLeft: string[] | null) => credentials.next(methodsLeft)) as never,
      });
    } catch (error) {
      fail(unreachable('transport-error', `${where(target)}: ${printable((error as Error).message)}`, false, error));
    }
  });
}

function handshakeError(
  target: Target,
  error: Error & { level?: string; code?: unknown },
  phase: 'handshake' | 'login',
  types: readonly string[] | undefined,
  credentials: Credentials,
): TransportError {
  const text = printable(error.message);
  if (error.level === 'client-authentication') return credentials.refusal();
  // Reason 2 is sshd's "too many authentication failures", 14 "no more authentication methods".
  if (phase === 'login' && (error.code === 2 || error.code === 14)) {
    const refusal = credentials.refusal();
    return new TransportError('auth-failed', 'refused', `${refusal.message} ("${text}")`, {
      hint: 'name the one identity that fits, so that no other key is offered',
    });
  }
  if (/no matching host key format/i.test(text) && types !== undefined) {
    return new TransportError(
      'host-key-mismatch',
      'refused',
      `the host key of ${target.name} is not the known one: expected a key of type ${types.join(' or ')}, and it offers none; not retried`,
      { hint: 'find out why, then trust its new key with: opsctl trust add', cause: error },
    );
  }
  if (/no matching/i.test(text)) {
    return new TransportError(
      'transport-error',
      'unreachable',
      `${where(target)} shares no safe algorithm with us: ${text}`,
      {
        hint: 'update its sshd, or set transport: openssh',
        cause: error,
      },
    );
  }
  const reason = error.level === 'client-socket' ? 'connection-reset' : 'transport-error';
  return unreachable(reason, `${where(target)} broke off during the ${phase}: ${text}`, false, error);
}

function lostError(target: Target, error?: Error & { level?: string }): TransportError {
  if (error?.message === 'Keepalive timeout') {
    const { keepaliveInterval, keepaliveCount } = target.deadlines;
    return new TransportError(
      'keepalive-timeout',
      'unknown',
      `${where(target)} stopped answering: no sign of life for ${seconds(keepaliveInterval * (keepaliveCount + 1))}`,
    );
  }
  const why = error ? `: ${printable(error.message)}` : '';
  return new TransportError('connection-lost', 'unknown', `the connection to ${where(target)} was lost${why}`);
}

async function closeClient(client: Ssh2Client, stream: Duplex, isLost: () => boolean): Promise<void> {
  if (isLost()) {
    stream.destroy();
    return;
  }
  await new Promise<void>((resolve) => {
    // On a dead link end() never closes, and ssh2's own destroy() does nothing after end().
    const timer = setTimeout(() => {
      stream.destroy();
      resolve();
    }, 1_000);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    try {
      client.end();
    } catch {
      stream.destroy();
    }
  });
}
