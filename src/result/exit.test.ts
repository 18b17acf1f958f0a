import { describe, expect, it } from 'vitest';
import { exitCode } from '../errors.js';
import { decideExit } from './exit.js';
import type { HostResult, Outcome, StepResult } from './result.schema.js';

const step = (outcome: Outcome, more: Partial<StepResult> = {}): StepResult => ({
  step: outcome,
  name: outcome,
  uses: 'run.command',
  outcome,
  reason: outcome,
  summary: '',
  metrics: [],
  findings: [],
  startedAt: '2026-01-02T03:04:05Z',
  duration: 0,
  attempts: 1,
  ...more,
});
const host = (name: string, outcome: Outcome, ...steps: StepResult[]): HostResult => ({
  name,
  address: name,
  transport: 'ssh',
  outcome,
  steps,
});
const good = host('good', 'ok', step('ok'));

/** Everything that can decide, severest first: the published order. */
const causes = [
  { code: 74, stopped: 'output' },
  { code: 130, stopped: 'SIGINT' },
  { code: 143, stopped: 'SIGTERM' },
  { code: 129, stopped: 'SIGHUP' },
  { code: 5, host: host('a', 'refused', step('refused')) },
  { code: 3, host: host('b', 'unknown', step('unknown')) },
  { code: 1, host: host('c', 'failed', step('failed')) },
  { code: 4, host: host('d', 'unreachable', step('unreachable')) },
  { code: 124, stopped: 'deadline' },
  { code: 75, host: host('e', 'skipped', step('skipped', { reason: 'locked' })) },
] as const satisfies readonly { code: number; stopped?: string; host?: HostResult }[];

