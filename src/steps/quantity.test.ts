import { describe, expect, it } from 'vitest';
import { formatLimit, formatQuantity } from './quantity.js';
import { parseRange } from './range.js';

describe('formatQuantity', () => {
  it.each([
    [0.914, 'ratio', '91.4 %'],
    [1, 'ratio', '100 %'],
    [3.2 * 2 ** 30, 'bytes', '3.2 GiB'],
    [512, 'bytes', '512 B'],
    [0.25, 'seconds', '250 ms'],
    [1.5, 'seconds', '1.5 s'],
    [0, 'seconds', '0 s'],
    [600, 'seconds', '10 min'],
    [7_200, 'seconds', '2 h'],
    [432_000, 'seconds', '5 d'],
    [1234, 'count', '1234'],
    [61.25, 'celsius', '61.3 °C'],
  ] as const)('writes %d (%s) as %s', (value, unit, expected) => {
    expect(formatQuantity(value, unit)).toBe(expected);
  });
});

describe('formatLimit', () => {
  it.each([
    ['90%', 'limit 90 %'],
    ['10%:', 'at least 10 %'],
    ['10:20', '10 % to 20 %'],
    ['@10:20', 'must not be 10 % to 20 %'],
  ])('writes %s as "%s"', (source, expected) => {
    expect(formatLimit(parseRange(source, 'ratio'), 'ratio')).toBe(expected);
  });
});
