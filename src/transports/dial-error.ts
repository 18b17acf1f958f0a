import { printable } from './printable.js';
import { TransportError } from './transport.js';

/** What sshd says of a connection that it could not make, and the code that `net.connect` would have given. */
const codes: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, 'ECONNREFUSED'],
  [/timed out/i, 'ETIMEDOUT'],
  [/no route to host/i, 'EHOSTUNREACH'],
  [/network is unreachable/i, 'ENETUNREACH'],
  [/temporary failure|try again/i, 'EAI_AGAIN'],
  [/not known|no address|unknown host/i, 'ENOTFOUND'],
];

/** The host tried to connect, and could not. */
export function failedDial(said: string): Error {
  const text = printable(said);
  const code = codes.find(([pattern]) => pattern.test(text))?.[1] ?? 'ECONNFAILED';
  return Object.assign(new Error(text), { code });
}

/** The host did not even try. */
export function refusedDial(host: string, said: string, cause?: unknown): TransportError {
  const hint = 'allow it with AllowTcpForwarding and PermitOpen in its sshd_config, or look from the controller';
  const text = `${host} forwards no connections: ${printable(said)}`;
  return new TransportError('channel-refused', 'unknown', text, { hint, ...(cause !== undefined && { cause }) });
}
