import { formatLimit, formatQuantity } from '../quantity.js';
import { judgeNumber, optionalRange } from '../range.js';
import type { CallContext, Judgement } from '../step.js';
import type { ConnectionFailure } from './connection.js';
import { type Measurement, measure, type Thresholds } from './issues.js';

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

/** Where to connect, and what name the certificate must be for. What is not said is the host's. */
export function endpointOf(
  given: { readonly address?: string | undefined; readonly servername?: string | undefined },
  host: CallContext['host'],
): { readonly address: string; readonly servername: string } {
  return {
    address: given.address ?? host.address,
    servername: given.servername ?? given.address ?? host.name,
  };
}

/** `name:port`, with brackets where the name has colons of its own. */
export function shownEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A server that gave no answer: failed when that is its fault, unknown otherwise. */
export function judgeFailure(subject: string, { reason, detail, proven }: ConnectionFailure): Judgement {
  return { outcome: proven ? 'failed' : 'unknown', reason, summary: `${subject}: ${detail}` };
}

/** The time that all of it took, against its limits. */
export function measureTime(seconds: number, { warning, critical }: Thresholds): Measurement {
  return measure('time', seconds, 'seconds', { warning, critical, min: 0 }, (quantity) => `answers in ${quantity}`);
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
