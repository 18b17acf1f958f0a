import { describe, expect, it } from 'vitest';
import type { Trend } from '../documents/trend.js';
import type { Metric } from '../result/result.schema.js';
import type { Attempt } from './attempt.js';
import { withTrends } from './trends.js';

const hour = 3_600;
const used = (value: number): Metric => ({ name: 'used{/var}', value, unit: 'bytes', min: 0, max: 1_000 });
const kills = (value: number): Metric => ({ name: 'kills', value, unit: 'count', min: 0 });
const trend = (more: Partial<Trend> & Pick<Trend, 'metric' | 'show'>): Trend => ({ over: '24h', ...more }) as Trend;

function followed(
  earlier: readonly (readonly [at: number, value: number])[],
  metric: Metric,
  at: number,
  ...trends: readonly Trend[]
): Attempt {
  const samples = earlier.map(([when, value]) => ({ at: when, values: { [metric.name]: value } }));
  return withTrends({ outcome: 'ok', reason: 'ok', summary: 'calm', metrics: [metric] }, trends, { samples }, at);
}

describe('a trend', () => {
  it('foretells when a disk is full, and fails when that is too soon', () => {
    const fullIn = trend({ metric: 'used', show: 'full-in', warning: '24h:', critical: '4h:' });
    const points = [
      [0, 700],
      [1 * hour, 750],
      [2 * hour, 800],
    ] as const;

    const result = followed(points, used(850), 3 * hour, fullIn);
    expect(result).toMatchObject({ outcome: 'failed', reason: 'below-critical' });
    expect(result.summary).toBe('used{/var} reaches 1000 B in 3 h, at least 4 h; calm');
    expect(result.metrics?.[1]).toMatchObject({ name: 'used-full-in{/var}', unit: 'seconds', critical: '14400:' });
    expect(result.metrics?.[1]?.value).toBeCloseTo(3 * hour);
  });

  it('is calm where nothing grows, shrinks, or has long to go', () => {
    const fullIn = trend({ metric: 'used', show: 'full-in', warning: '24h:' });
    for (const last of [600, 700])
      expect(
        followed(
          [
            [0, 700],
            [2 * hour, 700],
          ],
          used(last),
          3 * hour,
          fullIn,
        ),
      ).toMatchObject({ outcome: 'ok', metrics: [{ name: 'used{/var}' }] });
  });

  it('is over when the end is reached', () => {
    const fullIn = trend({ metric: 'used', show: 'full-in', reaches: 800, critical: '1h:' });
    const result = followed(
      [
        [0, 900],
        [2 * hour, 900],
      ],
      used(900),
      3 * hour,
      fullIn,
    );

    expect(result).toMatchObject({ outcome: 'failed' });
    expect(result.metrics?.[1]?.value).toBe(0);
  });

  it('knows what must not run out', () => {
    const left: Metric = { name: 'free', value: 40, unit: 'count', min: 0 };
    const result = followed(
      [
        [0, 100],
        [hour, 80],
        [2 * hour, 60],
      ],
      left,
      3 * hour,
      trend({ metric: 'free', show: 'full-in', reaches: 0, critical: '4h:' }),
    );

    expect(result).toMatchObject({ outcome: 'failed' });
    expect(result.metrics?.[1]?.value).toBeCloseTo(2 * hour);
  });

  it('says nothing of a few runs within minutes, and says that it does not', () => {
    const fullIn = trend({ metric: 'used', show: 'full-in', critical: '4h:' });
    expect(
      followed(
        [
          [0, 100],
          [10, 500],
        ],
        used(900),
        20,
        fullIn,
      ),
    ).toMatchObject({ outcome: 'ok', summary: 'calm; too few earlier runs for a trend' });
    expect(followed([], kills(9), 20, trend({ metric: 'kills', show: 'increase', critical: 0 }))).toMatchObject({
      outcome: 'ok',
      summary: 'calm; too few earlier runs for a trend',
    });
  });

  it('forgets what is longer ago than it looks', () => {
    const rate = trend({ metric: 'kills', show: 'rate', over: '1h', critical: 1 });
    expect(followed([[0, 0]], kills(9_999), 2 * hour, rate)).toMatchObject({
      outcome: 'ok',
      summary: 'calm; too few runs in the last 60 min for a trend, make `over` longer',
    });
  });

  it('compares with the last run, however long ago', () => {
    const late = 25 * hour;
    const increase = trend({ metric: 'kills', show: 'increase', critical: 0 });
    expect(followed([[0, 1]], kills(2), late, increase)).toMatchObject({ outcome: 'failed' });
    const change = trend({ metric: 'kills', show: 'change', critical: '-5:5' });
    expect(followed([[0, 100]], kills(1), late, change)).toMatchObject({ outcome: 'failed' });
  });

  it('shows how the number that it follows went, and where it goes', () => {
    const fullIn = trend({ metric: 'used', show: 'full-in' });
    const growing = [
      [0, 700],
      [hour, 750],
      [2 * hour, 800],
    ] as const;
    const [metric, left] = followed(growing, used(850), 3 * hour, fullIn).metrics ?? [];

    expect(metric?.history?.points.map(({ value }) => value)).toEqual([700, 750, 800, 850]);
    expect(metric?.history?.forecast).toEqual({ reaches: 1_000, in: left?.value });
    expect(left).not.toHaveProperty('history');
    expect(followed([], used(850), hour, fullIn).metrics?.[0]).not.toHaveProperty('history');
    expect(followed(growing, used(600), 3 * hour, fullIn).metrics?.[0]?.history).not.toHaveProperty('forecast');
  });

  it('knows a counter that began anew', () => {
    const increase = trend({ metric: 'kills', show: 'increase', critical: 2 });
    expect(followed([[0, 100]], kills(2), hour, increase)).toMatchObject({ outcome: 'ok' });
    expect(followed([[0, 100]], kills(3), hour, increase)).toMatchObject({
      outcome: 'failed',
      summary: 'kills grew by 3 since the last run, limit 2; calm',
    });
    expect(followed([[0, 100]], kills(103), hour, increase)).toMatchObject({ outcome: 'failed' });
  });

  it('gives a rate a second over all that happened', () => {
    const result = followed(
      [
        [0, 0],
        [100, 1_000],
        [200, 50],
      ],
      kills(150),
      300,
      trend({ metric: 'kills', show: 'rate', warning: 2 }),
    );

    expect(result).toMatchObject({ outcome: 'warning', reason: 'above-warning' });
    expect(result.metrics?.[1]).toMatchObject({ name: 'kills-rate' });
    expect(result.metrics?.[1]?.value).toBeCloseTo((1_000 + 50 + 100) / 300);
  });

  it('tells a fall as well as a rise', () => {
    const change = trend({ metric: 'kills', show: 'change', critical: '-5:5' });
    expect(followed([[0, 100]], kills(90), hour, change)).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
    });
    expect(followed([[0, 100]], kills(104), hour, change)).toMatchObject({ outcome: 'ok' });
  });

  it('does not compare what was measured in another unit', () => {
    const change = trend({ metric: 'kills', show: 'change', critical: 5 });
    const attempt: Attempt = { outcome: 'ok', reason: 'ok', summary: 'calm', metrics: [kills(90)] };
    const memory = (unit: string) => ({ samples: [{ at: 0, values: { kills: 1 }, units: { kills: unit } }] });

    expect(withTrends(attempt, [change], memory('bytes'), 10)).toMatchObject({
      outcome: 'ok',
      summary: 'calm; too few earlier runs for a trend',
    });
    expect(withTrends(attempt, [change], memory('count'), 10)).toMatchObject({ outcome: 'failed' });
  });

  it('makes nothing better, and nothing of what could not be measured', () => {
    const increase = trend({ metric: 'kills', show: 'increase', warning: 0 });
    const failed: Attempt = { outcome: 'failed', reason: 'above-critical', summary: 'bad', metrics: [kills(5)] };
    const memory = { samples: [{ at: 0, values: { kills: 1 } }] };
    expect(withTrends(failed, [increase], memory, 10)).toMatchObject({ outcome: 'failed', reason: 'above-critical' });
    const unknown: Attempt = { outcome: 'unknown', reason: 'timeout', summary: 'late' };
    expect(withTrends(unknown, [increase], memory, 10)).toBe(unknown);
  });

  it('is unknown where there is no such number, or no end of it', () => {
    expect(followed([], kills(1), 10, trend({ metric: 'kilsl', show: 'rate' }))).toMatchObject({
      outcome: 'unknown',
      reason: 'no-metric',
    });
    expect(followed([], kills(1), 10, trend({ metric: 'kilsl', show: 'rate', optional: true }))).toMatchObject({
      outcome: 'ok',
    });
    expect(followed([[0, 1]], kills(1), 10, trend({ metric: 'kills', show: 'full-in' }))).toMatchObject({
      outcome: 'unknown',
      reason: 'no-metric',
    });
  });
});
