import type { Duplex } from 'node:stream';
import { type Target, TransportError } from '../transport.js';
import { keyType } from '../trust/known-hosts.js';
import { fingerprintOf } from '../trust/trust.js';
import { startSession } from './session.js';

/** A key that a host showed; nobody has vouched for it. */
export interface ScannedKey {
  readonly type: string;
  /** Base64, as known_hosts has it. */
  readonly key: string;
  readonly fingerprint: string;
}

const families: readonly (readonly string[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['ssh-rsa'],
];

/** One handshake a key family, broken off as soon as the key is seen. Sorted by type. */
export async function scanHostKeys(
  target: Target,
  signal: AbortSignal,
  connect: () => Promise<Duplex>,
): Promise<readonly ScannedKey[]> {
  const keys: ScannedKey[] = [];
  for (const types of families) {
    const seen = new TransportError('aborted', 'refused', 'the key was seen');
    const collect = {
      judge: (_target: Target, blob: Buffer) => {
        keys.push({ type: keyType(blob) ?? 'unknown', key: blob.toString('base64'), fingerprint: fingerprintOf(blob) });
        return { accepted: false as const, error: seen };
      },
    };
    const nobody = { next: () => false as const, refusal: () => seen };
    try {
      const session = await startSession(await connect(), target, types, nobody, collect, signal);
      await session.close();
    } catch (error) {
      const notOffered = error instanceof TransportError && error.reason === 'host-key-mismatch';
      if (error !== seen && !notOffered) throw error;
    }
  }
  return keys.sort((left, right) => (left.type < right.type ? -1 : 1));
}
