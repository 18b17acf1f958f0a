import { describe, expect, it } from 'vitest';
import { runResult, stepResult } from '../../test/support/results.js';
import type { RunEvent } from '../execute/events.js';
import { type JudgeOptions, startJudge } from './judge.js';
import { noLastStates, updateLast } from './last.js';
import type { StepResult } from './result.schema.js';
import { expiryOf, type WaiverRule } from './waivers.js';

const at = '2026-06-15T12:00:00.000Z';
const waiver = { owner: 'anna', reason: 'known', expires: '2026-12-31' };
const rule: WaiverRule = {
  ...{ waiver, ends: expiryOf(waiver.expires) as number, hosts: new Set(['web1']), title: 'all', place: 'w:1' },
  matchesStep: () => true,
};

/** The end of a host after these steps. */
function ended(
  steps: readonly StepResult[],
  options: Partial<JudgeOptions> = {},
  end: Partial<Extract<RunEvent, { type: 'host-end' }>> = {},
): RunEvent {
  const judge = startJudge({
    ...{ run: 'r1', now: new Date(at), waivers: [], last: noLastStates, hardAfter: () => 1 },
    ...options,
  });
  for (const result of steps) judge.judge({ type: 'step-end', at, host: 'web1', result });
  return judge.judge({ type: 'host-end', at, host: 'web1', outcome: 'failed', ...end });
}

describe('the outcome of a host', () => {
  it('is that of the results that count', () => {
    const steps = [stepResult(), stepResult({ step: 'other', outcome: 'failed' })];

    expect(ended(steps)).toMatchObject({ outcome: 'failed' });
    expect(ended(steps, { waivers: [rule] })).toMatchObject({ outcome: 'ok' });
    expect(ended(steps, { hardAfter: () => 2 })).toMatchObject({ outcome: 'ok' });
    expect(ended([stepResult({ outcome: 'failed' })], { waivers: [rule] })).toMatchObject({ outcome: 'skipped' });
  });

  it('stays what it is where the host was lost, unless the waiver names the reason', () => {
    const lost = { outcome: 'unreachable', reason: 'connect-timeout', summary: 'no answer' } as const;
    const steps = [stepResult(lost)];
    const named = { ...rule, reasonCodes: new Set([lost.reason]) };

    expect(ended(steps, { waivers: [rule] }, lost)).toMatchObject({ outcome: 'unreachable' });
    expect(ended(steps, { waivers: [rule] }, lost)).not.toHaveProperty('waived');
    expect(ended(steps, { waivers: [named] }, lost)).toMatchObject({ outcome: 'skipped', waived: waiver });
  });

  it('is compared with what was lost before, whether that was waived or not', () => {
    const lost = { outcome: 'unreachable', reason: 'connect-timeout', summary: 'no answer' } as const;
    const named = { ...rule, reasonCodes: new Set([lost.reason]) };
    const waived = { ...lost, outcome: 'skipped' as const, waived: waiver };
    const before = [lost, waived].map((host) => {
      const result = runResult([
        { name: 'web1', steps: [stepResult({ ...lost, ...('waived' in host && { waived: waiver }) })] },
      ]);
      const hosts = result.hosts.map((each) => ({ ...each, ...host }));
      return updateLast(noLastStates, { ...result, hosts }, { whole: true });
    });

    for (const last of before)
      for (const waivers of [[], [named]])
        expect(ended([stepResult(lost)], { waivers, last }, lost)).toMatchObject({ change: 'still' });
  });
});

