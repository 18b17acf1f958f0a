/** Plain scalars by PyYAML's resolver (yaml/resolver.py, yaml/constructor.py), which is YAML 1.1 with its own gaps. */

const booleans: Readonly<Record<string, boolean>> = Object.fromEntries(
  ['yes', 'true', 'on']
    .flatMap((word) => forms(word, true))
    .concat(['no', 'false', 'off'].flatMap((word) => forms(word, false))),
);
const float =
  /^(?:[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?|\.\d[\d_]*(?:[eE][-+]\d+)?|[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const integer =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][\d_]*)|[-+]?0x[\da-fA-F_]+|[-+]?[1-9][\d_]*(?::[0-5]?\d)+)$/;

/**
 * The value of a scalar without quotes. Dates stay text. So do infinities, NaN and integers that a number cannot keep:
 * the text is exact.
 */
export function resolvePlainScalar(text: string): unknown {
  if (text === '' || text === '~' || text === 'null' || text === 'Null' || text === 'NULL') return null;
  const boolean = booleans[text];
  if (boolean !== undefined) return boolean;
  if (!/^[-+.\d]/.test(text)) return text;
  const value = float.test(text) ? readFloat(text) : integer.test(text) ? readInteger(text) : undefined;
  if (value === undefined || !Number.isFinite(value)) return text;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
}

function readFloat(text: string): number {
  const plain = text.replaceAll('_', '').toLowerCase();
  if (/inf|nan/.test(plain)) return Number.NaN;
  return plain.includes(':') ? sexagesimal(plain) : Number(plain.replace(/\.(?=e|$)/, ''));
}

function readInteger(text: string): number {
  const plain = text.replaceAll('_', '');
  const sign = plain.startsWith('-') ? -1 : 1;
  const digits = plain.replace(/^[-+]/, '');
  if (digits.includes(':')) return sexagesimal(plain);
  if (/^0[bx]/.test(digits)) return sign * Number(digits);
  return sign * (digits.startsWith('0') ? Number.parseInt(digits, 8) : Number(digits));
}

function sexagesimal(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const parts = text.replace(/^[-+]/, '').split(':');
  return sign * parts.reduce((total, part) => total * 60 + Number(part), 0);
}

function forms(word: string, value: boolean): [string, boolean][] {
  const capital = word.charAt(0).toUpperCase() + word.slice(1);
  return [word, capital, word.toUpperCase()].map((form) => [form, value]);
}
