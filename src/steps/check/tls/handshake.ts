import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, rootCertificates } from 'node:tls';
import { type Certificate, readChain } from '../certificate.js';
import { type ConnectionFailure, connectionFailure, tlsFailure } from '../connection.js';

export interface TlsData {
  readonly address: string;
  readonly port: number;
  readonly servername: string;
  /** Why there was no handshake. */
  readonly failure: ConnectionFailure | null;
  readonly protocol: string | null;
  readonly cipher: string | null;
  /** What is wrong with the chain or the name; null when both are right. */
  readonly untrusted: { readonly reason: string; readonly detail: string } | null;
  readonly chain: readonly Certificate[];
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
      const peer = socket.getPeerCertificate(true);
      const chain = readChain(peer);
      const trouble = socket.authorizationError as unknown as (Error & { code?: string }) | string | null | undefined;
      const code = typeof trouble === 'string' ? trouble : trouble?.code;
      const wrongName = chain.length === 0 ? undefined : checkServerIdentity(servername, peer);
      const untrusted = code
        ? (tlsFailure({ code, message: String(trouble) }) ?? {
            reason: 'chain-invalid',
            detail: `the chain is not valid: ${code}`,
          })
        : null;
      finish({
        ...base,
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().standardName ?? socket.getCipher().name,
        // Both may be wrong; the name is what an administrator sees first.
        untrusted: wrongName
          ? { reason: 'wrong-name', detail: `the certificate is for ${names(chain[0])}, not for ${servername}` }
          : untrusted,
        chain,
      });
    });
  });
}

function names(certificate: Certificate | undefined): string {
  const list = certificate?.names.length ? certificate.names : [certificate?.subject ?? 'nobody'];
  return `${list.slice(0, 3).join(', ')}${list.length > 3 ? ' …' : ''}`;
}