describe('the verdict on a group', () => {
  const until = (step: string, expires: string, reasonCodes?: readonly string[]): WaiverRule => ({
    ...{ waiver: { ...waiver, expires }, ends: expiryOf(expires) as number, hosts: rule.hosts, title: step, place: '' },
    matchesStep: (name) => name === step,
    ...(reasonCodes && { reasonCodes: new Set(reasonCodes) }),
  });
  const [a, b] = [until('a', '2026-12-31'), until('b', '2026-11-30')];
  const failed = (step: string) => stepResult({ step, outcome: 'failed' });
  const unknown = stepResult({ step: 'b', outcome: 'unknown', reason: 'timeout' });

  /** What becomes of a group whose members are a, b and c. */
  const verdict = (
    members: readonly StepResult[],
    options: Partial<JudgeOptions>,
    group: Partial<StepResult> = {},
  ): StepResult => {
    const judge = startJudge({
      ...{ run: 'r1', now: new Date(at), waivers: [], last: noLastStates, hardAfter: () => 1 },
      membersOf: new Map([['g', new Set(['a', 'b', 'c'])]]),
      ...options,
    });
    const tell = (result: StepResult) => judge.judge({ type: 'step-end', at, host: 'web1', result });
    for (const result of [failed('elsewhere'), ...members]) tell(result);
    const event = tell(
      stepResult({ step: 'g', uses: 'flow.group', outcome: 'failed', reason: 'too-few-ok', ...group }),
    );
    if (event.type !== 'step-end') throw new Error(event.type);
    return event.result;
  };

  it('is waived when all that is not well in it is, until the first of these waivers ends', () => {
    const members = [failed('a'), failed('b'), stepResult({ step: 'c' })];

    expect(verdict(members, { waivers: [a] })).not.toHaveProperty('waived');
    expect(verdict(members, { waivers: [a, b] })).toMatchObject({ outcome: 'failed', waived: b.waiver });
    expect(verdict([failed('a'), stepResult({ step: 'c' })], { waivers: [a] })).toMatchObject({ waived: a.waiver });
    expect(verdict(members, { waivers: [until('a', '2026-01-01'), b] })).not.toHaveProperty('waived');
  });

  it('is soft as long as one of them is that make it so', () => {
    const hardAfter = (step: string) => ({ a: 3, b: 2 })[step] ?? 1;
    const members = [failed('a'), failed('b')];

    expect(verdict(members, { hardAfter })).toMatchObject({ soft: { run: 1, of: 3 } });
    expect(verdict([...members, failed('c')], { hardAfter })).not.toHaveProperty('soft');
    expect(verdict(members, { hardAfter, waivers: [a] })).toMatchObject({ waived: a.waiver });
  });

  it('is not known where members are not, unless these are accepted as they are', () => {
    const group = { outcome: 'unknown', reason: 'members-unknown' } as const;
    const named = until('b', '2026-12-31', ['timeout']);
    const left = { data: { unknown: 2 } };
    const one = { data: { unknown: 1 } };

    expect(verdict([failed('a'), unknown], { waivers: [a, b] }, { ...group, ...one })).not.toHaveProperty('waived');
    expect(verdict([failed('a'), unknown], { waivers: [a, named] }, { ...group, ...one })).toHaveProperty('waived');
    expect(verdict([failed('a'), unknown], { waivers: [a, named] }, { ...group, ...left })).not.toHaveProperty(
      'waived',
    );
    expect(verdict([failed('a')], { waivers: [a] }, { ...group, ...one })).not.toHaveProperty('waived');
  });

  it('is told again of a run that is resumed', () => {
    const judge = startJudge({
      ...{ run: 'r1', now: new Date(at), waivers: [a], last: noLastStates, hardAfter: () => 1 },
      membersOf: new Map([['g', new Set(['a'])]]),
    });
    const tell = (result: StepResult) => judge.judge({ type: 'step-end', at, host: 'web1', result }, true);
    tell({ ...failed('a'), waived: waiver });

    expect(tell({ ...failed('g'), waived: waiver })).toMatchObject({ result: { waived: waiver } });
  });
});

describe('fewer results than expected', () => {
  const expected = (results: number, of?: number) => () => ({ results, ...(of !== undefined && { of }) });
  const skipped = stepResult({ step: 's', outcome: 'skipped', reason: 'condition' });
  const good = { outcome: 'ok' } as const;

  it('make the host unknown', () => {
    expect(ended([stepResult(), skipped], { expected: expected(2) }, good)).toMatchObject({
      outcome: 'unknown',
      reason: 'too-few-results',
      summary: 'only 1 of the expected 2 results',
    });
    expect(ended([stepResult(), skipped], { expected: expected(1) }, good)).not.toHaveProperty('reason');
  });

  it.each([
    ['ok', false],
    ['changed', false],
    ['warning', false],
    ['failed', false],
    ['skipped', true],
    ['unknown', true],
    ['unreachable', true],
    ['refused', true],
  ] as const)('are there when the only result is %s: %s', (outcome, few) => {
    const end = ended([stepResult({ outcome })], { expected: expected(1) }, { outcome });

    expect('reason' in end && end.reason === 'too-few-results').toBe(few);
  });

  it('name what the runbook asks for where tags left less', () => {
    expect(ended([skipped], { expected: expected(3, 40) }, good)).toMatchObject({
      summary: 'only 0 of the expected 3 results (the runbook expects 40, 3 were chosen by tags)',
    });
  });

  it('do not count what a dry run leaves out', () => {
    const left = stepResult({ step: 'c', outcome: 'skipped', reason: 'dry-run' });

    expect(ended([stepResult(), left], { expected: expected(2) }, good)).not.toHaveProperty('reason');
  });

  it('are not told of a host that was lost', () => {
    const lost = { outcome: 'unreachable', reason: 'connect-timeout' } as const;

    expect(ended([stepResult(lost)], { expected: expected(1) }, lost)).toMatchObject(lost);
  });
});

describe('a run that is resumed', () => {
  it('is not compared with its own first part', () => {
    const first = runResult([{ name: 'web1', steps: [stepResult({ outcome: 'failed' })] }], { id: 'r1' });
    const last = updateLast(noLastStates, first, { whole: true });
    const judge = startJudge({ run: 'r1', now: new Date(at), waivers: [], last, hardAfter: () => 1 });
    const event = {
      type: 'step-end',
      at,
      host: 'web1',
      result: stepResult({ outcome: 'failed', change: 'new' }),
    } as const;

    expect(judge.judge(event, true)).toMatchObject({ result: { change: 'new' } });
    expect(judge.judge(event)).not.toHaveProperty('result.change');
  });
});
