import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dimensionOf,
  formatRange,
  isOutside,
  judgeNumber,
  metricOf,
  parseRange,
  type Range,
  rangeProblems,
  unitNames,
} from './range.js';

describe('parseRange', () => {
  it.each([
    ['10', 0, 10, false],
    ['10:', 10, Infinity, false],
    ['~:10', -Infinity, 10, false],
    ['10:20', 10, 20, false],
    ['@10:20', 10, 20, true],
    [':5', 0, 5, false],
    ['-5:-1', -5, -1, false],
    ['~:', -Infinity, Infinity, false],
    ['@0:0', 0, 0, true],
    ['.5:1.5', 0.5, 1.5, false],
  ])('reads %s as Nagios does', (source, start, end, inside) => {
    expect(parseRange(source, 'count')).toEqual({ start, end, inside });
  });

  it.each([
    ['90%', 'ratio', 0, 0.9],
    [90, 'ratio', 0, 0.9],
    ['10GiB:', 'bytes', 10 * 2 ** 30, Infinity],
    ['5:10MB', 'bytes', 5e6, 10e6],
    ['500ms', 'seconds', 0, 0.5],
    ['~:30d', 'seconds', -Infinity, 2_592_000],
    ['60C', 'celsius', 0, 60],
  ] as const)('reads %s with the units of its dimension', (source, unit, start, end) => {
    expect(parseRange(source, unit)).toEqual({ start, end, inside: false });
  });

  it('takes another unit for a bare number', () => {
    expect(parseRange('30:', 'seconds', 'd').start).toBe(30 * 86_400);
  });

  it('gives what a person wrote, not what binary fractions make of it', () => {
    expect(formatRange(parseRange('85%', 'ratio'))).toBe('0.85');
    expect(formatRange(parseRange('7%:', 'ratio'))).toBe('0.07:');
  });

  it.each([
    ['', 'is not a range'],
    ['ten', 'is not a range'],
    ['1:2:3', 'is not a range'],
    ['20:10', 'starts above its end'],
    ['-5', 'means 0 to -5, use "~:-5"'],
    ['5 GiB', 'takes a plain number, not "GiB"'],
    ['1e9', 'is not a range'],
    ['@', 'is not a range'],
  ])('refuses %j', (source, message) => {
    expect(() => parseRange(source, 'count')).toThrow(message);
  });

  it('names the units when it does not know one', () => {
    expect(() => parseRange('5 Gig', 'bytes')).toThrow('unknown unit "Gig", use B, kB');
  });

  it('reads back every range that it writes', () => {
    const end = fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })
      .map((value) => Number(value.toPrecision(12)) + 0);
    const range: fc.Arbitrary<Range> = fc
      .record({
        ends: fc.tuple(
          fc.oneof(fc.constant(-Infinity), fc.constant(0), end),
          fc.oneof(fc.constant(Infinity), fc.constant(0), end),
        ),
        inside: fc.boolean(),
      })
      .map(({ ends: [start, stop], inside }) => ({ start, end: stop, inside }))
      .filter(({ start, end: stop }) => start <= stop && !tiny(start) && !tiny(stop));

    fc.assert(
      fc.property(range, (value) => {
        const again = parseRange(formatRange(value), 'ratio', '');
        expect(formatRange(again)).toBe(formatRange(value));
        expect(again.start).toBeCloseTo(value.start, 5);
        expect(again.end).toBeCloseTo(value.end, 5);
        expect(again.inside).toBe(value.inside);
      }),
    );
  });
});

/** Below what 15 digits and no exponent can hold. */
function tiny(value: number): boolean {
  return value !== 0 && Math.abs(value) < 1e-4;
}

describe('isOutside', () => {
  it('counts both ends as good', () => {
    const range = parseRange('10:20', 'count');

    expect([9.99, 10, 20, 20.01].map((value) => isOutside(range, value))).toEqual([true, false, false, true]);
  });

  it('turns round with @', () => {
    const range = parseRange('@10:20', 'count');

    expect([9.99, 10, 20, 20.01].map((value) => isOutside(range, value))).toEqual([false, true, true, false]);
  });
});

describe('judgeNumber', () => {
  const range = (source: string) => parseRange(source, 'count');

  it.each([
    [5, '10', '20', 'ok', 'ok'],
    [15, '10', '20', 'warning', 'above-warning'],
    [25, '10', '20', 'failed', 'above-critical'],
    [4, '10:', '5:', 'failed', 'below-critical'],
    [7, '10:', '5:', 'warning', 'below-warning'],
    [7, undefined, '@5:10', 'failed', 'inside-critical'],
  ])('judges %d against warning %s and critical %s', (value, warning, critical, level, reason) => {
    const verdict = judgeNumber(value, warning ? range(warning) : undefined, critical ? range(critical) : undefined);

    expect(verdict).toMatchObject({ level, reason });
  });
});

describe('rangeProblems', () => {
  it('names the parameter and the way out', () => {
    expect(rangeProblems({ warning: 'lots' }, { warning: 'ratio', critical: 'ratio' })).toEqual([
      { path: ['warning'], what: '"lots" is not a range such as 80, 10: or @10:20', hint: expect.any(String) },
    ]);
  });

  it('finds a limit that looks the wrong way', () => {
    const [problem] = rangeProblems({ warning: '30d' }, { warning: { unit: 'seconds', lower: true } });

    expect(problem?.hint).toBe('write "30d:" for at least 30d');
  });

  it('leaves an expression for later', () => {
    expect(rangeProblems({ warning: '${{ params.limit }}' }, { warning: 'ratio' })).toEqual([]);
  });
});

describe('dimensionOf', () => {
  it('knows every unit that it offers', () => {
    expect(unitNames.map((name) => dimensionOf(name).unit)).toContain('bytes');
    expect(dimensionOf('ms')).toEqual({ unit: 'seconds', factor: 0.001 });
  });
});

describe('metricOf', () => {
  it('writes limits in the base unit, without an exponent', () => {
    const metric = metricOf('size', 1, 'bytes', { critical: parseRange('900PiB', 'bytes') });

    expect(metric.critical).toBe(String(900n * 2n ** 50n));
  });
});
