import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { plainText } from './plain-text.js';

describe('plainText', () => {
  it.each([
    '',
    '^',
    '$',
    '^$',
    'a.b',
    'a*',
    'a|b',
    '(a)',
    '[ab]',
    '\\d',
    'a{2}',
    '(?i)a',
    '(?m)',
    'ä',
    'a^',
    '$a',
    'a\nb',
  ])('leaves %j to the engine', (pattern) => {
    expect(plainText(pattern)).toBeUndefined();
  });

  it('finds what the engine finds, where the engine finds it', () => {
    const piece = fc.constantFrom('a', 'b', 'ab', 'aa', ' ', '-', '\n', '\r', '\u2028', 'ä', '😀');
    const subject = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', ' ', '-', '/'), { minLength: 1, maxLength: 3 });
    const pattern = fc
      .tuple(fc.constantFrom('', '(?m)'), fc.constantFrom('', '^'), text, fc.constantFrom('', '$'))
      .map(([flag, start, middle, end]) => `${flag}${start}${middle.join('')}${end}`);

    fc.assert(
      fc.property(pattern, subject, (source, given) => {
        const matcher = RE2JS.compile(source).matcher(given);
        const expected = matcher.find() ? { index: matcher.start(), groups: [matcher.group()] } : undefined;

        expect(plainText(source)?.find(given)).toEqual(expected);
        expect(plainText(source)?.test(given)).toBe(expected !== undefined);
      }),
      { numRuns: 2_000 },
    );
  });
});
