import { expect, it } from 'vitest';
import { nearest } from './nearest.js';

it.each([
  ['stpes', ['steps', 'name', 'hosts'], 'steps'],
  ['check.laod', ['check.load', 'check.disk'], 'check.load'],
  ['Steps', ['steps'], 'steps'],
  ['use', ['uses', 'name'], 'uses'],
  ['kubernetes', ['steps', 'check.load'], undefined],
  ['id', ['of'], undefined],
  ['x', [], undefined],
])('%s among %j is %s', (typed, candidates, expected) => {
  expect(nearest(typed, candidates)).toBe(expected);
});
