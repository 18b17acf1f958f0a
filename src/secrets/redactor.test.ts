import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, type Redactor } from './redactor.js';
import { Secret } from './secret.js';

const redactorOf = (...values: string[]) =>
  createRedactor(values.map((value, index) => new Secret(`s${index}`, value)));

function inPieces(redactor: Redactor, bytes: Buffer, cuts: readonly number[]): Buffer {
  const stream = redactor.stream();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const pieces = places.slice(1).map((end, index) => stream.write(bytes.subarray(places[index], end)));
  return Buffer.concat([...pieces, stream.end()]);
}

describe('forms of a secret', () => {
  const secret = `p@ss/w'or"d+é$1`;
  const redact = (text: string) => redactorOf(secret).redact(text);

  it.each([
    ['plain', `a${secret}b`],
    ['URL', `a${encodeURIComponent(secret)}b`],
    ['URL of strict tools', `a${encodeURIComponent(secret).replaceAll("'", '%27')}b`],
    ['URL in lower case', `a${encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase())}b`],
    ['JSON', `a${JSON.stringify(secret).slice(1, -1)}b`],
    ['ASCII JSON', `a${JSON.stringify(secret).slice(1, -1).replace('é', '\\u00e9')}b`],
    ['shell', `a${secret.replaceAll("'", "'\\''")}b`],
    ['printf %q', 'ap@ss/w\\\'or\\"d+\\é\\$1b'],
    ['hex', `a${Buffer.from(secret).toString('hex')}b`],
  ])('masks %s', (_, text) => {
    expect(redact(text)).toBe('a***b');
  });

  it('masks base64 of user:secret wherever the secret lies', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.constantFrom('base64', 'base64url'), (before, after, encoding) => {
        const encoded = Buffer.from(`${before}:${secret}:${after}`).toString(encoding as 'base64');

        const shown = redact(encoded);

        expect(shown).toContain('***');
        expect(encoded.length - shown.length).toBeGreaterThan(Buffer.byteLength(secret));
      }),
      { numRuns: 2_000 },
    );
  });

  it('masks the lines of a key, but not the words around it', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n';
    const redactor = redactorOf(key);

    expect(redactor.redact('> kqhkiG9w0BAQEF <')).toBe('> *** <');
    expect(redactor.redact(`x${key.trim()}y`)).toBe('x***y');
    expect(redactor.redact('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----');
  });

  it('shows no rest where secrets overlap', () => {
    expect(redactorOf('abcdef', 'defghi').redact('-abcdefghi-')).toBe('-***-');
    expect(redactorOf('aaaaaa').redact(`-${'a'.repeat(20)}-`)).toBe('-***-');
    expect(redactorOf('secret', 'secret-long').redact('secret-long secret')).toBe('*** ***');
  });

  it('leaves secrets alone that are too short to hide', () => {
    expect(redactorOf('abc').redact('abcabc')).toBe('abcabc');
  });
});

describe('values', () => {
  it('masks texts and keys anywhere in a JSON value', () => {
    const value = { 'k-hunter2': ['hunter2', { deep: 'say hunter2' }], n: 1, b: null };

    expect(redactorOf('hunter2').redactDeep(value)).toEqual({ 'k-***': ['***', { deep: 'say ***' }], n: 1, b: null });
  });

  it('keeps what holds no secret as it is', () => {
    const value = { a: ['b', { c: 'd' }] };
    const bytes = Buffer.from([0xff, 0xfe, 0x00]);
    const redactor = redactorOf('hunter2');

    expect(redactor.redactDeep(value)).toBe(value);
    expect(redactor.redactBytes(bytes)).toBe(bytes);
  });

  it('does nothing at all without secrets', () => {
    const redactor = createRedactor([]);
    const chunk = Buffer.from('x');

    expect(redactor.redactBytes(chunk)).toBe(chunk);
    expect(redactor.stream().write(chunk)).toBe(chunk);
    expect(redactor.redact('x')).toBe('x');
  });

  it('masks in bytes that are not valid text', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xc3]), Buffer.from('pässwörd'), Buffer.from([0xfe])]);

    expect(redactorOf('pässwörd').redactBytes(bytes)).toEqual(Buffer.from([0xff, 0xc3, 0x2a, 0x2a, 0x2a, 0xfe]));
  });
});

describe('output in pieces', () => {
  // Few letters, so that secrets start, break off and overlap all the time.
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\n'), minLength: 6, maxLength: 12 });
  const secrets = fc.array(word, { minLength: 1, maxLength: 3 });
  const noise = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\n', '='), maxLength: 8 });
  const cuts = fc.array(fc.nat(), { maxLength: 8 });

  it('is masked as the whole text would be, whatever the cuts', () => {
    fc.assert(
      fc.property(secrets, fc.array(fc.tuple(noise, fc.nat(2)), { maxLength: 6 }), cuts, (values, parts, at) => {
        const redactor = redactorOf(...values);
        const bytes = Buffer.from(parts.map(([text, index]) => text + (values[index] ?? '')).join(''));

        const whole = redactor.redactBytes(bytes);

        expect(inPieces(redactor, bytes, at)).toEqual(whole);
        expect(redactor.redact(bytes.toString())).toBe(whole.toString());
        for (const value of values) expect(whole.toString()).not.toContain(value);
      }),
      { numRuns: 10_000 },
    );
  });

  it('is masked when every byte comes alone', () => {
    const redactor = redactorOf('hunter2-secret', 'secret-after');
    const bytes = Buffer.from('a hunter2-secret-after z hunter2-secre');

    const shown = inPieces(
      redactor,
      bytes,
      Array.from({ length: bytes.length }, (_, index) => index),
    );

    expect(shown.toString()).toBe('a *** z hunter2-secre');
  });

  it('holds back only what may become a secret', () => {
    const stream = redactorOf('hunter2').stream();

    expect(stream.write(Buffer.from('password: ')).toString()).toBe('password: ');
    expect(stream.write(Buffer.from('hunt')).toString()).toBe('');
    expect(stream.write(Buffer.from('ing')).toString()).toBe('hunting');
    expect(stream.end()).toHaveLength(0);
  });

  it('does not grow with a secret that repeats without end', () => {
    const stream = redactorOf('aaaaaa').stream();
    const shown = Array.from({ length: 100 }, () => stream.write(Buffer.from('a'.repeat(1_000))).toString()).join('');

    expect(shown).toBe('***');
  });
});
