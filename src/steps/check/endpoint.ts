import { formatLimit, formatQuantity } from '../quantity.js';
import { judgeNumber, optionalRange } from '../range.js';
import type { Judgement } from '../step.js';
import type { ConnectionFailure } from './connection.js';

/** Parameters and words that the looks at a server share. */
export const addressParam = {
  type: 'string',
  minLength: 1,
  description: 'Name or address to connect to. The address of the host when absent.',
  examples: ['www.example.com'],
} as const;

export const caParam = {
  type: 'string',
  minLength: 1,
  description: 'PEM file on this machine with authorities to trust besides the public ones.',
  examples: ['/etc/ssl/certs/ca-certificates.crt'],
} as const;

export const servernameParam = {
  type: 'string',
  minLength: 1,
  description: 'Name that the certificate must be for. `address`, or the name of the host, when absent.',
  examples: ['www.example.com'],
} as const;

/** `name:port`, with brackets where the name has colons of its own. */
export function shownEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A server that gave no answer: failed when that is its fault, unknown otherwise. */
export function judgeFailure(subject: string, { reason, detail, proven }: ConnectionFailure): Judgement {
  return { outcome: proven ? 'failed' : 'unknown', reason, summary: `${subject}: ${detail}` };
}

/** What is said of a server when all is well but, perhaps, for the time that it took. */
export function judgeSpeed(
  text: string,
  seconds: number,
  limits: { readonly warning?: string | number | undefined; readonly critical?: string | number | undefined },
): Pick<Judgement, 'outcome' | 'reason' | 'summary'> {
  const { level, reason, limit } = judgeNumber(
    seconds,
    optionalRange(limits.warning, 'seconds'),
    optionalRange(limits.critical, 'seconds'),
  );
  const took = `${text} in ${formatQuantity(seconds, 'seconds')}`;
  return { outcome: level, reason, summary: limit ? `${took}, ${formatLimit(limit, 'seconds')}` : took };
}
