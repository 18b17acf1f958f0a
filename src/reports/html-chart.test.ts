import { describe, expect, it } from 'vitest';
import type { Metric } from '../result/result.schema.js';
import { limitChart, shareBar } from './html-chart.js';

const metric = (changes: Partial<Metric>): Metric => ({ name: 'free{/}', value: 5, unit: 'count', ...changes });
const title = (...metrics: readonly Metric[]) => /<title>(.*)<\/title>/.exec(String(limitChart(metrics) ?? ''))?.[1];
/** Where it alerts, as parts of 160. */
const zones = (...metrics: readonly Metric[]) =>
  [
    ...String(limitChart(metrics)).matchAll(/<rect class="(warning|critical)" x="([\d.]+)" y="3" width="([\d.]+)"/g),
  ].map(([, name, x, width]) => [name, Number(x), Number(x) + Number(width)]);

describe('a chart of a number and its limits', () => {
  it.each([
    [{ critical: '10' }, 'free / 5, critical above 10'],
    [{ warning: '10:', critical: '5:' }, 'free / 5, warning below 10, critical below 5'],
    [{ critical: '~:10' }, 'free / 5, critical above 10'],
    [{ critical: '2:8' }, 'free / 5, critical below 2 or above 8'],
    [{ critical: '@2:8' }, 'free / 5, critical from 2 to 8'],
    [{ unit: 'ratio', value: 0.5, warning: '0.8' }, 'free / 50%, warning above 80%'],
  ] as const)('says %j', (changes, said) => {
    expect(title(metric(changes))).toBe(said);
  });

  it('says the lowest and the highest of many', () => {
    expect(title(metric({ value: 7, critical: '10' }), metric({ value: 3, critical: '10' }))).toBe(
      'free / 3 to 7, critical above 10',
    );
  });

  it('alerts at the ends, or in the middle', () => {
    const scale = { min: 0, max: 10 };

    expect(zones(metric({ ...scale, critical: '8' }))).toEqual([['critical', 127.5, 159]]);
    expect(zones(metric({ ...scale, critical: '2:' }))).toEqual([['critical', 1, 32.5]]);
    expect(zones(metric({ ...scale, critical: '@2:8' }))).toEqual([['critical', 32.5, 127.5]]);
    expect(zones(metric({ ...scale, warning: '5', critical: '8' })).map(([name]) => name)).toEqual([
      'warning',
      'critical',
    ]);
  });

  it.each([{}, { critical: 'x' }, { critical: '' }, { value: Number.NaN, critical: '10' }])(
    'is none for %j',
    (changes) => {
      expect(limitChart([metric(changes)])).toBeUndefined();
    },
  );

  it.each([-1e300, -5, 0, 1e-300, 1e300])('stays in its frame with %d', (value) => {
    const places = [...String(limitChart([metric({ value, critical: '10' })])).matchAll(/ d="M([\d.e+-]+) 0/g)];

    expect(places).toHaveLength(1);
    expect(Number(places[0]?.[1])).toBeGreaterThanOrEqual(1);
    expect(Number(places[0]?.[1])).toBeLessThanOrEqual(159);
  });
});

describe('a bar of shares', () => {
  it('puts its parts one behind the other, and is none of nothing', () => {
    const parts = [
      { name: 'failed', value: 2 },
      { name: 'ok', value: 6 },
    ];

    expect(String(shareBar(parts))).toContain('viewBox="0 0 8 1"');
    expect(String(shareBar(parts))).toContain('<rect class="ok" x="2" width="6" height="1"/>');
    expect(String(shareBar([]))).toBe('');
  });
});
