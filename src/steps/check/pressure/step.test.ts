import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const memory = (percent: number) =>
  `memory-some\tavg10=1.00 avg60=${percent} avg300=0.50 total=1\nmemory-full\tavg10=0.00 avg60=0.00 avg300=0.00 total=0\n`;

describe('check.pressure', () => {
  it('reads a Debian 12 host', () => {
    const { outcome, summary, metrics } = judgeOutput(kind, fixture('debian12.txt', import.meta.url));

    expect(outcome).toBe('ok');
    expect(summary).toMatch(/^tasks wait [\d.]+ % for a processor, [\d.]+ % for memory, [\d.]+ % for a disk$/);
    expect(metrics?.map(({ name }) => name)).toEqual(['cpu', 'memory', 'io', 'cpu-full', 'memory-full', 'io-full']);
  });

  it('warns and fails when tasks wait for memory', () => {
    expect(judgeOutput(kind, memory(10)).outcome).toBe('ok');
    expect(judgeOutput(kind, memory(11)).outcome).toBe('warning');
    expect(judgeOutput(kind, memory(26))).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: 'tasks wait for memory 26 % of the time, limit 25 %',
    });
  });

  it('takes the average that was asked for', () => {
    expect(judgeOutput(kind, memory(90), { seconds: 300 }).metrics?.[0]?.value).toBe(0.005);
  });

  it('is unknown for a resource that has a limit and no number', () => {
    expect(judgeOutput(kind, memory(1), { 'warning-io': '40%' })).toMatchObject({
      outcome: 'unknown',
      reason: 'not-measured',
      summary: 'the kernel does not tell the pressure on io',
    });
  });

  it.each(['', 'memory-some\tavg10=1\n', 'memory-some\tavg60=x\n', 'x\n'])('does not take %j for numbers', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(Object.keys(shells))('measures this machine, or says why not, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect([0, 69]).toContain(output.exitStatus);
    if (output.exitStatus === 0) expect(kind.parse(output, withDefaults(kind)).some.memory).toBeGreaterThanOrEqual(0);
  });
});
