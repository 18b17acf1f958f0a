import { domainToASCII } from 'node:url';

/** Record types by name (IANA); the ones that `readData` can tell. */
export const recordTypes = {
  A: 1,
  AAAA: 28,
  CAA: 257,
  CNAME: 5,
  DNAME: 39,
  DNSKEY: 48,
  DS: 43,
  MX: 15,
  NAPTR: 35,
  NS: 2,
  PTR: 12,
  SOA: 6,
  SRV: 33,
  SSHFP: 44,
  TLSA: 52,
  TXT: 16,
} as const;
export type RecordType = keyof typeof recordTypes;

/** Response codes by number. */
export const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

export interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: RecordType;
  /** Ask the server to ask others. */
  readonly recursion: boolean;
}

export interface Reply {
  /** `NOERROR` or another name of `rcodes`, `RCODE9` for what has no name there. */
  readonly rcode: string;
  /** Did not fit: without answers here, to be asked for over TCP. */
  readonly truncated: boolean;
  readonly authoritative: boolean;
  /** The server says that it has validated the answer (AD). */
  readonly authenticated: boolean;
  /** Records of the type that was asked for, as text, in order of text. */
  readonly answers: readonly string[];
  /** Smallest time to live among them, seconds. */
  readonly ttl: number | null;
}

/** The reply breaks the protocol. */
export class BadMessage extends Error {}

export function encodeQuestion({ id, name, type, recursion }: Question, extended = true): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  // RD, and AD to be told whether the answer was validated (RFC 6840).
  header.writeUInt16BE((recursion ? 0x0100 : 0) | 0x0020, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(extended ? 1 : 0, 10);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(recordTypes[type], 0);
  tail.writeUInt16BE(1, 2);
  // EDNS: datagrams of up to 1232 bytes pass everywhere.
  const edns = Buffer.from([0, 0, 41, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, encodeName(name), tail, ...(extended ? [edns] : [])]);
}

/** @throws RangeError when it is no name */
export function encodeName(name: string): Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  const ascii = /^[\u0000-\u007f]*$/.test(name) ? name : domainToASCII(name);
  const bare = ascii.replace(/\.$/, '');
  const labels = bare === '' ? [] : bare.split('.');
  if ((bare === '' && name !== '.') || labels.some((label) => !/^[!-[\]-~]{1,63}$/.test(label)))
    throw new RangeError(`"${name}" is not a domain name`);
  const bytes = Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
  if (bytes.length > 255) throw new RangeError('a domain name has at most 253 characters');
  return bytes;
}

/** The reply to this question; undefined when it is one to another. */
export function decodeReply(message: Buffer, question: Question): Reply | undefined {
  if (message.length < 12 || message.readUInt16BE(0) !== question.id) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) === 0) return undefined;
  try {
    return decodeBody(message, question, flags);
  } catch (error) {
    if (error instanceof RangeError) throw new BadMessage('the reply is cut off');
    throw error;
  }
}

function decodeBody(message: Buffer, question: Question, flags: number): Reply | undefined {
  const code = flags & 15;
  const wanted = recordTypes[question.type];
  const questions = message.readUInt16BE(4);
  let at = 12;
  // A server that did not understand may leave the question away.
  if (questions > 1 || (questions === 0 && code === 0)) throw new BadMessage('the reply is not to one question');
  if (questions === 1) {
    const asked = readName(message, at);
    at = asked.end + 4;
    if (asked.name.toLowerCase() !== readName(encodeName(question.name), 0).name.toLowerCase()) return undefined;
    if (message.readUInt16BE(at - 4) !== wanted) return undefined;
  }
  const truncated = (flags & 0x0200) !== 0;
  const records: { owner: string; type: number; ttl: number; from: number; end: number }[] = [];
  // What a truncated reply still has may end anywhere.
  for (let count = truncated ? 0 : message.readUInt16BE(6); count > 0; count -= 1) {
    const { name, end } = readName(message, at);
    const from = end + 10;
    at = from + message.readUInt16BE(end + 8);
    if (at > message.length) throw new BadMessage('the reply is cut off');
    // Class IN.
    if (message.readUInt16BE(end + 2) !== 1) continue;
    const [type, ttl] = [message.readUInt16BE(end), message.readUInt32BE(end + 4)];
    records.push({ owner: name.toLowerCase(), type, ttl, from, end: at });
  }
  // Records of the name itself, or of the end of a chain of aliases. Others are nobody's answer.
  const names = new Set([readName(encodeName(question.name), 0).name.toLowerCase()]);
  for (let before = 0; before < names.size; ) {
    before = names.size;
    for (const { owner, type, from } of records)
      if (type === recordTypes.CNAME && names.has(owner)) names.add(readName(message, from).name.toLowerCase());
  }
  const found = records.filter(({ owner, type }) => type === wanted && names.has(owner));
  return {
    rcode: rcodes[code] ?? `RCODE${code}`,
    truncated,
    authoritative: (flags & 0x0400) !== 0,
    authenticated: (flags & 0x0020) !== 0,
    answers: found.map(({ from, end }) => readData(message, question.type, from, end)).sort(),
    ttl: found.length > 0 ? Math.min(...found.map(({ ttl }) => ttl)) : null,
  };
}

