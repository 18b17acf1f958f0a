export class FilterError extends Error {}

/** Deeper than anyone writes. */
const deepest = 50;

/**
 * A search filter (RFC 4515) as the bytes of the protocol (RFC 4511, 4.5.1).
 *
 * @throws FilterError naming where it goes wrong
 */
export function encodeFilter(text: string): Buffer {
  const reader = new Reader(text.trim());
  const filter = reader.filter(0);
  if (!reader.done) throw reader.error('something behind the last bracket');
  return filter;
}

const sets: Readonly<Record<string, number>> = { '&': 0xa0, '|': 0xa1, '!': 0xa2 };
const relations: Readonly<Record<string, number>> = { '=': 0xa3, '>=': 0xa5, '<=': 0xa6, '~=': 0xa8 };

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at === this.#text.length;
  }

  error(what: string): FilterError {
    return new FilterError(`${what}, at character ${this.#at + 1}`);
  }

  filter(depth: number): Buffer {
    if (depth > deepest) throw this.error(`more than ${deepest} brackets in each other`);
    this.#expect('(');
    const tag = sets[this.#text[this.#at] ?? ''];
    const filter = tag === undefined ? this.#item() : this.#set(tag, depth);
    this.#expect(')');
    return filter;
  }

  #set(tag: number, depth: number): Buffer {
    this.#at += 1;
    const parts: Buffer[] = [];
    while (this.#text[this.#at] === '(') parts.push(this.filter(depth + 1));
    if (tag === 0xa2 && parts.length !== 1) throw this.error('a "!" is for one filter');
    return tlv(tag, ...parts);
  }

  #item(): Buffer {
    const found = /^([A-Za-z0-9.;-]*)((?::dn)?(?::[A-Za-z0-9.-]+)?:=|[<>~]?=)([^()]*)/i.exec(
      this.#text.slice(this.#at),
    );
    if (!found) throw this.error('not a comparison such as (cn=web1)');
    const [whole, attribute = '', relation = '', value = ''] = found;
    if (relation.endsWith(':=')) {
      const matching = this.#extended(attribute, relation, value);
      this.#at += whole.length;
      return matching;
    }
    if (attribute === '') throw this.error('a comparison without an attribute');
    const filter =
      relation === '=' && value === '*'
        ? tlv(0x87, Buffer.from(attribute))
        : relation === '=' && value.includes('*')
          ? this.#substrings(attribute, value)
          : tlv(relations[relation] ?? 0, octets(attribute), tlv(0x04, this.#value(value)));
    this.#at += whole.length;
    return filter;
  }

  #substrings(attribute: string, value: string): Buffer {
    const pieces = value.split('*');
    const last = pieces.length - 1;
    const parts = pieces.flatMap((piece, index) =>
      piece === '' ? [] : [tlv(index === 0 ? 0x80 : index === last ? 0x82 : 0x81, this.#value(piece))],
    );
    if (parts.length === 0) throw this.error('only stars');
    return tlv(0xa4, octets(attribute), tlv(0x30, ...parts));
  }

  #extended(attribute: string, relation: string, value: string): Buffer {
    const [, names = '', rule = ''] = /^(:dn)?(?::([A-Za-z0-9.-]+))?:=$/i.exec(relation) ?? [];
    if (attribute === '' && rule === '') throw this.error('a comparison without an attribute');
    return tlv(
      0xa9,
      ...(rule === '' ? [] : [tlv(0x81, Buffer.from(rule))]),
      ...(attribute === '' ? [] : [tlv(0x82, Buffer.from(attribute))]),
      tlv(0x83, this.#value(value)),
      ...(names === '' ? [] : [tlv(0x84, Buffer.from([0xff]))]),
    );
  }

  /** Bytes that mean something else are written `\2a`. */
  #value(text: string): Buffer {
    if (/\\(?![0-9a-f]{2})/i.test(text)) throw this.error('a backslash without two hex digits, such as \\2a for *');
    const parts = text.split(/(\\[0-9a-f]{2})/i);
    return Buffer.concat(
      parts.map((part) => (part.startsWith('\\') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))),
    );
  }

  #expect(sign: string): void {
    if (this.#text[this.#at] !== sign) throw this.error(`there must be a "${sign}"`);
    this.#at += 1;
  }
}

function octets(text: string): Buffer {
  return tlv(0x04, Buffer.from(text));
}

/** A part of a message: what it is, how long it is, and what is in it. */
export function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  const value = Buffer.concat(contents);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  const head =
    value.length < 0x80 ? Buffer.from([tag, value.length]) : Buffer.concat([Buffer.from([tag, 0x84]), length]);
  return Buffer.concat([head, value]);
}
