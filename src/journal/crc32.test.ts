import { expect, it } from 'vitest';
import { crc32, crc32InJavaScript } from './crc32.js';

it('gives the checksum that the standard names', () => {
  for (const crc of [crc32, crc32InJavaScript]) {
    expect(crc('123456789')).toBe(0xcbf43926);
    expect(crc('')).toBe(0);
    expect(crc('größe')).toBe(crc32InJavaScript('größe'));
  }
});
