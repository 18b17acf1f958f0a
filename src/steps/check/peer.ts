import { checkServerIdentity, type TLSSocket } from 'node:tls';
import { type Certificate, readChain } from './certificate.js';
import { tlsFailure } from './connection.js';

/** The other end of a TLS connection, as it showed itself. */
export interface TlsPeer {
  readonly protocol: string | null;
  readonly cipher: string | null;
  /** What is wrong with the chain or the name; null when both are right. */
  readonly untrusted: { readonly reason: string; readonly detail: string } | null;
  readonly chain: readonly Certificate[];
}

/** For a connection that let everything in. */
export function describePeer(socket: TLSSocket, servername: string): TlsPeer {
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
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName ?? socket.getCipher().name,
    // Both may be wrong; the name is what an administrator sees first.
    untrusted: wrongName
      ? { reason: 'wrong-name', detail: `the certificate is for ${names(chain[0])}, not for ${servername}` }
      : untrusted,
    chain,
  };
}

function names(certificate: Certificate | undefined): string {
  const list = certificate?.names.length ? certificate.names : [certificate?.subject ?? 'nobody'];
  return `${list.slice(0, 3).join(', ')}${list.length > 3 ? ' …' : ''}`;
}
