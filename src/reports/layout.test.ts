import stringWidth from 'string-width';
import { expect, it } from 'vitest';
import { widthOf } from './layout.js';

it('counts the columns of every character as the library does', () => {
  const wrong: string[] = [];
  for (let code = 0x20; code < 0x3000; code++) {
    const text = `a${String.fromCodePoint(code)}`;
    if (widthOf(text) !== stringWidth(text)) wrong.push(code.toString(16));
  }

  expect(wrong).toEqual([]);
});

it.each([
  ['✔\ufe0f', 2],
  ['日本', 4],
  ['👩‍👩‍👧', 2],
  ['e\u0301', 1],
])('gives %s %i columns', (text, width) => {
  expect(widthOf(text)).toBe(width);
});
