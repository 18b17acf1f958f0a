import { expect, it } from 'vitest';
import { runResult, stepResult } from '../../test/support/results.js';
import type { StepResult } from '../result/result.schema.js';
import { groupResults } from './groups.js';

/** The hosts of each group, where web1 and web2 differ in what was printed. */
function groupsOf(step: Partial<StepResult>): readonly (readonly string[])[] {
  const hosts = ['web1', 'web2'].map((name, index) => ({
    name,
    steps: [stepResult({ ...step, evidence: { exitStatus: 0, stdout: `self\t${index}\n` } })],
  }));
  return groupResults(runResult(hosts)).map((group) => group.hosts);
}

it('puts hosts together that differ only in what a probe printed for opsctl', () => {
  expect(groupsOf({ outcome: 'failed', summary: 'nginx does not run' })).toEqual([['web1', 'web2']]);
});

it.each([
  ['a command', { outcome: 'ok', uses: 'run.command' }],
  ['a command that is a check', { outcome: 'failed', uses: 'check.command' }],
  ['a probe that was not understood', { outcome: 'unknown', reason: 'unreadable-output' }],
] as const)('keeps hosts apart by what %s printed', (_, step) => {
  expect(groupsOf(step)).toEqual([['web1'], ['web2']]);
});
