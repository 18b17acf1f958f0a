import { shortestSecret } from './shortest.js';

const shortestLine = 8;

/** Every text under which a secret may show up in output. */
export function patternsOf(value: string): readonly string[] {
  const whole = [value, value.trim()];
  const patterns = new Set(whole.flatMap((text) => [...forms(text)]));
  if (/[\r\n]/.test(value)) {
    for (const line of value.split(/\r?\n|\r/)) {
      const text = line.trim();
      // Key files open and close with lines that are no secret: hiding them would only puzzle.
      if (text.length >= shortestLine && !/^-----(BEGIN|END) [A-Z0-9 ]+-----$/.test(text)) patterns.add(text);
    }
  }
  return [...patterns].filter((pattern) => pattern.length >= shortestSecret);
}

function* forms(value: string): Generator<string> {
  if (value.length < shortestSecret) return;
  yield value;
  yield* base64Forms(Buffer.from(value, 'utf8'));
  yield* hexForms(Buffer.from(value, 'utf8'));
  yield* urlForms(value);
  yield* jsonForms(value);
  yield* shellForms(value);
  yield value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/**
 * The characters of base64 that depend on the secret alone, for each of the three ways it can lie in the
 * groups of three bytes: `user:secret` shifts it, and its neighbours blend into the first and last character.
 */
function* base64Forms(bytes: Buffer): Generator<string> {
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const pure = encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
    yield pure;
    yield pure.replaceAll('+', '-').replaceAll('/', '_');
    yield encodeURIComponent(pure);
  }
}

function* hexForms(bytes: Buffer): Generator<string> {
  const hex = bytes.toString('hex');
  yield hex;
  yield hex.toUpperCase();
}

function* urlForms(value: string): Generator<string> {
  const strict = percentEncode(value);
  const usual = isWellFormed(value) ? encodeURIComponent(value) : strict;
  for (const form of [usual, strict]) {
    for (const spaced of [form, form.replaceAll('%20', '+')]) {
      yield spaced;
      yield spaced.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
    }
  }
}

function isWellFormed(value: string): boolean {
  return !/[\uD800-\uDFFF]/u.test(value);
}

// RFC 3986: everything but its unreserved characters; encodeURIComponent leaves !'()* as they are.
function percentEncode(value: string): string {
  return Array.from(Buffer.from(value, 'utf8'), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9._~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function* jsonForms(value: string): Generator<string> {
  const json = JSON.stringify(value).slice(1, -1);
  const ascii = json.replaceAll(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  yield json;
  yield ascii;
  yield ascii.replaceAll('/', '\\/');
  // JSON inside a JSON string.
  yield JSON.stringify(json).slice(1, -1);
}

function* shellForms(value: string): Generator<string> {
  yield value.replaceAll("'", `'\\''`);
  yield value.replaceAll("'", `'"'"'`);
  yield value.replaceAll(/["\\$`]/g, '\\$&');
  // printf %q and `set -x` of bash.
  yield value.replaceAll(/[^A-Za-z0-9_%+,./:=@-]/g, '\\$&');
}
