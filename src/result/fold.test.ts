import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../execute/events.js';
import { startFold, worstOutcome } from './fold.js';
import { type Outcome, outcomes, type StepResult } from './result.schema.js';

const at = '2026-01-02T03:04:05.000Z';
const start: RunEvent = {
  type: 'run-start',
  at,
  run: { id: 'r1', runbook: 'Test', mode: 'run', startedAt: at, version: '1' },
  hosts: ['a', 'b'].map((name) => ({ name, address: name, transport: 'ssh', steps: 2 })),
  steps: ['first', 'second', 'third'],
};
const ended = (host: string, step: string, outcome: Outcome, more: Partial<StepResult> = {}): RunEvent => ({
  type: 'step-end',
  at,
  host,
  result: {
    step,
    name: step,
    uses: 'run.command',
    outcome,
    reason: outcome,
    summary: '',
    metrics: [],
    findings: [],
    startedAt: at,
    duration: 0,
    attempts: 1,
    ...more,
  },
});
const left = (host: string, outcome: Outcome, reason?: string): RunEvent => ({
  type: 'host-end',
  at,
  host,
  outcome,
  ...(reason !== undefined && { reason, summary: `because of ${reason}` }),
});
const end: RunEvent = { type: 'run-end', at: '2026-01-02T03:04:15.000Z', duration: 9.5 };

function fold(...events: RunEvent[]) {
  const folding = startFold();
  for (const event of events) folding.add(event);
  return folding.result();
}

describe('the result of a run', () => {
  it('has every host once, and its steps in the order of the runbook, whichever ended first', () => {
    const result = fold(
      start,
      ended('b', 'third', 'ok'),
      ended('b', 'first', 'ok'),
      { ...ended('b', 'second', 'ok', { item: 'y' }), index: 1 } as RunEvent,
      { ...ended('b', 'second', 'ok', { item: 'x' }), index: 0 } as RunEvent,
      left('b', 'ok'),
      left('a', 'unreachable', 'connect-refused'),
      end,
    );

    expect(result.hosts.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(result.hosts[1]?.steps.map(({ step, item }) => `${step} ${item ?? ''}`.trim())).toEqual([
      'first',
      'second x',
      'second y',
      'third',
    ]);
    expect(result.hosts[0]).toMatchObject({ outcome: 'unreachable', reason: 'connect-refused', steps: [] });
    expect(result.totals).toMatchObject({ ok: 4, failed: 0 });
    expect(result.run).toMatchObject({ finishedAt: '2026-01-02T03:04:15.000Z', duration: 9.5 });
    expect(result.exit.code).toBe(4);
  });

  it('knows what a resumed run has learned, and forgets why the host was lost', () => {
    const result = fold(
      start,
      ended('a', 'first', 'unknown'),
      ended('a', 'second', 'skipped', { reason: 'stopped' }),
      left('a', 'unknown', 'connection-lost'),
      ended('a', 'first', 'changed'),
      ended('a', 'second', 'ok', { item: 'x' }),
      left('a', 'changed'),
      ended('b', 'first', 'ok'),
      left('b', 'ok'),
      end,
    );

    expect(result.hosts[0]).not.toHaveProperty('reason');
    expect(result.hosts[0]).not.toHaveProperty('summary');
    expect(result.hosts[0]?.outcome).toBe('changed');
    expect(result.hosts[0]?.steps.map(({ step, item, outcome }) => [step, item, outcome])).toEqual([
      ['first', undefined, 'changed'],
      ['second', 'x', 'ok'],
    ]);
    expect(result.exit.code).toBe(0);
  });

  it('calls a host that was not seen to end unknown', () => {
    const result = fold(start, ended('a', 'first', 'ok'), left('b', 'ok'));

    expect(result.hosts.map(({ outcome }) => outcome)).toEqual(['unknown', 'ok']);
    expect(result.exit.code).toBe(3);
  });

  it('does not count what was rescued against the host', () => {
    const result = fold(
      start,
      ended('a', 'first', 'failed'),
      ended('a', 'second', 'ok'),
      ended('a', 'first', 'failed', { rescued: true }),
      left('a', 'ok'),
      left('b', 'skipped'),
      end,
    );

    expect(result.hosts[0]?.outcome).toBe('ok');
    expect(result.exit.code).toBe(0);
  });

  it('carries warnings and why the run stopped', () => {
    const result = fold(start, { type: 'warning', at, message: 'few files' }, left('a', 'ok'), left('b', 'ok'), {
      ...end,
      stopped: 'deadline',
    });

    expect(result.warnings).toEqual(['few files']);
    expect(result.run.stopped).toBe('deadline');
    expect(result.exit).toEqual({ code: 124, reasons: [{ code: 124, reason: 'deadline', hosts: 2 }] });
  });

  it('is as bad as the worst of it, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...outcomes)), (list) => {
        const worst = worstOutcome(list);
        expect(worstOutcome([...list].reverse())).toBe(worst);
        expect(worstOutcome([...list, worst])).toBe(worst);
        expect(list.length === 0 ? worst : list).toContain(list.length === 0 ? 'skipped' : worst);
        if (list.some((outcome) => !['ok', 'changed', 'warning', 'skipped'].includes(outcome)))
          expect(['ok', 'changed', 'warning', 'skipped']).not.toContain(worst);
      }),
    );
  });
});
