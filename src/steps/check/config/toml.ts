import { parse, TomlDate, TomlError } from 'smol-toml';
import { depthLimit } from '../../../documents/limits.js';
import { TroubleError } from './trouble.js';

/** TOML 1.0 as plain data: dates are text, and so are whole numbers that would not be kept exactly. */
export function readToml(text: string): unknown {
  try {
    return plain(parse(text, { maxDepth: depthLimit, integersAsBigInt: 'asNeeded' }));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // What follows its first line is the text around the spot.
    const what = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    throw new TroubleError({ what, line: error.line, column: error.column });
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
