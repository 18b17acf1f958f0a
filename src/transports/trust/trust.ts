import { createHash, timingSafeEqual } from 'node:crypto';
import { type Target, TransportError } from '../transport.js';
import { appendKnownHost } from './append.js';
import {
  decodeKey,
  type KnownHostsEntry,
  type KnownHostsFile,
  keyType,
  lookupName,
  readKnownHosts,
} from './known-hosts.js';

/** What the verifier decides about one key. `accepted` is literally true or the key is refused. */
export type Verdict =
  | { readonly accepted: true; readonly fingerprint: string }
  | {
      readonly accepted: false;
      readonly error: TransportError;
      /** Key types that may still be the known one: worth another handshake that offers only these. */
      readonly otherTypes?: readonly string[];
    };

/** A host key that accept-new wrote down, for the report. */
export interface AddedHostKey {
  readonly host: string;
  readonly fingerprint: string;
  readonly file: string;
}

/** Above this many hashed lines, the types known for a name are found after the handshake, not before. */
const hashedSearchLimit = 64;

/** The host keys we trust: files read once, pins, and every key seen in this run. */
export class TrustStore {
  readonly #files = new Map<string, KnownHostsFile>();
  readonly #seen = new Map<string, string>();
  readonly #added: AddedHostKey[] = [];
  #writes: Promise<void> = Promise.resolve();

  /** Host keys that accept-new wrote to a file. */
  get added(): readonly AddedHostKey[] {
    return this.#added;
  }

  get warnings(): readonly string[] {
    return [...this.#files.values()].flatMap((file) => file.warnings);
  }

  /** Key types to offer in the handshake; `undefined` when nothing is known that narrows them. */
  typesFor(target: Target): readonly string[] | undefined {
    if (target.hostKey !== undefined) {
      const type = /^(\S+)\s/.exec(target.hostKey.trim())?.[1];
      return type === undefined ? undefined : [type];
    }
    const name = trustedName(target);
    const seen = this.#seen.get(name);
    if (seen !== undefined) return [keyType(Buffer.from(seen, 'base64')) ?? ''];
    for (const file of this.#filesOf(target)) {
      if (file.hashedCount > hashedSearchLimit) return undefined;
      const types = typesOf(file.find(name));
      if (types.length > 0) return types;
    }
    return undefined;
  }

  /** Decides, synchronously. Any error on the way is a refusal. */
  judge(target: Target, blob: Buffer): Verdict {
    try {
      return this.#judge(target, blob);
    } catch (error) {
      return refuse('host-key-unknown', `the host key of ${target.name} could not be checked`, undefined, error);
    }
  }

  /** A pin whose key a known_hosts file revokes, for transports that check keys elsewhere. */
  revokedPin(target: Target): TransportError | undefined {
    const pin = target.hostKey === undefined ? undefined : pinnedFingerprint(target.hostKey);
    if (pin === undefined) return undefined;
    const name = trustedName(target);
    for (const file of this.#filesOf(target)) {
      const revoked = file.entries.find(
        (entry) =>
          entry.marker === 'revoked' &&
          fingerprintOf(Buffer.from(entry.key, 'base64')) === pin &&
          file.findKey(name, entry.key, 'revoked') !== undefined,
      );
      if (revoked) return revokedError(target, pin, revoked);
    }
    return undefined;
  }

  /** Writes out what accept-new learnt; rejects when a file cannot be written. */
  async flush(): Promise<void> {
    await this.#writes;
  }

  #judge(target: Target, blob: Buffer): Verdict {
    const name = trustedName(target);
    const key = blob.toString('base64');
    const type = keyType(blob) ?? 'unknown';
    const fingerprint = fingerprintOf(blob);
    const files = this.#filesOf(target);

    for (const file of files) {
      const revoked = file.findKey(name, key, 'revoked');
      if (revoked) {
        return { accepted: false, error: revokedError(target, fingerprint, revoked) };
      }
    }

    const seen = this.#seen.get(name);
    if (seen !== undefined && !sameText(seen, key)) {
      return refuse(
        'host-key-mismatch',
        `the host key of ${target.name} changed during this run: expected ${fingerprintOf(Buffer.from(seen, 'base64'))}, got ${fingerprint}; not retried`,
        'find out why before you trust it',
      );
    }

    if (target.hostKey !== undefined) return this.#judgePin(target, target.hostKey, name, key, type, fingerprint);

    let authority: KnownHostsEntry | undefined;
    for (const file of files) {
      if (file.findKey(name, key)) {
        return this.#accept(name, key, fingerprint);
      }
      const entries = file.find(name);
      const known = entries.filter((entry) => entry.marker === undefined);
      if (known.length > 0) return mismatch(target, known, type, fingerprint);
      authority ??= entries.find((entry) => entry.marker === 'cert-authority');
    }
    if (authority) {
      return refuse(
        'host-key-certificate',
        `${target.name} is trusted through a certificate authority (${placeOf(authority)}), which this transport cannot check`,
        'set transport: openssh',
      );
    }
    const first = target.knownHosts[0];
    if (target.trust === 'accept-new' && first !== undefined) {
      this.#learn(first, name, type, key, { host: target.name, fingerprint, file: first });
      return this.#accept(name, key, fingerprint);
    }
    return refuse(
      'host-key-unknown',
      `the host key of ${target.name} is not known: ${fingerprint} (${type})`,
      `compare the fingerprint with the host's own, then: opsctl trust add ${trustArgument(target)} --fingerprint ${fingerprint}`,
    );
  }

