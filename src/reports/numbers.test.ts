import { describe, expect, it } from 'vitest';
import { runResult, stepResult } from '../../test/support/results.js';
import { groupResults } from './groups.js';
import { foldNumbers } from './numbers.js';

/** The rows of results that say these texts, one host each. */
function rows(texts: readonly string[], changes: Parameters<typeof stepResult>[0] = {}) {
  const result = runResult(
    texts.map((summary, index) => ({ name: `web${index + 1}`, steps: [stepResult({ summary, ...changes })] })),
  );
  return foldNumbers(
    groupResults(result),
    result.hosts.map(({ name }) => name),
  ).map(({ summary, hosts }) => `${summary} on ${hosts.join(' ')}`);
}

describe('results that differ in numbers', () => {
  it('are one, with the lowest and the highest number', () => {
    const texts = ['load 0.4, 3 of 10', 'load 0.1, 3 of 10', 'load 0.25, 12 of 10', 'load 0.4, 3 of 10'];

    expect(rows(texts)).toEqual(['load 0.1 … 0.4, 3 … 12 of 10 on web1 web2 web3 web4']);
  });

  it('are one with units and per cent signs', () => {
    expect(rows(['/ is 41% full, 3.5 GiB left.', '/ is 9% full, 20 GiB left.'])).toEqual([
      '/ is 9 … 41% full, 3.5 … 20 GiB left. on web1 web2',
    ]);
  });

  it.each([
    [['sda1 is fine', 'sda2 is fine']],
    [['version 1.2.3', 'version 1.2.4']],
    [['10.0.0.7 answers', '10.0.0.8 answers']],
    [['at 12:30', 'at 12:31']],
    [['on 2026-01-02', 'on 2026-01-03']],
    [['web-1 answers', 'web-2 answers']],
    [['/var/1 is fine', '/var/2 is fine']],
    [['took 5 s', 'took 5 ms']],
  ])('are two where names or units differ: %j', (texts) => {
    expect(rows(texts)).toHaveLength(2);
  });

  it('are as many as they are where they are not ok, or what commands print', () => {
    expect(rows(['load 8', 'load 9'], { outcome: 'warning' })).toHaveLength(2);
    expect(rows(['load 8', 'load 9'], { uses: 'run.command' })).toHaveLength(2);
    expect(rows(['load 8', 'load 9'], { change: 'fixed' })).toHaveLength(1);
  });

  it('are two where one is fixed and the other was fine', () => {
    const result = runResult([
      { name: 'web1', steps: [stepResult({ summary: 'load 1', change: 'fixed' })] },
      { name: 'web2', steps: [stepResult({ summary: 'load 2' })] },
    ]);

    expect(foldNumbers(groupResults(result), ['web1', 'web2'])).toHaveLength(2);
  });
});
