/** A connection that did not come about, in our words. */
export interface ConnectionFailure {
  readonly reason: string;
  readonly detail: string;
  /** False when the trouble is on this side, so that nothing is known about the server. */
  readonly proven: boolean;
}

const known: Readonly<Record<string, readonly [reason: string, detail: string, proven: boolean]>> = {
  ECONNREFUSED: ['connect-refused', 'the connection was refused', true],
  ECONNRESET: ['connection-reset', 'the server closed the connection', true],
  EPIPE: ['connection-reset', 'the server closed the connection', true],
  ETIMEDOUT: ['timeout', 'no answer', true],
  EHOSTUNREACH: ['host-unreachable', 'the host cannot be reached', true],
  EHOSTDOWN: ['host-unreachable', 'the host cannot be reached', true],
  ENOTFOUND: ['name-not-found', 'the name does not exist', true],
  ENODATA: ['name-not-found', 'the name has no address', true],
  EAI_AGAIN: ['resolver-failed', 'the name server does not answer', false],
  ENETUNREACH: ['network-unreachable', 'there is no route to it', false],
  HPE_HEADER_OVERFLOW: ['too-large', 'the headers are longer than is read here', false],
  EADDRNOTAVAIL: ['network-unreachable', 'there is no route to it', false],
};

/** Codes of node for what is no HTTP, and no body of the encoding that it claims. */
const brokenAnswer = /^(HPE_|Z_|ERR__ERROR_|ERR_BROTLI_)/;

export function connectionFailure(error: unknown): ConnectionFailure {
  const cause = firstError(error);
  const tls = tlsFailure(cause);
  if (tls) return { ...tls, proven: true };
  if (!known[cause.code ?? ''] && brokenAnswer.test(cause.code ?? ''))
    return { reason: 'protocol-error', detail: `the answer breaks the protocol: ${cause.message}`, proven: true };
  const [reason, detail, proven] = known[cause.code ?? ''] ?? ['connect-failed', cause.message, false];
  return { reason, detail, proven };
}

/** The time is over, and the name has no address yet: nothing is known of the server. */
export function lookupTimedOut(): Error {
  return Object.assign(new Error('the name server does not answer'), { code: 'EAI_AGAIN' });
}

/**
 * Milliseconds for each address of a name that has several. Node's own 250 would give up on a server that is far away,
 * and on one whose first packet was lost.
 */
export function attemptTimeout(seconds: number): number {
  return Math.max(250, Math.round((seconds * 1000) / 3));
}

/** With several addresses node throws one error for all of them. */
function firstError(error: unknown): NodeJS.ErrnoException {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error instanceof Error ? error : new Error(String(error));
}

const verification: Readonly<Record<string, readonly [reason: string, detail: string]>> = {
  CERT_HAS_EXPIRED: ['certificate-expired', 'a certificate has expired'],
  CERT_NOT_YET_VALID: ['certificate-not-yet-valid', 'a certificate is not valid yet'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['self-signed', 'the certificate is self-signed'],
  SELF_SIGNED_CERT_IN_CHAIN: ['unknown-ca', 'the chain ends at a root that is not trusted'],
  UNABLE_TO_GET_ISSUER_CERT: ['unknown-ca', 'the issuer is not trusted, or an intermediate is missing'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['unknown-ca', 'the issuer is not trusted, or an intermediate is missing'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['unknown-ca', 'the issuer is not trusted, or an intermediate is missing'],
  CERT_REVOKED: ['certificate-revoked', 'the certificate is revoked'],
  CERT_SIGNATURE_FAILURE: ['bad-signature', 'a signature of the chain is wrong'],
  INVALID_PURPOSE: ['wrong-purpose', 'the certificate is not for a server'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['wrong-name', 'the certificate is for another name'],
};

/** The rest; `UNSPECIFIED` is what node calls all that OpenSSL has and it has not, such as names that are not permitted. */
const brokenChain =
  /^(ERROR_IN_CERT_NOT_(BEFORE|AFTER)_FIELD|INVALID_CA|PATH_LENGTH_EXCEEDED|CERT_CHAIN_TOO_LONG|CERT_UNTRUSTED|CERT_REJECTED|UNSPECIFIED)$/;

/** What the server tells when the certificate that it wants of us is missing or not good enough (RFC 8446, 6.2). */
const alerts: Readonly<Record<string, readonly [reason: string, detail: string]>> = {
  CERTIFICATE_REQUIRED: ['client-certificate', 'the server wants a client certificate'],
  UNKNOWN_CA: ['client-certificate', 'the server does not know the issuer of our certificate'],
  BAD_CERTIFICATE: ['client-certificate', 'the server refuses our certificate'],
  UNSUPPORTED_CERTIFICATE: ['client-certificate', 'the server refuses certificates like ours'],
  CERTIFICATE_UNKNOWN: ['client-certificate', 'the server refuses our certificate'],
  CERTIFICATE_REVOKED: ['client-certificate', 'the server says that our certificate is revoked'],
  CERTIFICATE_EXPIRED: ['client-certificate', 'the server says that our certificate has expired'],
  ACCESS_DENIED: ['client-certificate', 'the server lets our certificate not in'],
};

/** What OpenSSL and node say about a chain or a handshake; undefined when the error is of another kind. */
export function tlsFailure(error: {
  readonly code?: string | undefined;
  readonly message: string;
}): { reason: string; detail: string } | undefined {
  const { code = '', message } = error;
  const found = verification[code];
  if (found) return { reason: found[0], detail: found[1] };
  if (brokenChain.test(code)) {
    const why = message === 'UNSPECIFIED' ? 'perhaps its issuer may not certify such a name' : message;
    return { reason: 'chain-invalid', detail: `the chain is not valid: ${why}` };
  }
  const alert = alerts[/^ERR_SSL_\w+?_ALERT_(\w+)$/.exec(code)?.[1] ?? ''];
  if (alert) return { reason: alert[0], detail: alert[1] };
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO')
    return { reason: 'tls-failed', detail: `no TLS connection: ${message.replace(/^[\dA-F]+:|\s+$/g, '')}` };
  return undefined;
}