  #judgePin(target: Target, pin: string, name: string, key: string, type: string, fingerprint: string): Verdict {
    const expected = pinnedFingerprint(pin);
    if (expected === undefined) {
      return refuse(
        'host-key-mismatch',
        `the host_key of ${target.name} is neither a public key nor SHA256:…`,
        `write host_key: ${fingerprint} after you compared it`,
      );
    }
    if (sameText(expected, fingerprint)) return this.#accept(name, key, fingerprint);
    const refused = refuse(
      'host-key-mismatch',
      `the host key of ${target.name} is not the pinned one: expected ${expected}, got ${fingerprint}; host_key in the inventory; not retried`,
      'if the host was installed anew, compare the fingerprint and change host_key',
    );
    // A bare fingerprint does not tell its type: the host may have it as another key.
    return pin.trim().startsWith('SHA256:')
      ? { ...refused, otherTypes: allTypes.filter((one) => one !== type) }
      : refused;
  }

  #accept(name: string, key: string, fingerprint: string): Verdict {
    this.#seen.set(name, key);
    return { accepted: true, fingerprint };
  }

  #learn(path: string, name: string, type: string, key: string, added: AddedHostKey): void {
    const file = this.#file(path);
    file.add({ file: path, line: file.entries.length + 1, hosts: name, type, key });
    this.#added.push(added);
    this.#writes = this.#writes.then(async () => appendKnownHost(path, `${name} ${type} ${key}`));
    // The caller awaits flush(); this keeps a failed write from being an unhandled rejection before that.
    this.#writes.catch(() => {});
  }

  #filesOf(target: Target): readonly KnownHostsFile[] {
    return target.knownHosts.map((path) => this.#file(path));
  }

  #file(path: string): KnownHostsFile {
    let file = this.#files.get(path);
    if (!file) {
      file = readKnownHosts(path);
      this.#files.set(path, file);
    }
    return file;
  }
}

const allTypes = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'];

/** `SHA256:…` without padding, as ssh-keygen prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The fingerprint that a pin stands for, or `undefined` when it is no pin. */
export function pinnedFingerprint(pin: string): string | undefined {
  const text = pin.trim();
  if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text)) return text.replace(/=$/, '');
  const [type = '', key = ''] = text.split(/\s+/);
  const blob = decodeKey(key, type);
  return blob === undefined ? undefined : fingerprintOf(Buffer.from(blob, 'base64'));
}

/** The name under which the host's key is looked up. */
export function trustedName(target: Target): string {
  return target.hostKeyAlias === undefined
    ? lookupName(target.address, target.port)
    : target.hostKeyAlias.toLowerCase();
}

/** What to write after `opsctl trust add`: the inventory name behind a jump host, else the address. */
function trustArgument(target: Target): string {
  if (target.jump.length > 0) return target.name;
  const address = target.address.includes(':') ? `[${target.address}]` : target.address;
  return target.port === 22 ? target.address : `${address}:${target.port}`;
}

function mismatch(target: Target, known: readonly KnownHostsEntry[], type: string, fingerprint: string): Verdict {
  const entry = known.find((one) => one.type === type) ?? known[0];
  const types = typesOf(known);
  const refused = refuse(
    'host-key-mismatch',
    `the host key of ${target.name} is not the known one: expected ${entry ? fingerprintOf(Buffer.from(entry.key, 'base64')) : '?'}, got ${fingerprint}; ${entry ? placeOf(entry) : ''}; not retried`,
    `someone may be in between. If the host was installed anew, remove that line, then: opsctl trust add ${trustArgument(target)} --fingerprint ${fingerprint}`,
  );
  return types.includes(type) ? refused : { ...refused, otherTypes: types };
}

function refuse(
  reason: 'host-key-unknown' | 'host-key-mismatch' | 'host-key-certificate',
  message: string,
  hint?: string,
  cause?: unknown,
): Extract<Verdict, { accepted: false }> {
  const details = { ...(hint === undefined ? {} : { hint }), ...(cause === undefined ? {} : { cause }) };
  return { accepted: false, error: new TransportError(reason, 'refused', message, details) };
}

function revokedError(target: Target, fingerprint: string, entry: KnownHostsEntry): TransportError {
  return new TransportError(
    'host-key-revoked',
    'refused',
    `the host key of ${target.name} is revoked: ${fingerprint}; ${placeOf(entry)}; not retried`,
    { hint: 'give the host a new key, then trust that one' },
  );
}

function typesOf(entries: readonly KnownHostsEntry[]): readonly string[] {
  return [...new Set(entries.filter((entry) => entry.marker === undefined).map((entry) => entry.type))];
}

function placeOf(entry: KnownHostsEntry): string {
  return `${entry.file}:${entry.line}`;
}

function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
