import { printable } from '../printable.js';
import { type Target, TransportError, type TransportReason } from '../transport.js';

interface Rule {
  readonly pattern: RegExp;
  readonly reason: TransportReason;
  readonly refused?: true;
  readonly transient?: true;
  readonly hint?: string;
}

/** In the order in which they decide: a refused key is followed by "Host key verification failed". */
const rules: readonly Rule[] = [
  { pattern: /is marked as revoked|REVOKED HOST KEY|host key .* revoked/i, reason: 'host-key-revoked', refused: true },
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    reason: 'host-key-mismatch',
    refused: true,
    hint: 'someone may be in between. If the host was installed anew, remove its line and trust its new key',
  },
  {
    pattern: /No \S+ host key is known for|Host key verification failed/,
    reason: 'host-key-unknown',
    refused: true,
    hint: 'compare the fingerprint, then: opsctl trust add',
  },
  { pattern: /UNPROTECTED PRIVATE KEY FILE/, reason: 'key-permissions', refused: true, hint: 'chmod 600 the key' },
  {
    pattern: /Permission denied \(|Too many authentication failures/,
    reason: 'auth-failed',
    refused: true,
    hint: 'BatchMode asks for nothing: a locked key must be in an agent (ssh-add)',
  },
  { pattern: /Connection timed out during banner exchange/, reason: 'banner-timeout' },
  { pattern: /Could not resolve hostname/, reason: 'name-not-found' },
  { pattern: /Connection refused/, reason: 'connect-refused' },
  { pattern: /No route to host|Network is unreachable|Host is down/, reason: 'no-route' },
  { pattern: /timed out|Operation timed out/i, reason: 'connect-timeout' },
  {
    pattern:
      /banner line contains invalid characters|Bad remote protocol version|Invalid SSH identification|Protocol major versions differ/i,
    reason: 'not-ssh',
    hint: 'check the port',
  },
  {
    pattern: /(kex|ssh)_exchange_identification|Connection (closed|reset) by|Connection reset/i,
    reason: 'connection-reset',
    transient: true,
  },
  { pattern: /no matching|Unable to negotiate/i, reason: 'transport-error', hint: 'update its sshd' },
  { pattern: /administratively prohibited|stdio forwarding failed/i, reason: 'channel-refused' },
];

/** What ssh's own words mean. `log` is its stderr at `-v`: lines of debug output are only a fallback. */
export function classifyOpenssh(target: Target, log: string, status: number | null): TransportError {
  const lines = log.split(/\r?\n/).filter((line) => line.trim() !== '');
  const said = lines
    .filter((line) => !/^debug\d: |^OpenSSH_|^Authenticated to |^Pseudo-terminal/.test(line))
    .join('\n');
  const rule = rules.find(({ pattern }) => pattern.test(said));
  const last =
    said
      .split('\n')
      .filter((line) => !/^@+$/.test(line))
      .at(-1) ?? `ssh ended with status ${status}`;
  const fingerprint = [...log.matchAll(/^debug1: Server host key: (\S+) (SHA256:\S+)/gm)].at(-1);
  const got = rule?.reason.startsWith('host-key-') && fingerprint ? ` (got ${fingerprint[2]}, ${fingerprint[1]})` : '';
  const place = rule?.reason === 'host-key-mismatch' ? offendingPlace(said) : '';
  return new TransportError(
    rule?.reason ?? 'transport-error',
    rule?.refused ? 'refused' : 'unreachable',
    `${target.name}: ${printable(last)}${got}${place}`,
    {
      transient: rule?.transient === true && !/^debug1: Authenticat/m.test(log),
      ...(rule?.hint === undefined ? {} : { hint: rule.hint }),
      ...hopOf(target, said),
    },
  );
}

/** Through jump hosts, ssh itself looks up and dials only the first. */
function hopOf({ jump: [first] }: Target, said: string): { readonly hop?: string } {
  return first && /connect to host |Could not resolve hostname /.test(said) ? { hop: first.name } : {};
}

function offendingPlace(said: string): string {
  const place = /Offending \S+ key in (.+?:\d+)/.exec(said)?.[1];
  return place === undefined ? '' : `; ${printable(place)}; not retried`;
}

/** Fingerprints that ssh verified, in the order of the hops. */
export function verifiedKeys(log: string): readonly string[] {
  return [...log.matchAll(/^debug1: Server host (?:key|certificate): \S+ (SHA256:[^\s,]+)/gm)].flatMap((match) =>
    match[1] === undefined ? [] : [match[1]],
  );
}
