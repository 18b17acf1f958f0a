import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

describe('check.conntrack', () => {
  it('reads a Debian 12 host', () => {
    expect(judgeOutput(kind, fixture('debian12.txt', import.meta.url))).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^\d+ of \d+ connections are tracked \([\d.]+ %\)$/),
    });
  });

  it('warns and fails before the table is full', () => {
    expect(judgeOutput(kind, 'count\t80\nmax\t100\n').outcome).toBe('warning');
    expect(judgeOutput(kind, 'count\t91\nmax\t100\n')).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: '91 of 100 connections are tracked (91 %), limit 90 %',
    });
  });

  it('knows a table without a limit', () => {
    expect(judgeOutput(kind, 'count\t80\nmax\t0\n')).toMatchObject({
      outcome: 'ok',
      summary: '80 connections are tracked, without a limit',
    });
  });

  it.each(['', 'count\t1\n', 'count\t1\nmax\t-1\n', 'count\t\nmax\t1\n'])('does not take %j for numbers', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(Object.keys(shells))('measures this machine, or says that it tracks nothing, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect([0, 78]).toContain(output.exitStatus);
    if (output.exitStatus === 0) expect(judgeOutput(kind, output).metrics).toHaveLength(2);
  });
});
