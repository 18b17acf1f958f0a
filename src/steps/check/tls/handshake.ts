import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { connect, rootCertificates } from 'node:tls';
import { type ConnectionFailure, connectionFailure } from '../connection.js';
import { describePeer, type TlsPeer } from '../peer.js';

export interface TlsData extends TlsPeer {
  readonly address: string;
  readonly port: number;
  readonly servername: string;
  /** Why there was no handshake. */
  readonly failure: ConnectionFailure | null;
  /** Seconds until the handshake was done. */
  readonly seconds: number;
}

export interface TlsTarget {
  readonly address: string;
  readonly port: number;
  readonly servername: string;
  readonly ca: string | undefined;
  readonly seconds: number;
}

export async function handshake(target: TlsTarget, signal: AbortSignal): Promise<TlsData> {
  const { address, port, servername } = target;
  const ca = target.ca === undefined ? undefined : [...rootCertificates, await readFile(target.ca, 'utf8')];
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const base = { address, port, servername, failure: null, protocol: null, cipher: null, untrusted: null, chain: [] };
  return await new Promise<TlsData>((resolve, reject) => {
    // Everything is let in, weak and untrusted, so that it can be described; nothing is sent over it.
    const socket = connect({
      host: address,
      port,
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
      ...(ca && { ca }),
      // Literal addresses are no server names (RFC 6066).
      ...(isIP(servername) === 0 && { servername }),
      checkServerIdentity: () => undefined,
    });
    const timer = setTimeout(() => {
      finish({ ...base, failure: { reason: 'timeout', detail: `no answer within ${target.seconds} s`, proven: true } });
    }, target.seconds * 1000);
    const abort = () => {
      clearTimeout(timer);
      socket.destroy();
      reject(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    };
    const finish = (data: Omit<TlsData, 'seconds'>) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      const seconds = elapsed();
      socket.destroy();
      resolve({ ...data, seconds });
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.on('error', (error) => finish({ ...base, failure: connectionFailure(error) }));
    socket.once('close', () =>
      finish({
        ...base,
        failure: { reason: 'connection-reset', detail: 'the server closed the connection', proven: true },
      }),
    );
    socket.once('secureConnect', () => {
      finish({ ...base, ...describePeer(socket, servername) });
    });
  });
}
