import { createFinder, type Finder } from './finder.js';
import { patternsOf } from './patterns.js';
import type { Secret } from './secret.js';

export const mask = '***';

/**
 * Takes secrets out of everything that leaves opsctl, in every form that tools print them. A net, not a
 * wall: a host that reverses or splits a value gets through; `sensitive: true` drops the output instead.
 */
export interface Redactor {
  redact(text: string): string;
  /** The same on bytes: works on output that is not valid UTF-8. Gives the buffer itself when nothing is in it. */
  redactBytes(bytes: Buffer): Buffer;
  /** Every string inside a JSON value, keys too. Gives the value itself when nothing is in it. */
  redactDeep<T>(value: T): T;
  /** For output that arrives in pieces: whatever the cuts, the result is that of the whole text. */
  stream(): RedactorStream;
}

export interface RedactorStream {
  /** What can be shown now; the start of a possible secret is held back. */
  write(chunk: Buffer): Buffer;
  /** The rest. */
  end(): Buffer;
}

const identity: Redactor = {
  redact: (text) => text,
  redactBytes: (bytes) => bytes,
  redactDeep: (value) => value,
  stream: () => ({ write: (chunk) => chunk, end: () => Buffer.alloc(0) }),
};

export function createRedactor(secrets: Iterable<Secret>): Redactor {
  const patterns = new Set<string>();
  for (const secret of secrets) for (const pattern of secret.reveal(patternsOf)) patterns.add(pattern);
  if (patterns.size === 0) return identity;
  const texts = createFinder([...patterns]);
  // Bytes as latin1, one character a byte: the same search then serves broken UTF-8 and cut characters.
  const bytes = createFinder([...patterns].map((pattern) => Buffer.from(pattern, 'utf8').toString('latin1')));
  const redact = (text: string) => maskAll(text, texts);
  return {
    redact,
    redactBytes: (buffer) => {
      const latin = buffer.toString('latin1');
      const clean = maskAll(latin, bytes);
      return clean === latin ? buffer : Buffer.from(clean, 'latin1');
    },
    redactDeep: <T>(value: T) => redactValue(value, redact) as T,
    stream: () => createStream(bytes),
  };
}

function maskAll(text: string, finder: Finder): string {
  const { shown, covered } = maskUpTo(text, text.length, 0, finder);
  return covered === 0 && shown.length === text.length ? text : shown;
}

/**
 * Masks the secrets that start before `limit`. Secrets that overlap become one mask. `covered` characters
 * at the start belong to a secret whose mask is out already; the result says the same about `limit`.
 */
function maskUpTo(
  text: string,
  limit: number,
  covered: number,
  { find }: Finder,
): { readonly shown: string; readonly covered: number } {
  let shown = '';
  let end = covered;
  let from = 0;
  while (from < limit) {
    const match = find(text, from);
    if (match === undefined || match.index >= limit) break;
    if (match.index >= end) {
      shown += text.slice(end, match.index) + mask;
      end = match.index;
    }
    end = Math.max(end, match.index + match.length);
    from = match.index + 1;
  }
  if (end < limit) shown += text.slice(end, limit);
  return { shown, covered: Math.max(0, end - limit) };
}

function createStream(finder: Finder): RedactorStream {
  let held = '';
  let covered = 0;
  const advance = (text: string, limit: number): Buffer => {
    const result = maskUpTo(text, limit, covered, finder);
    held = text.slice(limit);
    covered = result.covered;
    return Buffer.from(result.shown, 'latin1');
  };
  return {
    write(chunk) {
      const text = held + chunk.toString('latin1');
      return advance(text, undecidedFrom(text, finder));
    },
    end: () => advance(held, held.length),
  };
}

/** Where the first piece starts that more output could still turn into a (longer) secret. */
function undecidedFrom(text: string, { patterns, longest }: Finder): number {
  for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
    const first = text.charCodeAt(at);
    const tail = text.length - at;
    for (const pattern of patterns) {
      if (pattern.length <= tail) break;
      if (pattern.charCodeAt(0) === first && text.startsWith(pattern.slice(0, tail), at)) return at;
    }
  }
  return text.length;
}

function redactValue(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) {
    const items = value.map((item) => redactValue(item, redact));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (value === null || typeof value !== 'object') return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value);
  const clean = entries.map(([key, item]) => [redact(key), redactValue(item, redact)] as const);
  const isSame = clean.every(([key, item], index) => key === entries[index]?.[0] && item === entries[index]?.[1]);
  return isSame ? value : Object.fromEntries(clean);
}
