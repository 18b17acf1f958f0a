import { expect, it } from 'vitest';
import { runResult } from '../../test/support/results.js';
import { execText } from './exec.js';

function unreachable(name: string, address: string) {
  const summary = `${name} (${address}:22) refused the connection`;
  return { name, address, trouble: { outcome: 'unreachable' as const, reason: 'connect-refused', summary } };
}

it('shows once what keeps several hosts from answering', () => {
  const result = runResult([unreachable('db1', '10.0.0.1'), unreachable('db2', '10.0.0.2')]);

  expect(execText(result)).toBe('db[1-2]  (2)\n    unreachable: <host> (<address>:22) refused the connection\n');
});

it('names the one host that does not answer', () => {
  const result = runResult([unreachable('db1', '10.0.0.1')]);

  expect(execText(result)).toBe('db1  (1)\n    unreachable: db1 (10.0.0.1:22) refused the connection\n');
});