describe('the exit code of a run', () => {
  it('is that of the severest cause, for every set of causes', () => {
    let sets = 0;
    for (let bits = 0; bits < 2 ** causes.length; bits += 1) {
      const set = causes.filter((_, index) => bits & (1 << index));
      const stops = set.flatMap((cause) => ('stopped' in cause ? [cause.stopped] : []));
      if (stops.length > 1) continue;
      const hosts = set.flatMap((cause) => ('host' in cause ? [cause.host] : []));
      const exit = decideExit([good, ...hosts], stops[0]);

      expect(exit.code).toBe(set[0]?.code ?? 0);
      expect(exit.reasons.map(({ code }) => code)).toEqual(set.map(({ code }) => code));
      sets += 1;
    }
    expect(sets).toBe(6 * 2 ** 5);
  });

  it('never gets used to a host that is not to be trusted', () => {
    const still = { change: 'still', since: '2026-01-01T00:00:00Z' } as const;
    const refused = { ...host('a', 'refused', step('refused', still)), reason: 'host-key-mismatch', ...still };

    expect(decideExit([good, refused], undefined, 'new').code).toBe(5);
    expect(decideExit([good, host('b', 'failed', step('failed', still))], undefined, 'new').code).toBe(0);
  });

  it('counts the hosts of each reason', () => {
    const exit = decideExit(
      [
        host('a', 'failed', step('failed'), step('failed')),
        host('b', 'unknown', step('failed'), step('unknown')),
        good,
      ],
      undefined,
    );

    expect(exit.reasons).toEqual([
      { code: 3, reason: 'unknown', hosts: 1 },
      { code: 1, reason: 'failed', hosts: 2 },
    ]);
  });

  it('takes the outcome of a host without steps for a reason', () => {
    expect(decideExit([good, host('lost', 'unreachable')], undefined).code).toBe(exitCode.unreachable);
    expect(decideExit([good, host('cut', 'unknown')], undefined).code).toBe(exitCode.unknown);
  });

  it('forgives what was rescued, when something was proven', () => {
    const rescued = host('a', 'ok', step('failed', { rescued: true }), step('ok'));

    expect(decideExit([rescued], undefined).code).toBe(exitCode.ok);
    expect(decideExit([host('a', 'skipped', step('failed', { rescued: true }))], undefined).code).toBe(
      exitCode.unknown,
    );
  });

  it('is unknown when nothing was proven', () => {
    for (const hosts of [[], [host('a', 'skipped', step('skipped'))], [host('a', 'skipped')]]) {
      expect(decideExit(hosts, undefined)).toEqual({
        code: exitCode.unknown,
        reasons: [{ code: exitCode.unknown, reason: 'nothing-proven', hosts: hosts.length }],
      });
    }
  });

  it('forgives warnings unless told not to', () => {
    const warned = host('a', 'warning', step('warning'));

    expect(decideExit([warned], undefined).code).toBe(exitCode.ok);
    expect(decideExit([warned], undefined, 'warning')).toEqual({
      code: exitCode.failed,
      reasons: [{ code: exitCode.failed, reason: 'warning', hosts: 1 }],
    });
    expect(decideExit([warned, host('b', 'unknown', step('unknown'))], undefined, 'warning').code).toBe(
      exitCode.unknown,
    );
    expect(decideExit([good], undefined, 'warning').code).toBe(exitCode.ok);
  });

  it('counts neither what is waived nor what is soft, and takes a failure that is for proof', () => {
    const waived = { owner: 'anna', reason: 'known', expires: '2026-12-31' };
    const soft = { run: 1, of: 3 };

    for (const more of [{ waived }, { soft }]) {
      expect(decideExit([host('a', 'skipped', step('failed', more))], undefined).code).toBe(exitCode.ok);
      expect(decideExit([host('a', 'skipped', step('unknown', more))], undefined).reasons[0]?.reason).toBe(
        'nothing-proven',
      );
      expect(decideExit([host('a', 'ok', step('ok'), step('warning', more))], undefined, 'warning').code).toBe(0);
    }
  });

  it('counts only what is new when told so, but never proves anything by what is unknown', () => {
    const lost = (change: 'new' | 'still'): HostResult => ({
      ...host('a', 'unreachable', step('unreachable', { reason: 'timeout', change })),
      ...{ reason: 'timeout', change },
    });

    const code = (...hosts: HostResult[]) => decideExit(hosts, undefined, 'new').code;
    expect(code(host('a', 'failed', step('failed', { change: 'new' })))).toBe(exitCode.failed);
    expect(code(host('a', 'failed', step('failed', { change: 'still' })))).toBe(exitCode.ok);
    expect(code(host('a', 'failed', step('failed')))).toBe(exitCode.failed);
    expect(code(good, lost('new'))).toBe(exitCode.unreachable);
    expect(code(good, lost('still'))).toBe(exitCode.ok);
    expect(code(lost('still'))).toBe(exitCode.unknown);
    expect(code(host('a', 'unknown', step('unknown', { change: 'still' })))).toBe(exitCode.unknown);
    expect(code(good, host('cut', 'unknown', step('ok')))).toBe(exitCode.unknown);
  });

  it('counts a new finding of an old failure, and a failure whose waiver expired, as new', () => {
    const waiver = { owner: 'anna', reason: 'known', expires: '2026-01-01' };
    const found = { id: 'a', subject: '/', severity: 'high', detail: '', fingerprint: 'a', change: 'new' } as const;
    const code = (more: Partial<StepResult>) =>
      decideExit([host('a', 'failed', step('failed', { change: 'still', ...more }))], undefined, 'new').code;

    expect(code({ findings: [found] })).toBe(exitCode.failed);
    expect(code({ findings: [{ ...found, waived: waiver }] })).toBe(exitCode.ok);
    expect(code({ waiverExpired: waiver })).toBe(exitCode.failed);
  });

  it('has a reason of its own for too few results', () => {
    const few = { ...host('a', 'unknown', step('ok')), reason: 'too-few-results' };

    expect(decideExit([few, good], undefined)).toEqual({
      code: exitCode.unknown,
      reasons: [{ code: exitCode.unknown, reason: 'too-few-results', hosts: 1 }],
    });
  });

  it('is a bug for a stop that nobody knows', () => {
    expect(decideExit([good], 'SIGWINCH').code).toBe(exitCode.bug);
  });
});
