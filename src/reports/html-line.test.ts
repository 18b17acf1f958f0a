import { describe, expect, it } from 'vitest';
import type { Metric } from '../result/result.schema.js';
import { lineChart } from './html-line.js';

const points = (...values: readonly number[]) =>
  values.map((value, hour) => ({ at: `2026-03-02T0${hour}:00:00.000Z`, value }));
const metric = (changes: Partial<Metric>): Metric => ({ name: 'used{/}', value: 0.8, unit: 'ratio', ...changes });
const draw = (changes: Partial<Metric>) => String(lineChart(metric(changes)) ?? '');
const title = (text: string) => /<title>(.*)<\/title>/.exec(text)?.[1];
const linesOf = (text: string) =>
  [...text.matchAll(/<path[^>]* d="M([^"]*)"/g)].map(([, path = '']) => path.split('L'));

describe('a line of earlier runs', () => {
  it('says in words what it shows', () => {
    const history = { points: points(0.6, 0.7, 0.8), forecast: { reaches: 1, in: 7_200 } };

    expect(title(draw({ warning: '0.85', critical: '0.9', history }))).toBe(
      'used / 80% now, 60% to 80% since 2026-03-02 00:00:00Z, reaches 100% in 2 h 00 m, warning above 85%, critical above 90%',
    );
  });

  it('goes on to the end that it reaches, where that is near', () => {
    const near = linesOf(draw({ history: { points: points(0.6, 0.8), forecast: { reaches: 1, in: 3_600 } } }));
    const far = linesOf(draw({ history: { points: points(0.6, 0.8), forecast: { reaches: 1, in: 360_000 } } }));

    expect(near).toEqual([
      ['3 34', '80 20'],
      ['80 20', '157 6'],
    ]);
    expect(far[1]?.map((place) => place.split(' ')[0])).toEqual(['80', '157']);
    expect(linesOf(draw({ history: { points: points(0.6, 0.8) } }))).toHaveLength(1);
  });

  it('stays in its box, and has the limits in it', () => {
    for (const values of [
      [0, 0],
      [7, 7],
      [-5, 1e15],
      [1e-9, 2e-9],
      [-1, -1],
    ]) {
      const text = draw({ unit: 'count', warning: '3', critical: '@5:8', history: { points: points(...values) } });
      const places = linesOf(text).flatMap((line) => line.flatMap((place) => place.split(' ').map(Number)));

      expect(places.every((place, index) => place >= 0 && place <= (index % 2 === 0 ? 160 : 40))).toBe(true);
      expect(text).not.toMatch(/NaN|Infinity|height="-/);
      expect(text).toMatch(/<rect class="critical"/);
    }
  });

  it('is none without an earlier run, or where nothing can be read', () => {
    expect(draw({})).toBe('');
    expect(draw({ history: { points: points(0.8) } })).toBe('');
    expect(draw({ history: { points: [{ at: 'once', value: 1 }, ...points(0.8)] } })).toBe('');
  });
});
