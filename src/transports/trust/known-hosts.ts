import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { printable } from '../printable.js';

/** One usable line of a known_hosts file. */
export interface KnownHostsEntry {
  readonly file: string;
  readonly line: number;
  readonly marker?: 'revoked' | 'cert-authority';
  /** The host field as written: names, patterns or one hash. */
  readonly hosts: string;
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` … */
  readonly type: string;
  /** The key blob in canonical base64. */
  readonly key: string;
}

/** A parsed file with its indexes: by plain name, by key, and the lines that need a closer look. */
export interface KnownHostsFile {
  readonly path: string;
  readonly entries: readonly KnownHostsEntry[];
  readonly warnings: readonly string[];
  /** All entries that match the name. Hashed lines cost one HMAC each, so the answer is kept. */
  find(name: string): readonly KnownHostsEntry[];
  /** The first entry of one key, with that marker or none, that matches the name. Hashed lines of other keys cost nothing. */
  findKey(name: string, key: string, marker?: 'revoked'): KnownHostsEntry | undefined;
  /** How many hashed lines a full search has to try. */
  readonly hashedCount: number;
  add(entry: KnownHostsEntry): void;
}

const keyTypes = new Set([
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
  'ssh-dss',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
]);

/** The name that ssh looks up: lower case, `[host]:port` when the port is not 22. */
export function lookupName(address: string, port: number): string {
  const host = address.toLowerCase();
  return port === 22 ? host : `[${host}]:${port}`;
}

/** Reads and indexes a file. A missing file is an empty one; one that cannot be read is a warning. */
export function readKnownHosts(path: string): KnownHostsFile {
  let text = '';
  const warnings: string[] = [];
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') warnings.push(`${path}: cannot be read (${code ?? 'error'})`);
  }
  return parseKnownHosts(text, path, warnings);
}

export function parseKnownHosts(text: string, path: string, warnings: string[] = []): KnownHostsFile {
  const entries: KnownHostsEntry[] = [];
  const plain = new Map<string, KnownHostsEntry[]>();
  const patterns: KnownHostsEntry[] = [];
  const hashed: KnownHostsEntry[] = [];
  const hashedByKey = new Map<string, KnownHostsEntry[]>();
  const found = new Map<string, readonly KnownHostsEntry[]>();

  const add = (entry: KnownHostsEntry) => {
    entries.push(entry);
    if (entry.hosts.startsWith('|')) {
      hashed.push(entry);
      push(hashedByKey, entry.key, entry);
    } else if (/[*?!]/.test(entry.hosts)) patterns.push(entry);
    else for (const name of new Set(entry.hosts.toLowerCase().split(','))) push(plain, name, entry);
    found.clear();
  };

  let number = 0;
  for (const raw of text.split('\n')) {
    number += 1;
    const line = raw.replace(/^[ \t]+/, '').replace(/[\r \t]+$/, '');
    if (line === '' || line.startsWith('#')) continue;
    const entry = parseLine(line, path, number);
    if (typeof entry === 'string') warnings.push(`${path}:${number}: ${entry}; the line is not used`);
    else add(entry);
  }

  return {
    path,
    entries,
    warnings,
    get hashedCount() {
      return hashed.length;
    },
    add,
    find(name) {
      const known = found.get(name);
      if (known) return known;
      const hits = [
        ...(plain.get(name) ?? []),
        ...patterns.filter((entry) => matchesPatterns(name, entry.hosts)),
        ...hashed.filter((entry) => matchesHash(name, entry.hosts)),
      ].sort((left, right) => left.line - right.line);
      found.set(name, hits);
      return hits;
    },
    findKey(name, key, marker) {
      const wanted = (entry: KnownHostsEntry) => entry.key === key && entry.marker === marker;
      return (
        plain.get(name)?.find(wanted) ??
        patterns.find((entry) => wanted(entry) && matchesPatterns(name, entry.hosts)) ??
        hashedByKey.get(key)?.find((entry) => wanted(entry) && matchesHash(name, entry.hosts))
      );
    },
  };
}

function parseLine(line: string, file: string, number: number): KnownHostsEntry | string {
  const fields = line.split(/[ \t]+/);
  let marker: KnownHostsEntry['marker'];
  if (fields[0]?.startsWith('@')) {
    const word = fields.shift() ?? '';
    if (word !== '@revoked' && word !== '@cert-authority') return `unknown marker ${printable(word, 40)}`;
    marker = word === '@revoked' ? 'revoked' : 'cert-authority';
  }
  const [hosts = '', type = '', key = ''] = fields;
  if (hosts.startsWith('|') && !/^\|1\|[A-Za-z0-9+/]{27}=\|[A-Za-z0-9+/]{27}=$/.test(hosts)) {
    return 'the hashed host name is damaged';
  }
  if (!keyTypes.has(type)) return type === '' ? 'the key is missing' : `unknown key type ${printable(type, 40)}`;
  const blob = decodeKey(key, type);
  if (blob === undefined) return `the ${type} key is damaged`;
  return { file, line: number, hosts, type, key: blob, ...(marker ? { marker } : {}) };
}

/** The canonical base64 of a key field when it holds a key of that type. */
export function decodeKey(text: string, type: string): string | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const blob = Buffer.from(text, 'base64');
  return keyType(blob) === type && blob.length >= 4 + type.length + 32 ? blob.toString('base64') : undefined;
}

/** The algorithm name that a key blob starts with. */
export function keyType(blob: Buffer): string | undefined {
  if (blob.length < 8) return undefined;
  const length = blob.readUInt32BE(0);
  return length > 64 || blob.length < 4 + length ? undefined : blob.toString('latin1', 4, 4 + length);
}

function matchesHash(name: string, hosts: string): boolean {
  const [, , salt = '', hash = ''] = hosts.split('|');
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** A comma list of `*` and `?` patterns; a `!` pattern that matches refuses the whole line. */
function matchesPatterns(name: string, hosts: string): boolean {
  let matched = false;
  for (const part of hosts.toLowerCase().split(',')) {
    const negated = part.startsWith('!');
    if (!matchesGlob(name, negated ? part.slice(1) : part)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** Linear in time: on a mismatch it only returns to the last star. */
export function matchesGlob(text: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let retry = 0;
  while (at < text.length) {
    const expected = pattern[next];
    if (expected === '*') {
      star = next++;
      retry = at;
    } else if (expected !== undefined && (expected === '?' || expected === text[at])) {
      at++;
      next++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
