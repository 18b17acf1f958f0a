import { describe, expect, it } from 'vitest';
import { runResult, stepResult as sample } from '../../test/support/results.js';
import { compareHost, compareStep, type LastStates, noLastStates, updateLast } from './last.js';
import type { Finding, Outcome, RunResult, StepResult } from './result.schema.js';

const days = ['2026-06-01', '2026-06-02', '2026-06-03', '2026-06-04', '2026-06-05', '2026-06-06'];
const at = (day: number) => `${days[day]}T04:00:00.000Z`;
const finding = (id: string, subject = '/'): Finding => ({
  ...{ id, subject, severity: 'high', detail: 'full', fingerprint: `${id}:${subject}` },
});
const step = (outcome: Outcome, more: Partial<StepResult> = {}) => sample({ outcome, ...more });

/** One run a day, each compared with the one before. */
function runs(
  list: readonly (StepResult | 'unreachable' | 'left out')[],
  { hardAfter = 1, whole = true }: { readonly hardAfter?: number; readonly whole?: boolean } = {},
): readonly StepResult[] {
  let last: LastStates = noLastStates;
  const seen: StepResult[] = [];
  for (const [day, result] of list.entries()) {
    const host = last.hosts.web1;
    const reason = 'connect-timeout';
    const own = result === 'left out' ? [] : [result === 'unreachable' ? step('unreachable', { reason }) : result];
    const compared = own.map((each) => compareStep(each, host, { at: at(day), hardAfter }));
    seen.push(...compared);
    const trouble = { outcome: 'unreachable' as const, reason, summary: reason };
    last = updateLast(
      last,
      runResult([{ name: 'web1', steps: compared, ...(result === 'unreachable' && { trouble }) }], {
        id: `run-${day}`,
        startedAt: at(day),
      }),
      { whole },
    );
  }
  return seen;
}

const changes = (list: readonly StepResult[]) =>
  list.map(({ change, since }) => (change ? `${change} ${since?.slice(0, 10)}` : ''));

describe('a result beside that of the last run', () => {
  it('is new, still there since then, and fixed', () => {
    const seen = runs([step('ok'), step('failed'), step('failed'), step('ok'), step('ok'), step('failed')]);

    expect(changes(seen)).toEqual(['', 'new 2026-06-02', 'still 2026-06-02', 'fixed 2026-06-04', '', 'new 2026-06-06']);
  });

  it('is not called new in a first run, and is old in the second', () => {
    expect(changes(runs([step('failed'), step('failed')]))).toEqual(['', 'still 2026-06-01']);
  });

  it('is new when it got worse, and still there when it got better', () => {
    const seen = runs([step('ok'), step('warning'), step('failed'), step('warning'), step('unknown'), step('failed')]);

    expect(changes(seen)).toEqual([
      ...['', 'new 2026-06-02', 'new 2026-06-03', 'still 2026-06-03', 'new 2026-06-05', 'new 2026-06-06'],
    ]);
  });

  it('is compared with what was last seen: neither a skipped step nor a lost host hides it', () => {
    const seen = runs([step('ok'), step('failed'), step('skipped'), 'unreachable', step('failed')]);

    expect(changes(seen)).toEqual(['', 'new 2026-06-02', '', 'new 2026-06-04', 'still 2026-06-02']);
  });

  it('is still out of reach when the reason is another one', () => {
    const lost = (reason: string) => step('unreachable', { reason });
    const last = (reason: string) =>
      updateLast(
        noLastStates,
        runResult([{ name: 'web1', steps: [], trouble: { outcome: 'unreachable', reason, summary: '' } }], {
          startedAt: at(0),
        }),
        { whole: true },
      ).hosts.web1;
    const compared = (now: string, before: string) =>
      compareStep(lost(now), last(before), { at: at(1), hardAfter: 1 }).change;

    expect(compared('connect-refused', 'connect-timeout')).toBe('still');
    // What is behind another host is told so when all hosts are known.
    expect(compared('connect-timeout', 'parent-down')).toBe('still');
    expect(compareStep(step('unknown'), last('timeout'), { at: at(1), hardAfter: 1 }).change).toBe('new');
  });

  it('is new when another step has taken the place, or the id, of one that failed', () => {
    const bad = (more: Partial<StepResult>) => step('failed', { uses: 'check.file', ...more });
    const moved = runs([bad({ step: '1', name: 'check.file /a' }), bad({ step: '1', name: 'check.file /b' })]);
    const renamed = runs([bad({ step: 'files', name: 'A' }), bad({ step: 'files', name: 'B' })]);
    const other = runs([bad({ step: 'files' }), bad({ step: 'files', uses: 'check.mount' })]);

    expect(changes(moved)).toEqual(['', 'new 2026-06-02']);
    expect(changes(renamed)).toEqual(['', 'still 2026-06-01']);
    expect(changes(other)).toEqual(['', 'new 2026-06-02']);
  });

  it('is as good as fixed when it was rescued', () => {
    expect(changes(runs([step('failed'), step('failed', { rescued: true })]))).toEqual(['', 'fixed 2026-06-02']);
  });

  it('knows a step that is new in the runbook, and forgets one that is gone', () => {
    const other = step('failed', { step: 'other' });

    expect(changes(runs([step('ok'), other]))).toEqual(['', 'new 2026-06-02']);
    expect(changes(runs([step('failed'), other, step('failed')]))[2]).toBe('new 2026-06-03');
    expect(changes(runs([step('failed'), other, step('failed')], { whole: false }))[2]).toBe('still 2026-06-01');
  });

  it('tells the findings of a step apart', () => {
    const [, second, third] = runs([
      step('failed', { findings: [finding('a'), finding('b')] }),
      step('failed', { findings: [finding('a'), finding('b', '/var')] }),
      step('ok'),
    ]);

    expect(second?.findings.map(({ change, since }) => [change, since])).toEqual([
      ['still', at(0)],
      ['new', at(1)],
    ]);
    expect(second?.gone).toEqual([{ id: 'b', subject: '/', since: at(0) }]);
    expect(third?.gone?.map(({ subject }) => subject)).toEqual(['/', '/var']);
  });

  it('does not take what could not be told for fixed', () => {
    const [, unknown, again] = runs([
      step('failed', { findings: [finding('a')] }),
      step('unknown'),
      step('failed', { findings: [finding('a')] }),
    ]);

    expect(unknown?.gone).toBeUndefined();
    expect(again?.findings[0]).toMatchObject({ change: 'still', since: at(0) });
  });

  it('says nothing of findings that are too many to be kept', () => {
    const many = Array.from({ length: 501 }, (_, index) => finding(`f${index}`));
    const [, second] = runs([step('failed', { findings: many }), step('failed', { findings: [finding('a')] })]);

    expect(second?.findings[0]).not.toHaveProperty('change');
    expect(second?.gone).toBeUndefined();
  });
});

