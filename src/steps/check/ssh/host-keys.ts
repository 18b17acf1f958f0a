import { createHash } from 'node:crypto';
import type { HostKey } from '../../step.js';
import { type Issue, wrong } from '../issues.js';

/** What a server showed, without the key itself. */
export interface ShownKey {
  readonly type: string;
  readonly fingerprint: string;
  /** Of an RSA key. */
  readonly bits: number | null;
}

export function readKey({ type, key, fingerprint }: HostKey): ShownKey {
  return { type, fingerprint, bits: type === 'ssh-rsa' ? rsaBits(Buffer.from(key, 'base64')) : null };
}

/** RFC 4253, 6.6: the name, the exponent, the modulus, each behind its length. */
function rsaBits(blob: Buffer): number | null {
  let at = 0;
  for (let skipped = 0; skipped < 2; skipped += 1) {
    if (at + 4 > blob.length) return null;
    at += 4 + blob.readUInt32BE(at);
  }
  const [first = '', ...rest] = blob.toString('hex', at + 4).replace(/^0+/, '');
  return first === '' ? null : 32 - Math.clz32(Number.parseInt(first, 16)) + rest.length * 4;
}

/** The fingerprint in `SHA256:…`, in a public key, or in a line of known_hosts; undefined when there is none. */
export function fingerprintIn(text: string): string | undefined {
  const [written] = /SHA256:[A-Za-z0-9+/]{43}(?=$|[\s=])/.exec(text) ?? [];
  if (written !== undefined) return written;
  const [, key] = /(?:^|\s)(?:ssh-|ecdsa-)\S+\s+(AAAA[A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(text) ?? [];
  if (key === undefined) return undefined;
  return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;
}

export interface WantedKeys {
  readonly 'host-key'?: string | readonly string[];
  readonly 'weak-host-keys'?: 'warning' | 'fail';
}

export function listKeys(keys: WantedKeys['host-key']): readonly string[] {
  return keys === undefined ? [] : typeof keys === 'string' ? [keys] : keys;
}

export function keyIssues(keys: readonly ShownKey[], given: WantedKeys): readonly Issue[] {
  const shown = keys.map(shownKey).join(', ');
  const absent = listKeys(given['host-key'])
    .map((text) => fingerprintIn(text))
    .filter((wanted) => !keys.some(({ fingerprint }) => fingerprint === wanted))
    .map((wanted) => wrong('host-key-mismatch', `does not show the host key ${wanted ?? '?'}, but ${shown}`));
  const outcome = given['weak-host-keys'] === 'fail' ? 'failed' : 'warning';
  const weak = keys.filter(({ bits }) => bits !== null && bits < 2_048);
  return [
    ...absent,
    ...(given['weak-host-keys'] === undefined
      ? []
      : weak.map(
          (key): Issue => ({ outcome, reason: 'weak-host-key', text: `shows a weak host key: ${shownKey(key)}` }),
        )),
  ];
}

function shownKey({ type, bits, fingerprint }: ShownKey): string {
  return `${type}${bits === null ? '' : ` of ${bits} bits`} ${fingerprint}`;
}
