import { type Dialogue, ServerFault } from '../dialogue.js';
import { tlv } from './filter.js';

/** The little of LDAP (RFC 4511) that a look needs: bind, search, start TLS, unbind. */
export interface Outcome {
  /** Result code. */
  readonly code: number;
  /** What the server adds in words. */
  readonly text: string;
  /** Entries that came before it. */
  readonly entries: number;
}

const tags = {
  bind: 0x60,
  bound: 0x61,
  unbind: 0x42,
  search: 0x63,
  entry: 0x64,
  done: 0x65,
  reference: 0x73,
  extended: 0x77,
  extendedDone: 0x78,
};

/** Most answers before the last one, in all but a search. */
const mostAnswers = 20;

/** Most entries that are counted. */
export const mostEntries = 10_000;

export async function bind(dialogue: Dialogue, id: number, name: string, password: string): Promise<Outcome> {
  const request = tlv(tags.bind, integer(3), text(name), tlv(0x80, Buffer.from(password)));
  return await ask(dialogue, id, request, tags.bound);
}

const scopes = { base: 0, one: 1, sub: 2 } as const;

export interface Search {
  readonly base: string;
  readonly scope: keyof typeof scopes;
  /** As the protocol has it. */
  readonly filter: Buffer;
  /** Seconds that the server may take. */
  readonly seconds: number;
}

/** Counts entries, without their attributes. Aliases are not followed. */
export async function search(
  dialogue: Dialogue,
  id: number,
  { base, scope, filter, seconds }: Search,
): Promise<Outcome> {
  const [where, aliases] = [tlv(0x0a, Buffer.from([scopes[scope]])), tlv(0x0a, Buffer.from([0]))];
  const [size, time, typesOnly] = [integer(mostEntries), integer(Math.ceil(seconds)), tlv(0x01, Buffer.from([0]))];
  const request = tlv(tags.search, text(base), where, aliases, size, time, typesOnly, filter, tlv(0x30, text('1.1')));
  // References to other servers come between the entries.
  return await ask(dialogue, id, request, tags.done, scope === 'base' ? mostAnswers : 2 * mostEntries);
}

export async function startTls(dialogue: Dialogue, id: number): Promise<Outcome> {
  const request = tlv(tags.extended, tlv(0x80, Buffer.from('1.3.6.1.4.1.1466.20037')));
  return await ask(dialogue, id, request, tags.extendedDone);
}

export function unbind(dialogue: Dialogue, id: number): void {
  dialogue.write(tlv(0x30, integer(id), tlv(tags.unbind)));
}

async function ask(
  dialogue: Dialogue,
  id: number,
  request: Buffer,
  last: number,
  most: number = mostAnswers,
): Promise<Outcome> {
  dialogue.write(tlv(0x30, integer(id), request));
  let entries = 0;
  for (let count = 0; count < most; count += 1) {
    const [answered, operation] = parts(await readMessage(dialogue));
    if (!answered || !operation || answered.tag !== 0x02) throw notLdap('a message without its parts');
    const number = readInteger(answered.value);
    // Number 0 is a notice that the server ends the connection.
    if (number === 0 && operation.tag === tags.extendedDone) return outcomeOf(operation.value, entries);
    if (number !== id) throw notLdap('the answer to another question');
    if (operation.tag === last) return outcomeOf(operation.value, entries);
    if (operation.tag === tags.entry) entries += 1;
    else if (operation.tag !== tags.reference) throw notLdap(`an answer of the wrong kind (${operation.tag})`);
  }
  throw notLdap(`more than ${most} answers to one question`);
}

function outcomeOf(value: Buffer, entries: number): Outcome {
  const [code, , words] = parts(value);
  if (code?.tag !== 0x0a || code.value.length === 0 || code.value.length > 4) throw notLdap('a result without a code');
  return { code: readInteger(code.value), text: words?.value.toString('utf8') ?? '', entries };
}

interface Part {
  readonly tag: number;
  readonly value: Buffer;
}

/** One whole message, without its own tag and length. */
async function readMessage(dialogue: Dialogue): Promise<Buffer> {
  return await dialogue.read((bytes) => {
    if (bytes.length > 0 && bytes[0] !== 0x30) throw notLdap('not the words of LDAP');
    const found = readPart(bytes, 0);
    return found && { value: Buffer.from(found.value), used: found.end };
  });
}

/** The parts that a value is made of. */
function parts(value: Buffer): readonly Part[] {
  const found: Part[] = [];
  for (let at = 0; at < value.length; ) {
    const part = readPart(value, at);
    if (!part) throw notLdap('a part that is cut off');
    found.push(part);
    at = part.end;
  }
  return found;
}

/** The part that begins here (BER with definite lengths); undefined while it is not whole. */
function readPart(bytes: Buffer, at: number): (Part & { readonly end: number }) | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const extra = first < 0x80 ? 0 : first - 0x80;
  if (first === 0x80 || extra > 4) throw notLdap('a length of an unknown form');
  const from = at + 2 + extra;
  if (bytes.length < from) return undefined;
  const length = extra === 0 ? first : bytes.readUIntBE(at + 2, extra);
  return bytes.length < from + length
    ? undefined
    : { tag, value: bytes.subarray(from, from + length), end: from + length };
}

function readInteger(value: Buffer): number {
  return value.length === 0 || value.length > 4 ? Number.NaN : value.readIntBE(0, value.length);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return tlv(0x02, value < 0x80 ? bytes.subarray(3) : bytes);
}

function text(value: string): Buffer {
  return tlv(0x04, Buffer.from(value));
}

function notLdap(detail: string): ServerFault {
  return new ServerFault('protocol-error', detail);
}
