import { describe, expect, it } from 'vitest';
import { readPythonValue } from './python-literal.js';

describe('readPythonValue', () => {
  it.each<[string, unknown]>([
    ['True', true],
    ['None', null],
    ['-5', -5],
    ['- 5', -5],
    ['1_000', 1000],
    ['0x1f', 31],
    ['0o17', 15],
    ['1e3', 1000],
    ['.5', 0.5],
    ['"a"', 'a'],
    ["'a' 'b'", 'ab'],
    ["r'\\d'", '\\d'],
    ["'\\x41\\n'", 'A\n'],
    ["[1, 'x', [None]]", [1, 'x', [null]]],
    ["{'a': {'b': True}}", { a: { b: true } }],
    ['(1, 2)', [1, 2]],
    ['(1)', 1],
    ['1, 2', [1, 2]],
    ['5 # five', 5],
    ['  7', 7],
  ])('%s is a literal', (text, expected) => {
    expect(readPythonValue(text)).toEqual(expected);
  });

  it.each([
    '0755',
    '1.2.3',
    'true',
    'yes',
    'a b',
    '--5',
    '1+1',
    '1-2',
    '[1, 2',
    "'open",
    'x # y',
    '{{ x }}',
    '',
    '5m',
    '12345678901234567890',
    `${'['.repeat(500)}`,
  ])('%s is text', (text) => {
    expect(readPythonValue(text)).toBe(text);
  });

  it('never reaches a prototype', () => {
    const value = readPythonValue("{'__proto__': {'polluted': True}}") as Record<string, unknown>;

    expect(Object.hasOwn(value, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
