import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type SecretLike, TransportError } from '../transport.js';
import { type ParsedKey, parseKey } from './ssh2.js';

/** A private key file, read and parsed once a process however many hosts use it. */
export type IdentityFile =
  | { readonly kind: 'key'; readonly path: string; readonly key: ParsedKey; readonly certificate: boolean }
  /** Locked by a passphrase we do not have; the public half, where it is known, finds it in an agent. */
  | { readonly kind: 'encrypted'; readonly path: string; readonly error: TransportError; readonly publicKey?: Buffer }
  | { readonly kind: 'unusable'; readonly path: string; readonly error: TransportError };

/** Opening an encrypted key takes half a second of CPU: what was parsed is kept for the process, by content. */
const parsedKeys = new Map<string, ParsedKey | Error>();

/** Reads identity files, each distinct one once. */
export class IdentityFiles {
  readonly #files = new Map<string, Promise<IdentityFile>>();

  async load(path: string, passphrase?: SecretLike): Promise<IdentityFile> {
    const key = `${path}\0${passphrase?.name ?? ''}`;
    let file = this.#files.get(key);
    if (!file) {
      file = readIdentity(path, passphrase);
      this.#files.set(key, file);
    }
    return file;
  }
}

async function readIdentity(path: string, passphrase?: SecretLike): Promise<IdentityFile> {
  const unusable = (error: TransportError): IdentityFile => ({ kind: 'unusable', path, error });
  let text: string;
  let mode: number;
  let owner: number;
  try {
    const info = await stat(path);
    if (!info.isFile()) return unusable(keyError('key-unreadable', `the key ${path} is not a file`));
    if (info.size > 1_000_000) return unusable(keyError('key-unreadable', `the key ${path} is too big to be a key`));
    ({ mode, uid: owner } = info);
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'error'})`;
    const hint = 'check `identity`: a relative path is relative to the inventory that names it';
    return unusable(keyError('key-unreadable', `the key ${path} ${what}`, code === 'ENOENT' ? hint : undefined));
  }

  const wrong = wrongKind(path, text);
  if (wrong) return unusable(wrong);
  // The rule of ssh itself: a private key of ours that others may read is not used.
  if (owner === process.getuid?.() && (mode & 0o077) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    return unusable(
      keyError('key-permissions', `the private key ${path} has mode ${octal}: others can read it`, `chmod 600 ${path}`),
    );
  }

  const key = parseOnce(text, passphrase);
  if (key instanceof Error) {
    if (/passphrase|decrypt|integrity|encrypted/i.test(key.message)) return encrypted(path, text, passphrase);
    return unusable(
      keyError('key-unreadable', `the key ${path} is no private key that this transport can read: ${key.message}`),
    );
  }
  if (!key.isPrivateKey()) return unusable(publicHalf(path));
  return { kind: 'key', path, key, certificate: existsSync(`${path}-cert.pub`) };
}

function parseOnce(text: string, passphrase?: SecretLike): ParsedKey | Error {
  const digest = createHash('sha256').update(text);
  passphrase?.reveal((value) => digest.update('\0').update(value));
  const id = digest.digest('base64');
  let key = parsedKeys.get(id);
  if (!key) {
    const parsed = passphrase ? passphrase.reveal((value) => parseKey(text, value)) : parseKey(text);
    key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error;
    parsedKeys.set(id, key);
  }
  return key;
}

/** Public keys, certificates and hardware keys, told by their first words. */
function wrongKind(path: string, text: string): TransportError | undefined {
  const body = text.startsWith('-----BEGIN OPENSSH PRIVATE KEY-----')
    ? Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64').toString('latin1', 0, 400)
    : '';
  const hint = 'set transport: openssh';
  if (/-cert-v0\d@openssh\.com/.test(text.slice(0, 200)) || path.endsWith('-cert.pub')) {
    return keyError('key-certificate', `${path} is an SSH certificate, which ssh2 cannot use`, hint);
  }
  if (/^sk-(ssh|ecdsa)-/.test(text) || /sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com/.test(body)) {
    return keyError('key-certificate', `${path} is a hardware (FIDO) key, which ssh2 cannot use`, hint);
  }
  return /^(ssh-(rsa|dss|ed25519)|ecdsa-sha2-\S+)\s/.test(text) || /^---- BEGIN SSH2 PUBLIC KEY/.test(text)
    ? publicHalf(path)
    : undefined;
}

function publicHalf(path: string): TransportError {
  const privateHalf = path.endsWith('.pub') ? path.slice(0, -4) : 'the file without .pub';
  return keyError('key-unreadable', `${path} is the public half of a key`, `name the private half: ${privateHalf}`);
}

async function encrypted(path: string, text: string, passphrase?: SecretLike): Promise<IdentityFile> {
  const error = passphrase
    ? keyError(
        'key-encrypted',
        `the passphrase ${passphrase.name} does not open the key ${path}`,
        'check the passphrase',
      )
    : keyError(
        'key-encrypted',
        `the key ${path} is locked with a passphrase`,
        `add it to an agent (ssh-add ${path}), or set passphrase: { secret: … } for the host`,
      );
  const publicKey = publicPart(text) ?? (await publicPartBeside(path));
  return { kind: 'encrypted', path, error, ...(publicKey ? { publicKey } : {}) };
}

/** OpenSSH's own format keeps the public half in the clear: magic, cipher, kdf, options, count, then the key. */
function publicPart(text: string): Buffer | undefined {
  if (!text.startsWith('-----BEGIN OPENSSH PRIVATE KEY-----')) return undefined;
  const body = Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64');
  try {
    let at = 'openssh-key-v1\0'.length;
    for (let field = 0; field < 3; field++) at += 4 + body.readUInt32BE(at);
    const length = body.readUInt32BE(at + 4);
    return length > 0 && at + 8 + length <= body.length ? body.subarray(at + 8, at + 8 + length) : undefined;
  } catch {
    return undefined;
  }
}

async function publicPartBeside(path: string): Promise<Buffer | undefined> {
  try {
    const [, key = ''] = (await readFile(`${path}.pub`, 'utf8')).trim().split(/\s+/);
    return key === '' ? undefined : Buffer.from(key, 'base64');
  } catch {
    return undefined;
  }
}

function keyError(
  reason: 'key-encrypted' | 'key-unreadable' | 'key-permissions' | 'key-certificate',
  message: string,
  hint?: string,
): TransportError {
  return new TransportError(reason, 'refused', message, hint === undefined ? {} : { hint });
}
