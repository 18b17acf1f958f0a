import { expect, it } from 'vitest';
import type { Runbook } from './runbook.schema.js';
import { paramProblem, resolveParams } from './runbook-params.js';

const runbook = {
  name: 'x',
  hosts: 'all',
  sudo: false,
  steps: [],
  params: {
    classes: { type: 'array', default: ['security'], enum: ['security', 'all'] },
    days: { type: 'integer', minimum: 1, maximum: 30 },
    force: { type: 'boolean', default: false },
    note: { type: 'string', default: '' },
  },
} as unknown as Runbook;

it('reads texts of the command line as the type of the parameter', () => {
  expect(resolveParams(runbook, { days: '7', force: 'true', classes: 'security, all', note: '12' })).toEqual({
    ...{ days: 7, force: true, classes: ['security', 'all'], note: '12' },
  });
});

it('fills defaults in', () => {
  expect(resolveParams(runbook, { days: 7 })).toEqual({ days: 7, force: false, classes: ['security'], note: '' });
});

it('tells all that is wrong at once', () => {
  expect(() => resolveParams(runbook, { dayz: '1', force: 'yes', classes: 'secruity' })).toThrow(
    [
      'E_KEY_UNKNOWN the runbook has no parameter `dayz`; did you mean `days`?',
      'E_ENUM the parameter `classes` is one of security, all, got "secruity"; did you mean `security`?',
      'E_KEY_MISSING the runbook needs the parameter `days`; set it with `--param days=VALUE`',
      'E_TYPE the parameter `force` is true or false, got "yes"',
    ].join('\n'),
  );
});

it.each([
  [0, 'E_RANGE'],
  [31, 'E_RANGE'],
  [1.5, 'E_TYPE'],
  [7, undefined],
])('judges %s for a whole number from 1 to 30', (value, code) => {
  expect(paramProblem(value, { type: 'integer', minimum: 1, maximum: 30 })?.code).toBe(code);
});