describe('a host that could not be worked on', () => {
  const lost = { outcome: 'unreachable', reason: 'connect-timeout' } as const;
  const whole = (outcome: Outcome, day: number, reason?: string): RunResult => {
    const trouble = { outcome, reason: reason ?? '', summary: '' };
    return runResult([{ name: 'web1', ...(reason !== undefined && { trouble }) }], {
      id: `${day}`,
      startedAt: at(day),
    });
  };

  it('is new, still lost since then, and back', () => {
    const before = updateLast(noLastStates, whole('ok', 0), { whole: true });
    const after = updateLast(before, whole('unreachable', 1, lost.reason), { whole: true });

    expect(compareHost(lost, undefined, at(1))).toEqual({});
    expect(compareHost(lost, before.hosts.web1, at(1))).toEqual({ change: 'new', since: at(1) });
    expect(compareHost(lost, after.hosts.web1, at(2))).toEqual({ change: 'still', since: at(1) });
    expect(compareHost({ outcome: 'ok' }, after.hosts.web1, at(2))).toEqual({ change: 'fixed', since: at(2) });
  });
});

describe('a step that counts after three runs in a row', () => {
  const soft = (list: readonly StepResult[]) => list.map((each) => each.soft?.run);

  it('is soft before that, from its first run on, and begins anew when it was good', () => {
    const seen = runs([step('failed'), step('unknown'), step('failed'), step('failed'), step('ok'), step('failed')], {
      hardAfter: 3,
    });

    expect(soft(seen)).toEqual([1, 2, undefined, undefined, undefined, 1]);
    expect(changes(seen)[2]).toMatch(/^new/);
    expect(changes(seen)[3]).toMatch(/^still/);
  });

  it('counts at once where the host was lost or refused, and where it was waived', () => {
    const waived = { owner: 'anna', reason: 'known', expires: '2026-12-31' };

    expect(soft(runs([step('refused'), step('failed', { waived })], { hardAfter: 3 }))).toEqual([undefined, undefined]);
    expect(soft(runs(['unreachable'], { hardAfter: 3 }))).toEqual([undefined]);
    expect(changes(runs(['unreachable', 'unreachable'], { hardAfter: 3 }))[1]).toMatch(/^still/);
  });
});

describe('what is kept', () => {
  const of = (day: number, ...names: string[]) =>
    runResult(
      names.map((name) => ({ name, steps: [step('failed')] })),
      { id: `run-${day}`, startedAt: at(day) },
    );

  it('keeps the hosts that a run did not see', () => {
    const last = updateLast(updateLast(noLastStates, of(0, 'a', 'b'), { whole: true }), of(1, 'b'), { whole: true });

    expect(
      Object.values(last.hosts)
        .map(({ run }) => run)
        .sort(),
    ).toEqual(['run-0', 'run-1']);
  });

  it('forgets a host after 400 days', () => {
    const old = updateLast(noLastStates, of(0, 'a'), { whole: true });
    const late = { ...of(1, 'b'), run: { ...of(1, 'b').run, startedAt: '2028-01-01T00:00:00.000Z' } };

    expect(Object.keys(updateLast(old, late, { whole: true }).hosts)).toEqual(['b']);
  });

  it('counts a run that was resumed once', () => {
    const once = updateLast(noLastStates, of(0, 'a'), { whole: true });

    expect(updateLast(once, of(0, 'a'), { whole: true })).toEqual(once);
  });

  it('stays small, and no slower than its size, for 500 hosts with ten steps each', () => {
    const steps = Array.from({ length: 10 }, (_, index) => step(index === 0 ? 'failed' : 'ok', { step: `s${index}` }));
    const all = runResult(Array.from({ length: 500 }, (_, index) => ({ name: `web${index}`, steps })));
    const started = performance.now();

    const text = JSON.stringify(updateLast(updateLast(noLastStates, all, { whole: true }), all, { whole: true }));

    expect(performance.now() - started).toBeLessThan(20_000);
    expect(text.length).toBeLessThan(600_000);
  });
});
