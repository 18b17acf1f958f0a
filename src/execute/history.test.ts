import { describe, expect, it } from 'vitest';
import { historyOf, type Point } from './history.js';

const every = (seconds: number, values: readonly number[]): Point[] =>
  values.map((value, index) => ({ at: index * seconds, value }));
const valuesOf = (points: readonly Point[], now: Point, since = 0) =>
  historyOf(points, now, since, undefined)?.points.map(({ value }) => value);

describe('the history of a number', () => {
  it('is what each run measured and when, this run last', () => {
    expect(historyOf(every(60, [1, 2]), { at: 120, value: 3 }, 0, { reaches: 9, in: 360 })).toEqual({
      points: [
        { at: '1970-01-01T00:00:00.000Z', value: 1 },
        { at: '1970-01-01T00:01:00.000Z', value: 2 },
        { at: '1970-01-01T00:02:00.000Z', value: 3 },
      ],
      forecast: { reaches: 9, in: 360 },
    });
  });

  it('is nothing in a first run', () => {
    expect(historyOf([], { at: 0, value: 1 }, 0, undefined)).toBeUndefined();
  });

  it('goes as far back as the trend looks, and at least some runs', () => {
    const nightly = every(86_400, [1, 2, 3]);
    expect(valuesOf(nightly, { at: 3 * 86_400, value: 4 }, 2.5 * 86_400)).toEqual([1, 2, 3, 4]);

    const often = every(60, [...Array(30).fill(9), ...Array(25).fill(1)]);
    expect(valuesOf(often, { at: 55 * 60, value: 2 }, 30 * 60)).toEqual([...Array(25).fill(1), 2]);
  });

  it('has at most 40 points of any number, with the peaks, in order', () => {
    const values = Array.from({ length: 400 }, (_, index) => (index === 123 ? 99 : index === 333 ? -99 : index % 3));
    const { points = [] } = historyOf(every(60, values), { at: 400 * 60, value: 5 }, 0, undefined) ?? {};

    expect(points.length).toBeGreaterThan(30);
    expect(points.length).toBeLessThanOrEqual(40);
    expect(points.map(({ value }) => value)).toEqual(expect.arrayContaining([99, -99]));
    expect(points.map(({ at }) => at)).toEqual([...new Set(points.map(({ at }) => at))].sort());
    expect(points.at(-1)?.value).toBe(5);
  });
});
