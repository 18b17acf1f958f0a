import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { Metric } from '../../result/result.schema.js';
import { formatLimit, formatQuantity } from '../quantity.js';
import { judgeNumber, metricOf, optionalRange, type Range, rangeSchema, type Verdict } from '../range.js';

/** Limits of the time that a certificate has left. */
export const timeLeftParams = {
  warning: {
    ...rangeSchema(
      'Warn when the time left is outside this range; a number is days. A third of the lifetime of the certificate when absent.',
    ),
    examples: ['30d:', '30:'],
  },
  critical: {
    ...rangeSchema(
      'Fail when the time left is outside this range; a number is days. A sixth of the lifetime of the certificate when absent.',
    ),
    examples: ['14d:', '14:'],
  },
} as const;

export interface Certificate {
  /** Common name, or the first name when there is none. */
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  /** UTC, ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly serial: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** `rsa 2048`, `ec prime256v1`, `ed25519`. */
  readonly keyType: string;
}

export function readCertificate(peer: PeerCertificate): Certificate {
  const names = (peer.subjectaltname ?? '')
    .split(', ')
    .filter(Boolean)
    .map((name) => name.replace(/^(DNS|IP Address):/, ''));
  const first = (name: string | readonly string[] | undefined) => (Array.isArray(name) ? name[0] : name) as string;
  return {
    subject: first(peer.subject?.CN) ?? names[0] ?? '(no name)',
    issuer: first(peer.issuer?.CN) ?? first(peer.issuer?.O) ?? '(no name)',
    names,
    notBefore: new Date(peer.valid_from).toISOString(),
    notAfter: new Date(peer.valid_to).toISOString(),
    serial: peer.serialNumber,
    fingerprint: peer.fingerprint256,
    keyType: keyTypeOf(new X509Certificate(peer.raw)),
  };
}

/** Type and size of the key in a certificate. */
export function keyTypeOf(certificate: X509Certificate): string {
  try {
    const { asymmetricKeyType = 'unknown', asymmetricKeyDetails = {} } = certificate.publicKey;
    const { modulusLength, namedCurve } = asymmetricKeyDetails;
    return [asymmetricKeyType, modulusLength ?? namedCurve ?? ''].join(' ').trim();
  } catch {
    // OpenSSL here does not know the algorithm.
    return 'unknown';
  }
}

/**
 * The chain as the server sent it and node completed it, the server's own certificate first, down to the one for
 * which `enough` holds.
 */
export function readChain(peer: PeerCertificate, enough?: (raw: Buffer) => boolean): readonly Certificate[] {
  const chain: Certificate[] = [];
  let current: PeerCertificate | undefined = peer;
  // A root names itself as its issuer.
  while (current?.raw && !chain.some(({ fingerprint }) => fingerprint === current?.fingerprint256)) {
    chain.push(readCertificate(current));
    if (enough?.(current.raw)) break;
    current = 'issuerCertificate' in current ? (current.issuerCertificate as PeerCertificate) : undefined;
  }
  return chain;
}

/** Seconds that a certificate is still valid; negative when it has expired. */
export function secondsLeft({ notAfter }: Certificate, now: Date): number {
  return (Date.parse(notAfter) - now.getTime()) / 1000;
}

/** A third and a sixth of its own lifetime: 30 and 15 days of 90, a day of three. */
export function lifetimeLimits({ notBefore, notAfter }: Certificate): { warning: Range; critical: Range } {
  const lifetime = (Date.parse(notAfter) - Date.parse(notBefore)) / 1000;
  const atLeast = (part: number): Range => ({ start: Math.round(lifetime * part), end: Infinity, inside: false });
  return { warning: atLeast(1 / 3), critical: atLeast(1 / 6) };
}

/** `expires in 12 d` or `expired 3 h ago`. */
export function expiryText(left: number): string {
  return left < 0 ? `expired ${formatQuantity(-left, 'seconds')} ago` : `expires in ${formatQuantity(left, 'seconds')}`;
}

export interface Expiry {
  /** Seconds. */
  readonly left: number;
  readonly level: Verdict['level'];
  readonly reason: Verdict['reason'];
  readonly text: string;
  readonly metric: Metric;
}

/**
 * How long each certificate still lasts, the server's own first, then the intermediates. A root is replaced with
 * the trust store. A number without a unit is days.
 */
export function judgeExpiry(
  chain: readonly Certificate[],
  given: { readonly warning?: string | number | undefined; readonly critical?: string | number | undefined },
  now: Date,
): readonly Expiry[] {
  const [own, ...issuers] = chain;
  const intermediates = issuers.filter(({ subject, issuer }) => subject !== issuer);
  return (own ? [own, ...intermediates] : []).map((certificate, index) => {
    const defaults = lifetimeLimits(certificate);
    const limits = {
      warning:
        optionalRange(given.warning, 'seconds', 'd') ?? (given.critical === undefined ? defaults.warning : undefined),
      critical:
        optionalRange(given.critical, 'seconds', 'd') ?? (given.warning === undefined ? defaults.critical : undefined),
    };
    const left = secondsLeft(certificate, now);
    const { level, reason, limit } = judgeNumber(left, limits.warning, limits.critical);
    const name = index === 0 ? 'certificate' : `intermediate certificate ${certificate.subject}`;
    return {
      left,
      level,
      reason,
      text: `${name} ${expiryText(left)}${limit && left >= 0 ? `, ${formatLimit(limit, 'seconds')}` : ''}`,
      metric: metricOf('certificate', left, 'seconds', limits),
    };
  });
}