/** The data of a record as master files have it: names in lower case without the last dot, text without quotes. */
function readData(message: Buffer, type: RecordType, from: number, end: number): string {
  const data = message.subarray(from, end);
  const nameAt = (offset: number) => readName(message, from + offset).name.toLowerCase();
  const words = (count: number) => Array.from({ length: count }, (_, index) => data.readUInt16BE(index * 2)).join(' ');
  const bytes = (count: number) => Array.from({ length: count }, (_, index) => data.readUInt8(index)).join(' ');
  switch (type) {
    case 'A':
      if (data.length !== 4) throw new BadMessage('an A record without 4 bytes');
      return data.join('.');
    case 'AAAA':
      if (data.length !== 16) throw new BadMessage('an AAAA record without 16 bytes');
      return shortenIpv6((data.toString('hex').match(/..../g) ?? []).join(':'));
    case 'CNAME':
    case 'DNAME':
    case 'NS':
    case 'PTR':
      return nameAt(0);
    case 'MX':
      return `${words(1)} ${nameAt(2)}`;
    case 'NAPTR': {
      // Order, preference, three texts, and the name that takes their place (RFC 3403).
      const parts: string[] = [words(2)];
      let next = 4;
      for (let count = 0; count < 3; count += 1) {
        const length = data.readUInt8(next);
        parts.push(`"${data.toString('latin1', next + 1, next + 1 + length)}"`);
        next += 1 + length;
      }
      return [...parts, nameAt(next)].join(' ');
    }
    case 'SRV':
      return `${words(3)} ${nameAt(6)}`;
    case 'SOA': {
      const server = readName(message, from);
      const mailbox = readName(message, server.end);
      const numbers = [0, 4, 8, 12, 16].map((offset) => message.readUInt32BE(mailbox.end + offset));
      return [server.name.toLowerCase(), mailbox.name.toLowerCase(), ...numbers].join(' ');
    }
    case 'TXT': {
      const parts: string[] = [];
      for (let at = 0; at < data.length; at += 1 + data.readUInt8(at))
        parts.push(data.toString('utf8', at + 1, at + 1 + data.readUInt8(at)));
      return parts.join('');
    }
    case 'CAA': {
      const value = 2 + data.readUInt8(1);
      return `${bytes(1)} ${data.toString('latin1', 2, value).toLowerCase()} ${data.toString('latin1', value)}`;
    }
    case 'DNSKEY':
      return `${words(1)} ${data.readUInt8(2)} ${data.readUInt8(3)} ${data.toString('base64', 4)}`;
    case 'DS':
      return `${words(1)} ${data.readUInt8(2)} ${data.readUInt8(3)} ${data.toString('hex', 4)}`;
    case 'SSHFP':
      return `${bytes(2)} ${data.toString('hex', 2)}`;
    case 'TLSA':
      return `${bytes(3)} ${data.toString('hex', 3)}`;
  }
}

/** The shortest form (RFC 5952); any other text as it is. */
export function shortenIpv6(address: string): string {
  const url = `http://[${address}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address;
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  let length = 0;
  while (true) {
    const size = message.readUInt8(at);
    if (size >= 0xc0) {
      const target = message.readUInt16BE(at) & 0x3fff;
      end ??= at + 2;
      // Only backwards, so that no name goes round in circles.
      if (target >= at) throw new BadMessage('a name points forward');
      at = target;
      // A label in between would let a pointer return to its own start for ever.
      length += 2;
    } else if (size > 63) throw new BadMessage('a label of an unknown kind');
    else {
      at += 1;
      if (size === 0) break;
      if (at + size > message.length) throw new BadMessage('the reply is cut off');
      labels.push(message.toString('latin1', at, at + size).replace(/[^!-~]|[.\\]/g, escaped));
      at += size;
      length += size + 1;
    }
    if (length > 1_024) throw new BadMessage('a name without end');
  }
  return { name: labels.join('.') || '.', end: end ?? at };
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return character === '.' || character === '\\' ? `\\${character}` : `\\${String(code).padStart(3, '0')}`;
}
