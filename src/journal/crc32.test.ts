import { crc32 as crc32OfNode } from 'node:zlib';
import { expect, it } from 'vitest';
import { crc32 } from './crc32.js';

it('gives the checksum that the standard names', () => {
  expect(crc32('123456789')).toBe(0xcbf43926);
  expect(crc32('')).toBe(0);
  expect(crc32('größe')).toBe(crc32OfNode('größe'));
});
