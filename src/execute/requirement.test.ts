import { describe, expect, it } from 'vitest';
import type { Requirement } from '../plan/requirement.js';
import type { Outcome } from '../result/result.schema.js';
import { judgeRequirement, type MemberResult } from './requirement.js';

/** `outcome`, or `outcome reason`. */
function judge(require: Requirement, members: readonly string[], leftOut = 0) {
  const results = members.map((text, index): MemberResult => {
    const [outcome = 'ok', reason = outcome] = text.split(' ');
    return { name: `m${index}`, outcome: outcome as Outcome, reason, summary: `it is ${outcome}` };
  });
  const { outcome, reason, summary } = judgeRequirement(require, results, leftOut);
  return `${outcome} ${reason}: ${summary}`;
}

describe('the verdict on a group', () => {
  it('is failed only when what is unknown cannot save it', () => {
    expect(judge(2, ['ok', 'failed', 'unknown'])).toBe(
      'unknown members-unknown: 1 of 3 ok, 2 needed; failed: m1; unknown: m2',
    );
    expect(judge(3, ['ok', 'failed', 'unknown'])).toBe(
      'failed too-few-ok: 1 of 3 ok, 3 needed; failed: m1; unknown: m2',
    );
    expect(judge(1, ['changed', 'failed', 'unknown'])).toMatch(/^ok ok: /);
  });

  it('needs warnings only where there are too few without', () => {
    expect(judge('any', ['warning', 'ok'])).toMatch(/^ok ok: 2 of 2 ok, 1 needed/);
    expect(judge(2, ['warning', 'ok', 'failed'])).toMatch(/^warning warning: 2 of 3 ok, 2 needed/);
    expect(judge('all', ['warning', 'ok'])).toMatch(/^warning warning/);
    expect(judge(2, ['warning', 'failed'])).toMatch(/^failed too-few-ok: 1 of 2 ok, 2 needed/);
  });

  it('does not make more of a host out of reach than its steps do', () => {
    expect(judge('any', ['unreachable connect-refused', 'unreachable connect-refused'])).toBe(
      'unreachable connect-refused: it is unreachable',
    );
    expect(judge('all', ['ok', 'refused auth-failed'])).toBe('refused auth-failed: it is refused');
    expect(judge('any', ['unreachable', 'unknown'])).toMatch(/^unknown members-unknown/);
    expect(judge('any', ['unreachable', 'ok'])).toMatch(/^ok ok/);
  });

  it('leaves out what does not apply, and is open where a step was kept from running', () => {
    expect(judge('all', ['skipped not-applicable', 'ok'])).toMatch(/^ok ok: 1 of 1 ok/);
    expect(judge(2, ['skipped not-applicable', 'ok'])).toMatch(/^failed too-few-ok: 1 of 1 ok, 2 needed/);
    expect(judge('all', ['skipped blocked', 'ok'])).toMatch(/^skipped blocked: 1 of 2 ok, 2 needed/);
    expect(judge('all', ['skipped blocked', 'failed'])).toMatch(/^failed too-few-ok/);
    expect(judge('all', ['ok'], 1)).toBe('skipped not-chosen: 1 of 2 ok, 2 needed; 1 not chosen');
  });

  it('is never ok for nothing', () => {
    expect(judge('all', [])).toMatch(/^skipped not-applicable/);
    expect(judge('all', ['skipped condition', 'skipped not-applicable'])).toBe(
      'skipped not-applicable: none of its steps applies here',
    );
  });

  it('counts what rescue steps made good for, but not what another verdict covered before', () => {
    const failed = { name: 'm', outcome: 'failed', reason: 'x', summary: '' } as const;

    expect(judgeRequirement('all', [{ ...failed, rescued: true }]).outcome).toBe('ok');
    expect(judgeRequirement('all', [{ ...failed, rescued: true, covered: true }]).outcome).toBe('failed');
  });

  it('names the first few', () => {
    expect(judge('any', Array(7).fill('failed'))).toMatch(/; failed: m0, m1, m2, m3, m4 and 2 more$/);
  });
});
