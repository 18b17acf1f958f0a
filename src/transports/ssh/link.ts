import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { printable } from '../printable.js';
import { type Target, TransportError, type TransportReason } from '../transport.js';
import type { Ssh2Client } from './ssh2.js';

/** Opens the TCP connection. The socket is ours: it has no Nagle delay and can be destroyed at any time. */
export async function dial(target: Target, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: target.address,
      port: target.port,
      noDelay: true,
      // Node's 250 ms an address would give up on distant hosts that have several.
      autoSelectFamilyAttemptTimeout: Math.max(1_000, Math.floor(target.deadlines.connect / 3)),
    });
    const finish = (error?: TransportError) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      socket.off('error', onError);
      if (error) {
        socket.on('error', () => {});
        socket.destroy();
        reject(error);
      } else resolve(socket);
    };
    const onConnect = () => finish();
    const onError = (error: Error) => finish(connectError(target, error));
    const onAbort = () => finish(abortError(target));
    const timer = setTimeout(
      () =>
        finish(
          unreachable('connect-timeout', `${where(target)} did not answer within ${seconds(target.deadlines.connect)}`),
        ),
      target.deadlines.connect,
    );
    socket.once('connect', onConnect);
    socket.once('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Asks the jump host for a connection to the target. */
export async function dialThrough(
  jump: Ssh2Client,
  jumpName: string,
  target: Target,
  signal: AbortSignal,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let done = false;
    const finish = (error?: TransportError, stream?: Duplex) => {
      if (done) {
        stream?.destroy();
        return;
      }
      done = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (stream) resolve(stream);
      else reject(error);
    };
    const onAbort = () => finish(abortError(target));
    // The jump host waits for its own TCP connect before it answers, so the figures add up.
    const wait = target.deadlines.connect + target.deadlines.channel;
    const timer = setTimeout(
      () =>
        finish(unreachable('connect-timeout', `${jumpName} did not reach ${where(target)} within ${seconds(wait)}`)),
      wait,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      jump.forwardOut('127.0.0.1', 0, target.address, target.port, (error, stream) => {
        if (error) finish(forwardError(target, jumpName, error));
        else finish(undefined, stream as unknown as Duplex);
      });
    } catch (error) {
      finish(unreachable('connection-lost', `the connection to ${jumpName} was lost`, true, error));
    }
  });
}

const socketErrors: Readonly<Record<string, readonly [TransportReason, string]>> = {
  ECONNREFUSED: ['connect-refused', 'refused the connection'],
  ENOTFOUND: ['name-not-found', 'has no address: the name is not known'],
  EAI_AGAIN: ['name-not-found', 'has no address: the name server does not answer'],
  EAI_FAIL: ['name-not-found', 'has no address: the name server failed'],
  EHOSTUNREACH: ['no-route', 'cannot be reached: no route to the host'],
  ENETUNREACH: ['no-route', 'cannot be reached: no route to the network'],
  EHOSTDOWN: ['no-route', 'cannot be reached: the host is down'],
  EADDRNOTAVAIL: ['no-route', 'cannot be reached from here: no local address or port is free'],
  EACCES: ['no-route', 'cannot be reached: the network forbids it'],
  EPERM: ['no-route', 'cannot be reached: a local firewall forbids it'],
  ETIMEDOUT: ['connect-timeout', 'did not answer'],
};

function connectError(target: Target, error: Error): TransportError {
  // Several addresses give an AggregateError whose own code is that of the first.
  const inner = (error as AggregateError).errors as readonly NodeJS.ErrnoException[] | undefined;
  const code = (error as NodeJS.ErrnoException).code ?? inner?.[0]?.code ?? '';
  if (code === 'ECONNRESET') {
    return unreachable('connection-reset', `${where(target)} reset the connection`, true, error);
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new TransportError('transport-error', 'unreachable', 'too many open files on this machine', {
      hint: 'raise ulimit -n, or lower --concurrency',
      cause: error,
    });
  }
  const [reason, text] = socketErrors[code] ?? ['transport-error', `cannot be reached (${printable(error.message)})`];
  return unreachable(reason, `${where(target)} ${text}`, false, error);
}

function forwardError(target: Target, jumpName: string, error: Error): TransportError {
  const text = printable(error.message.replace(/^\(SSH\) Channel open failure: /, ''));
  const via = `${jumpName} could not reach ${where(target)}: ${text}`;
  // Reason 1 is "administratively prohibited"; sshd's own text for it is only "open failed".
  if ((error as { reason?: unknown }).reason === 1) {
    return new TransportError('channel-refused', 'unreachable', `${jumpName} does not allow forwarding: ${text}`, {
      hint: 'set AllowTcpForwarding yes (and PermitOpen) on the jump host',
      cause: error,
    });
  }
  if (/no response from server/i.test(text)) return unreachable('connection-lost', via, true, error);
  if (/refused/i.test(text)) return unreachable('connect-refused', via, false, error);
  if (/timed out/i.test(text)) return unreachable('connect-timeout', via, false, error);
  if (/no route|unreachable/i.test(text)) return unreachable('no-route', via, false, error);
  if (/name|resolve|known|lookup|address/i.test(text)) return unreachable('name-not-found', via, false, error);
  return unreachable('channel-refused', via, false, error);
}

export function unreachable(reason: TransportReason, text: string, transient = false, cause?: unknown): TransportError {
  return new TransportError(reason, 'unreachable', text, { transient, ...(cause === undefined ? {} : { cause }) });
}

export function abortError(target: Target): TransportError {
  return new TransportError('aborted', 'unreachable', `the connection to ${target.name} was called off`);
}

/** `web1 (10.0.0.5:22)`, or only the address when that is all there is. */
export function where(target: Target): string {
  const { name, address, port } = target;
  const place = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return name === place || name === address || name.endsWith(`@${place}`) ? place : `${name} (${place})`;
}

export function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}
