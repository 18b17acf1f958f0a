import type { Duplex } from 'node:stream';
import { defaultDeadlines } from '../deadlines.js';
import { TransportError } from '../transport.js';
import { type ScannedKey, scanHostKeys } from './scan.js';

/** A server that is only looked at: nobody logs in, nothing is trusted. */
export interface LookedAt {
  readonly address: string;
  readonly port: number;
  /** For all handshakes together. */
  readonly seconds: number;
}

export type ShownKeys =
  | { readonly keys: readonly ScannedKey[] }
  | { readonly failure: { readonly reason: string; readonly detail: string; readonly proven: boolean } };

/** The host keys that a server shows over connections that `connect` makes. */
export async function showHostKeys(
  { address, port, seconds }: LookedAt,
  connect: (signal: AbortSignal) => Promise<Duplex>,
  signal: AbortSignal,
): Promise<ShownKeys> {
  const late = AbortSignal.timeout(Math.max(1, Math.round(seconds * 1000)));
  const either = AbortSignal.any([signal, late]);
  const target = {
    name: address,
    transport: 'ssh',
    address,
    port,
    user: 'nobody',
    identities: [],
    identitiesOnly: true,
    jump: [],
    knownHosts: [],
    trust: 'strict',
    deadlines: defaultDeadlines,
  } as const;
  try {
    return { keys: await scanHostKeys(target, either, () => connect(either)) };
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted)
      return { failure: { reason: 'timeout', detail: `no host keys within ${seconds.toFixed(1)} s`, proven: true } };
    if (!(error instanceof TransportError)) throw error;
    return { failure: { reason: error.reason, detail: error.message, proven: true } };
  }
}
