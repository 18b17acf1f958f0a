import { describe, expect, it } from 'vitest';
import { compileRegex, RegexError } from './regex.js';

describe('compileRegex', () => {
  it('finds the first match and its groups', () => {
    const regex = compileRegex('(a)(b)?(c)');

    expect(regex.find('xacy')).toEqual({ index: 1, groups: ['ac', 'a', undefined, 'c'] });
    expect(regex.find('none')).toBeUndefined();
    expect(regex.test('acx')).toBe(true);
  });

  it('stays fast on patterns that make other engines explode', () => {
    const regex = compileRegex('(a+)+$');
    const text = `${'a'.repeat(100_000)}!`;
    regex.test('warm');

    const start = performance.now();

    expect(regex.test(text)).toBe(false);
    expect(regex.find(text)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it.each([
    ['(?<=x)y', 'look-behind is not supported (linear engine)', 0, 4],
    ['ab(?<!x)y', 'look-behind is not supported (linear engine)', 2, 4],
    ['x(?=y)', 'look-ahead is not supported (linear engine)', 1, 3],
    ['(a)\\1', 'a back-reference is not supported (linear engine)', 3, 2],
    ['ab[', 'missing closing ]', 2, 1],
    ['(ab', 'missing closing )', 0, 1],
    ['a**', 'invalid nested repetition operator', 1, 2],
    ['a\\', 'trailing backslash at end of expression', 1, 1],
    ['(x{100}){100}{100}', 'invalid', undefined, undefined],
  ])('says what is wrong with %s', (source, message, index, length) => {
    let error: RegexError | undefined;
    try {
      compileRegex(source);
    } catch (caught) {
      error = caught as RegexError;
    }

    expect(error).toBeInstanceOf(RegexError);
    expect(error?.message).toContain(message);
    if (index !== undefined) expect(error).toMatchObject({ index, length });
  });

  it('refuses patterns of enormous size', () => {
    expect(() => compileRegex('a'.repeat(5_000))).toThrow('longer than 2000 characters');
  });
});
