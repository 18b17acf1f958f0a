import { expect, it } from 'vitest';
import { durationProblem, parseDuration } from './duration.js';

it.each([
  ['30s', 30],
  ['5m', 300],
  ['1h30m', 5400],
  ['2w', 1_209_600],
  ['1d12h', 129_600],
  ['250ms', 0.25],
  ['1.5s', 1.5],
  ['1m500ms', 60.5],
])('reads %s as %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBeCloseTo(seconds, 9);
});

it.each([
  ['5 minutes', 'write 5m'],
  ['2 Hours', 'write 2h'],
  ['100 milliseconds', 'write 100ms'],
  ['90', 'write 90s'],
  ['1m1h', 'write 5m, 300s'],
  ['PT5M', 'write 5m, 300s'],
  ['-1s', 'write 5m, 300s'],
  ['', 'write 5m, 300s'],
  ['0s', 'write 5m, 300s'],
])('refuses %j and says how to write it', (text, hint) => {
  expect(durationProblem(text)).toMatchObject({ code: 'E_DURATION', hint });
});

it.each([
  [30, 'E_DURATION', 'write 30s'],
  [0, 'E_DURATION', 'write 5m, 300s'],
  [-1, 'E_DURATION', 'write 5m, 300s'],
  [Number.POSITIVE_INFINITY, 'E_RANGE', 'write 5m, 300s'],
  [Number.NaN, 'E_RANGE', 'write 5m, 300s'],
])('refuses the number %d', (value, code, hint) => {
  expect(durationProblem(value)).toMatchObject({ code, hint });
});

it('refuses more than a year, which no timer can hold', () => {
  expect(durationProblem('400d')?.code).toBe('E_RANGE');
});

it('names the flag that it was given for', () => {
  expect(() => parseDuration('5', '`--timeout`')).toThrow(
    'E_DURATION `--timeout` is "5", which is no duration; write 5s',
  );
});
