import { expect, it } from 'vitest';
import { nearest, nearestKind } from './nearest.js';

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

it.each([
  ['disk', 'check.disk'],
  ['command', 'check.command'],
  ['chek.disk', 'check.disk'],
  ['nothing', undefined],
])('the step %s is %s', (typed, expected) => {
  expect(nearestKind(typed, ['check.disk', 'check.disk-io', 'check.command', 'run.command'])).toBe(expected);
});
