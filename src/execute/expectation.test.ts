import { expect, it } from 'vitest';
import type { Attempt } from './attempt.js';
import { asExpected } from './expectation.js';

const failing = { expectsFailure: true };

function attempt(outcome: Attempt['outcome']): Attempt {
  const finding = { id: 'open', severity: 'high', subject: 'port 23', detail: 'listens' } as const;
  const metrics = [{ name: 'time', value: 0.1, unit: 'seconds' as const }];
  return { outcome, reason: 'why', summary: 'what it saw', metrics, findings: [finding] };
}

it('makes an expected failure ok, with its numbers, and its findings for information', () => {
  expect(asExpected(failing, attempt('failed'))).toEqual({
    ...attempt('failed'),
    outcome: 'ok',
    reason: 'ok',
    summary: 'as expected: what it saw',
    findings: [{ ...attempt('failed').findings?.[0], severity: 'info' }],
  });
});

it('makes a success failed, and leaves what proves neither', () => {
  expect(asExpected(failing, attempt('ok'))).toMatchObject({ outcome: 'failed', reason: 'expected-failure' });
  expect(asExpected(failing, attempt('warning'))).toMatchObject({ outcome: 'warning', reason: 'why' });
  for (const outcome of ['unknown', 'unreachable', 'refused', 'skipped'] as const)
    expect(asExpected(failing, attempt(outcome))).toEqual(attempt(outcome));
});

it('touches nothing where no failure is expected', () => {
  expect(asExpected({ expectsFailure: false }, attempt('failed'))).toEqual(attempt('failed'));
});
