import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepResult } from '../../test/support/results.js';
import type { RunEvent } from '../execute/events.js';
import type { FailOn } from './exit.js';
import { startFold, worstOutcome } from './fold.js';
import { type JudgeOptions, startJudge } from './judge.js';
import { type LastStates, noLastStates, updateLast } from './last.js';
import { outcomes, type RunResult, type StepResult } from './result.schema.js';
import { expiryOf, type WaiverRule } from './waivers.js';

/** Whatever is waived, soft, covered or old news, together: what must hold of every run. */

interface Run {
  readonly steps: readonly Pick<StepResult, 'outcome' | 'rescued' | 'covered'>[];
  /** Places of the steps that a waiver accepts, also where they cannot be told. */
  readonly waived: readonly number[];
  readonly hardAfter: number;
  /** The first steps are members of a group with this outcome. */
  readonly group: StepResult['outcome'] | undefined;
  readonly lost: boolean;
}

const bad: readonly string[] = ['failed', 'unknown', 'unreachable', 'refused'];

const step = fc
  .record({ outcome: fc.constantFrom(...outcomes), covered: fc.boolean() })
  .map(({ outcome, covered }) => ({
    outcome,
    // Only what is bad is covered by its group.
    ...(covered && [...bad, 'warning'].includes(outcome) && { rescued: true, covered: true }),
  }));
const run: fc.Arbitrary<Run> = fc.record({
  steps: fc.array(step, { maxLength: 4 }),
  waived: fc.subarray([0, 1, 2, 3]),
  hardAfter: fc.integer({ min: 1, max: 3 }),
  group: fc.option(fc.constantFrom('ok', 'warning', 'failed', 'unknown', 'skipped'), { nil: undefined }),
  lost: fc.boolean(),
});
const failOn: fc.Arbitrary<FailOn> = fc.constantFrom('failed', 'warning', 'new');

const waiver = { owner: 'anna', reason: 'known', expires: '2026-12-31' };
const accepts = (place: number): WaiverRule => ({
  ...{ waiver, ends: expiryOf(waiver.expires) as number, hosts: new Set(['web1']), title: '', place: '' },
  matchesStep: (name) => name === `s${place}`,
  reasonCodes: new Set(outcomes),
});

function resultOf(
  { steps, waived, hardAfter, group, lost }: Run,
  { day = 1, last = noLastStates, fails = 'failed' as FailOn } = {},
): RunResult {
  const at = `2026-06-0${day}T04:00:00.000Z`;
  const options: JudgeOptions = {
    ...{ run: `r${day}`, now: new Date(at), last, waivers: waived.map(accepts), hardAfter: () => hardAfter },
    membersOf: new Map([['g', new Set(['s0', 's1'])]]),
  };
  const judge = startJudge(options);
  const fold = startFold();
  const tell = (event: RunEvent) => fold.add(judge.judge(event));
  const own = steps.map((one, index) => stepResult({ step: `s${index}`, reason: one.outcome, ...one }));
  const verdict = group === undefined ? [] : [stepResult({ step: 'g', outcome: group, reason: group })];
  const results = [...own, ...verdict];
  const worst = worstOutcome(results.filter(({ rescued }) => !rescued).map(({ outcome }) => outcome));
  tell({
    ...{ type: 'run-start', at, run: { id: `r${day}`, runbook: 'R', mode: 'run', startedAt: at, version: '1' } },
    hosts: [{ name: 'web1', address: 'web1', transport: 'ssh', steps: results.length }],
  });
  for (const result of results) tell({ type: 'step-end', at, host: 'web1', result });
  // A host is lost where its worst step says why.
  const trouble = lost && ['unreachable', 'refused'].includes(worst) ? { reason: worst, summary: worst } : {};
  tell({ type: 'host-end', at, host: 'web1', outcome: worst, ...trouble });
  tell({ type: 'run-end', at, duration: 1 });
  return fold.result({ failOn: fails });
}

const nothing = { waived: [], hardAfter: 1 };

describe('the exit code, of whatever is excused', () => {
  it('is never 0 where nothing is known', () => {
    fc.assert(
      fc.property(run, failOn, fc.option(run), (one, fails, before) => {
        const last = before ? updateLast(noLastStates, resultOf(before), { whole: true }) : noLastStates;
        const { exit, hosts } = resultOf(one, { day: 2, last, fails });
        const known = hosts[0]?.steps.some(({ outcome }) => ['ok', 'changed', 'warning', 'failed'].includes(outcome));

        if (!known) expect(exit.code).not.toBe(0);
      }),
    );
  });

  it('is 0 of a run that counts it all only where nothing was bad', () => {
    fc.assert(
      fc.property(run, (one) => {
        const { exit, hosts } = resultOf({ ...one, ...nothing });

        if (exit.code === 0)
          for (const { outcome, rescued } of hosts[0]?.steps ?? [])
            expect(bad.includes(outcome) && !rescued).toBe(false);
      }),
    );
  });

  it('is made no worse by a waiver, a wait, or what is old news', () => {
    fc.assert(
      fc.property(run, fc.option(run), (one, before) => {
        const last = before ? updateLast(noLastStates, resultOf(before), { whole: true }) : noLastStates;
        const counted = resultOf({ ...one, ...nothing }, { day: 2, last });
        const excused = resultOf(one, { day: 2, last });
        const news = resultOf(one, { day: 2, last, fails: 'new' });
        const reasons = ({ exit }: RunResult) => exit.reasons.map(({ reason }) => reason);

        for (const reason of [...reasons(excused), ...reasons(news)])
          expect([...reasons(counted), 'nothing-proven']).toContain(reason);
      }),
    );
  });

  it('never turns what is unknown into something good, nor anything that no entry accepts', () => {
    fc.assert(
      fc.property(run, failOn, (one, fails) => {
        const { exit, hosts } = resultOf(one, { fails });
        const steps = hosts[0]?.steps ?? [];

        for (const [index, { outcome }] of one.steps.entries()) expect(steps[index]?.outcome).toBe(outcome);
        const open = steps.filter(
          ({ outcome, rescued, waived, soft }) => bad.includes(outcome) && !rescued && !waived && !soft,
        );
        // Of a first run everything counts.
        if (open.length > 0) expect(exit.code).not.toBe(0);
        for (const { step: key, waived } of steps)
          if (waived && key !== 'g') expect(one.waived).toContain(Number(key.slice(1)));
      }),
    );
  });

  it('counts what was bad often enough in a row, whatever it was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('failed', 'unknown', 'warning'), { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (list, hardAfter) => {
          let last: LastStates = noLastStates;
          const soft = list.map((outcome, index) => {
            const result = resultOf(
              { steps: [{ outcome }], waived: [], hardAfter, group: undefined, lost: false },
              { day: index + 1, last },
            );
            last = updateLast(last, result, { whole: true });
            return result.hosts[0]?.steps[0]?.soft !== undefined;
          });

          expect(soft).toEqual(list.map((_, index) => index + 1 < hardAfter));
        },
      ),
    );
  });
});
