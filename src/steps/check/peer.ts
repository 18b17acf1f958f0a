import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, rootCertificates, type TLSSocket } from 'node:tls';
import type { Judgement } from '../step.js';
import { type Certificate, judgeExpiry, readChain } from './certificate.js';
import { tlsFailure } from './connection.js';

/** The other end of a TLS connection, as it showed itself. */
export interface TlsPeer {
  readonly protocol: string | null;
  readonly cipher: string | null;
  /** What is wrong with the chain or the name; null when both are right. */
  readonly untrusted: { readonly reason: string; readonly detail: string } | null;
  readonly chain: readonly Certificate[];
}

/** For a connection that let everything in. `ca` is PEM with what is trusted besides the public authorities. */
export function describePeer(socket: TLSSocket, servername: string, ca = ''): TlsPeer {
  const peer = socket.getPeerCertificate(true);
  const trouble = socket.authorizationError as unknown as (Error & { code?: string }) | string | null | undefined;
  const code = typeof trouble === 'string' ? trouble : trouble?.code;
  // Servers send on old certificates of a root that is trusted itself by now. Clients stop before them.
  const chain = readChain(peer, code ? undefined : (raw) => isSignedByRoot(new X509Certificate(raw), ca));
  const wrongName = chain.length === 0 ? undefined : checkServerIdentity(servername, peer);
  const untrusted = code
    ? (tlsFailure({ code, message: code }) ?? {
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

let publicRoots: readonly X509Certificate[] | undefined;

function isSignedByRoot(certificate: X509Certificate, ca: string): boolean {
  publicRoots ??= rootCertificates.map((pem) => new X509Certificate(pem));
  const own = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return [...publicRoots, ...own.map((pem) => new X509Certificate(pem))].some(
    (root) =>
      root.subject === certificate.issuer &&
      root.subject === root.issuer &&
      Date.parse(root.validTo) > Date.now() &&
      certificate.verify(root.publicKey),
  );
}

function names(certificate: Certificate | undefined): string {
  const list = certificate?.names.length ? certificate.names : [certificate?.subject ?? 'nobody'];
  return `${list.slice(0, 3).join(', ')}${list.length > 3 ? ' …' : ''}`;
}

export const protocols = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

export interface PeerLimits {
  readonly warning?: string | number | undefined;
  readonly critical?: string | number | undefined;
  readonly minProtocol: string;
}

/** Trust, protocol and time left, the worst of them. `text` goes behind the name of the server. */
export function judgePeer(peer: TlsPeer, limits: PeerLimits, now: Date) {
  const expiries = judgeExpiry(peer.chain, limits, now);
  const metrics = expiries.slice(0, 1).map(({ metric }) => metric);
  const judged = (outcome: Judgement['outcome'], reason: string, text: string) => ({ outcome, reason, text, metrics });

  const [own] = expiries;
  if (!own) return judged('unknown', 'no-certificate', 'shows no certificate');
  const expired = expiries.find(({ left }) => left < 0);
  if (expired) return judged('failed', 'certificate-expired', expired.text);
  if (peer.untrusted) return judged('failed', peer.untrusted.reason, `is not trusted: ${peer.untrusted.detail}`);
  const protocol = peer.protocol ?? '';
  if (protocols.indexOf(protocol) < protocols.indexOf(limits.minProtocol))
    return judged(
      'failed',
      'old-protocol',
      `offers ${protocol || 'an unknown protocol'} at best, at least ${limits.minProtocol}`,
    );
  const worst = expiries.find(({ level }) => level === 'failed') ?? expiries.find(({ level }) => level === 'warning');
  if (worst) return judged(worst.level, worst.reason, worst.text);
  return judged('ok', 'ok', `${own.text}, ${protocol}`);
}
