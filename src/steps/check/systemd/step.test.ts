import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe } from '../../../../test/support/probe.js';
import kind from './step.js';

const running = fixture('debian12-running.txt', import.meta.url);
const degraded = fixture('debian12-degraded.txt', import.meta.url);

describe('check.systemd', () => {
  it('is content with a host without failed units', () => {
    expect(judgeOutput(kind, running)).toMatchObject({ outcome: 'ok', summary: 'no failed units' });
  });

  it('names the unit that has failed and the service in a crash loop', () => {
    const { outcome, reason, summary, findings } = judgeOutput(kind, degraded);

    expect({ outcome, reason }).toEqual({ outcome: 'failed', reason: 'unit-failed' });
    expect(summary).toMatch(/^failed: broken\.service; in a crash loop: loop\.service \(\d+ restarts\)$/);
    expect(findings?.map(({ id, subject }) => [id, subject])).toEqual([
      ['unit-failed', 'broken.service'],
      ['crash-loop', 'loop.service'],
    ]);
  });

  it('leaves out what may fail', () => {
    const { outcome, summary } = judgeOutput(kind, degraded, { ignore: ['broken.*', 'loop.service'] });

    expect({ outcome, summary }).toEqual({ outcome: 'ok', summary: 'no failed units but 1 ignored' });
  });

  it.each([
    ['snap-*.mount', 'failed: my-snap-x.mount'],
    ['*', 'no failed units but 1 ignored'],
    ['my-*x*mount', 'no failed units but 1 ignored'],
  ])('matches %s against whole names', (pattern, summary) => {
    const said = 'SystemState=degraded\n== failed\nmy-snap-x.mount loaded failed failed Mount\n';

    expect(judgeOutput(kind, said, { ignore: [pattern] }).summary).toBe(summary);
  });

  it('does not call a service that came back long ago a crash loop', () => {
    const said = (started: number) =>
      `SystemState=running\n== failed\n== services\nUptime=10000\n\nId=a.service\nNRestarts=9\nExecMainStartTimestampMonotonic=${started * 1e6}\n`;

    expect(judgeOutput(kind, said(9_900))).toMatchObject({ outcome: 'failed', reason: 'crash-loop' });
    expect(judgeOutput(kind, said(1_000)).outcome).toBe('ok');
    expect(judgeOutput(kind, said(9_900), { restarts: 10 }).outcome).toBe('ok');
  });

  it.each([
    ['starting', 'warning', 'starting'],
    ['maintenance', 'failed', 'maintenance'],
    ['offline', 'unknown', 'state-unknown'],
  ])('judges a system that is %s', (state, outcome, reason) => {
    expect(judgeOutput(kind, `SystemState=${state}\n== failed\n`)).toMatchObject({ outcome, reason });
  });

  it.each(['', 'SystemState=running\n', '== failed\n'])('does not take %j for a healthy system', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it('says that it does not apply, or measures, on this machine', () => {
    const { exitStatus, stderr } = runProbe(kind);

    expect([0, 78]).toContain(exitStatus);
    if (exitStatus === 78) expect(String(stderr)).toBe('no systemd\n');
  });
});
