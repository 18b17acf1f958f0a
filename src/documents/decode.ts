import { isUtf8 } from 'node:buffer';
import { type Problem, UserError } from '../errors.js';
import { sizeLimit } from './limits.js';
import { codePoint, sourceOf, unsafeCharacter } from './source.js';

/** Bytes to text with `\n` line ends. Refuses what is not UTF-8 text; a byte order mark and CRLF are fine. */
export function decode(bytes: Buffer, file: string): string {
  if (bytes.length > sizeLimit) throw new UserError(tooBig(file, bytes.length));
  const utf16 =
    bytes.length >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff));
  if (utf16 || looksLikeUtf16(bytes)) {
    throw new UserError({
      code: 'E_ENCODING',
      what: 'looks like UTF-16',
      hint: 'save the file as UTF-8',
      place: { file },
    });
  }
  if (!isUtf8(bytes)) throw new UserError(invalidUtf8(bytes, file));
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const decoded = bytes.toString('utf8', start);
  const text = decoded.includes('\r') ? decoded.replaceAll('\r\n', '\n') : decoded;
  if (unsafeCharacter.test(text)) {
    const problems = controlCharacters(text, file);
    if (problems.length > 0) throw new UserError(problems);
  }
  return text;
}

export function tooBig(file: string, size: number): Problem {
  return {
    code: 'E_TOO_BIG',
    what: `the file has ${(size / 1024 / 1024).toFixed(1)} MB, the limit is 10 MB`,
    hint: 'split it',
    place: { file },
  };
}

/** Plain Latin text in UTF-16 without a mark: every second byte is zero. */
function looksLikeUtf16(bytes: Buffer): boolean {
  if (bytes.length < 4 || bytes.length % 2 !== 0) return false;
  const sample = Math.min(bytes.length, 64);
  let even = 0;
  let odd = 0;
  for (let at = 0; at < sample; at += 2) {
    if (bytes[at] === 0) even++;
    if (bytes[at + 1] === 0) odd++;
  }
  return (even === sample / 2) !== (odd === sample / 2);
}

function invalidUtf8(bytes: Buffer, file: string): Problem {
  // The longest valid prefix, by halving: a cut inside a character is not valid either, so try up to 3 bytes less.
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (validUpTo(bytes, middle)) low = middle;
    else high = middle - 1;
  }
  let offset = low;
  while (offset > 0 && !isUtf8(bytes.subarray(0, offset))) offset--;
  const before = bytes.toString('utf8', 0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return {
    code: 'E_ENCODING',
    what: `invalid UTF-8 at byte ${offset}`,
    hint: 'save the file as UTF-8',
    place: { file, line, column: before.length - lineStart + 1 },
  };
}

function validUpTo(bytes: Buffer, end: number): boolean {
  for (let cut = 0; cut <= 3 && cut <= end; cut++) if (isUtf8(bytes.subarray(0, end - cut))) return true;
  return false;
}

/** The first one of each line, ten lines at most: a binary file is one mistake. */
function controlCharacters(text: string, file: string): Problem[] {
  const source = sourceOf(file, text);
  const problems: Problem[] = [];
  const pattern = new RegExp(unsafeCharacter, 'g');
  for (let match = pattern.exec(text); match && problems.length < 10; match = pattern.exec(text)) {
    const [character] = match;
    problems.push({
      code: 'E_CTRL_CHAR',
      what: `control character ${codePoint(character)}`,
      hint:
        character === '\r'
          ? 'save the file with LF or CRLF line ends'
          : `remove it, or write it as "\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}" in double quotes`,
      place: source.place(match.index),
    });
    const lineEnd = text.indexOf('\n', match.index);
    if (lineEnd === -1) break;
    pattern.lastIndex = lineEnd;
  }
  return problems;
}
