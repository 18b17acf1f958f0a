import { expect, it } from 'vitest';
import { formatExit } from './figures.js';

it.each([
  [{ code: 1, reasons: [{ code: 1, reason: 'failed', hosts: 1 }] }, 'exit 1: failed on 1 host'],
  [
    {
      code: 130,
      reasons: [
        { code: 130, reason: 'SIGINT', hosts: 2 },
        { code: 3, reason: 'unknown', hosts: 2 },
      ],
    },
    'exit 130: stopped by SIGINT, unknown on 2 hosts',
  ],
  [{ code: 124, reasons: [{ code: 124, reason: 'deadline', hosts: 2 }] }, 'exit 124: the deadline passed'],
  [{ code: 0, reasons: [] }, 'exit 0'],
])('%j is told as %s', (exit, text) => {
  expect(formatExit(exit)).toBe(text);
});
