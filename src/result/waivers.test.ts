import { describe, expect, it } from 'vitest';
import type { Finding, Outcome, StepResult } from './result.schema.js';
import { expiryOf, startWaivers, type WaiverRule } from './waivers.js';

const now = Date.parse('2026-06-15T12:00:00Z');
const anna = { owner: 'anna', reason: 'new disks arrive', expires: '2026-12-31' };

function rule(changes: Partial<WaiverRule> & { readonly expires?: string } = {}): WaiverRule {
  const { expires = anna.expires, ...more } = changes;
  return {
    waiver: { ...anna, expires },
    ends: expiryOf(expires) as number,
    hosts: new Set(['web1', 'web2']),
    title: 'check.disk',
    place: 'waivers.yaml:2',
    ...(!more.matchesFinding && { matchesStep: (name) => name === 'check.disk' }),
    ...more,
  };
}

function finding(id: string, subject = '/'): Finding {
  return { id, subject, severity: 'high', detail: 'full', fingerprint: `${id}:${subject}` };
}

function step(outcome: Outcome, changes: Partial<StepResult> = {}): StepResult {
  return {
    ...{ step: 'disk', name: 'Disk', uses: 'check.disk', outcome, reason: outcome, summary: '', metrics: [] },
    ...{ findings: [], startedAt: '2026-06-15T12:00:00Z', duration: 0, attempts: 1 },
    ...changes,
  };
}

describe('waivers', () => {
  it('mark a failed or warning step of the kind, on their hosts alone', () => {
    const waivers = startWaivers([rule()], now);

    expect(waivers.apply('web1', step('failed')).waived).toEqual(anna);
    expect(waivers.apply('web1', step('warning')).waived).toEqual(anna);
    expect(waivers.apply('db1', step('failed')).waived).toBeUndefined();
    expect(waivers.apply('web1', step('failed', { uses: 'check.load' })).waived).toBeUndefined();
    expect(waivers.apply('web1', step('ok')).waived).toBeUndefined();
  });

  it('know a step of an included runbook by its own id', () => {
    const waivers = startWaivers([rule({ matchesStep: (name) => name === 'root' })], now);

    expect(waivers.apply('web1', step('failed', { step: '4/root' })).waived).toEqual(anna);
  });

  it('leave a step failed for the findings that they do not name', () => {
    const waivers = startWaivers([rule({ matchesFinding: (id) => id === 'a' })], now);

    const some = waivers.apply('web1', step('failed', { findings: [finding('a'), finding('b')] }));
    const all = waivers.apply('web1', step('failed', { findings: [finding('a'), finding('a', '/var')] }));

    expect(some.waived).toBeUndefined();
    expect(some.findings.map(({ waived }) => waived?.owner)).toEqual(['anna', undefined]);
    expect(all.waived).toEqual(anna);
  });

  it('can be about one subject', () => {
    const waivers = startWaivers(
      [rule({ matchesFinding: () => true, matchesSubject: (name) => name === '/var' })],
      now,
    );

    const { findings } = waivers.apply('web1', step('failed', { findings: [finding('a'), finding('a', '/var')] }));

    expect(findings.map(({ waived }) => waived !== undefined)).toEqual([false, true]);
  });

  it.each(['unknown', 'unreachable', 'refused'] as const)('accept %s only where they name its reason', (outcome) => {
    const result = step(outcome, { reason: 'tool-missing', findings: [finding('a')] });
    const silent = startWaivers([rule(), rule({ matchesFinding: () => true })], now).apply('web1', result);
    const other = startWaivers([rule({ reasonCodes: new Set(['timeout']) })], now).apply('web1', result);
    const named = startWaivers([rule({ reasonCodes: new Set(['tool-missing']) })], now).apply('web1', result);

    expect([silent, other, named].map(({ waived }) => waived?.owner)).toEqual([undefined, undefined, 'anna']);
  });

  it('fail again when they expire, and say which one, whose it was and where it stands', () => {
    const waivers = startWaivers([rule({ expires: '2026-06-14' })], now);

    const result = waivers.apply('web1', step('failed'));

    expect(result.waived).toBeUndefined();
    expect(result.waiverExpired?.owner).toBe('anna');
    expect(waivers.notes()).toEqual([
      'waiver expired 2026-06-14, owner anna: check.disk on web1 counts again (waivers.yaml:2)',
    ]);
  });

  it('hold as long as the longest of several', () => {
    const waivers = startWaivers([rule({ expires: '2026-06-01' }), rule(), rule({ expires: '2026-07-01' })], now);

    expect(waivers.apply('web1', step('failed')).waived?.expires).toBe('2026-12-31');
  });

  it('are told 14 days before they end', () => {
    const soon = startWaivers([rule({ expires: '2026-06-28' })], now);
    const late = startWaivers([rule({ expires: '2026-06-29' })], now);
    soon.apply('web1', step('failed'));
    late.apply('web1', step('failed'));

    expect(soon.notes()).toEqual([
      'waiver ends 2026-06-28, in 13 days, owner anna: check.disk on web1 (waivers.yaml:2)',
    ]);
    expect(late.notes()).toEqual([]);
  });

  it('are told when a whole run found nothing for them, unless it could not have', () => {
    const run = { hosts: ['web1'], steps: [{ step: 'disk', uses: 'check.disk' }] };
    const waivers = startWaivers([rule(), rule({ hosts: new Set(['db1']) }), rule({ matchesStep: () => false })], now);
    waivers.apply('web1', step('ok'));

    expect(waivers.notes(run)).toEqual([
      'waiver for nothing, owner anna: check.disk did not occur (waivers.yaml:2); remove it when it is mended',
    ]);
    expect(waivers.notes()).toEqual([]);
  });

  it('say the same of a result that they marked already', () => {
    const waivers = startWaivers([rule()], now);
    const once = waivers.apply('web1', step('failed', { findings: [finding('a')] }));

    expect(waivers.apply('web1', once)).toEqual(once);
    expect(startWaivers([], now).apply('web1', once)).toEqual(step('failed', { findings: [finding('a')] }));
  });
});

describe('the end of a waiver', () => {
  it.each([
    ['2026-06-15', '2026-06-16T00:00:00Z'],
    ['2026-12-31', '2027-01-01T00:00:00Z'],
    ['2028-02-29', '2028-03-01T00:00:00Z'],
    ['2026-06-15T18:00:00+02:00', '2026-06-15T16:00:00Z'],
    ['2026-06-15T18:00Z', '2026-06-15T18:00:00Z'],
    ['2026-06-15t18:00:00.5z', '2026-06-15T18:00:00.500Z'],
  ])('of %s is %s', (text, end) => {
    expect(expiryOf(text)).toBe(Date.parse(end));
  });

  it.each(['2026-02-30', '2026-13-01', '2026-06-15T18:00:00', '2026-06-15T25:00:00Z', '31.12.2026', 'never', ''])(
    'is not %j',
    (text) => {
      expect(expiryOf(text)).toBeUndefined();
    },
  );
});
