import { describe, expect, it } from 'vitest';
import { payloads } from '../../test/reports/hostile.js';
import { runnerCommands } from '../../test/support/runner.js';
import { type Answer, compareAnswers, comparisonJson, comparisonText } from './odd-one-out.js';

const none = () => false;
const say = (answers: Readonly<Record<string, string | null>>) =>
  new Map(
    Object.entries(answers).map(([host, value]): [string, Answer] => [
      host,
      value === null ? { problem: 'no result' } : { value },
    ]),
  );

describe('the odd one out', () => {
  it('comes first, with what the others say after it', () => {
    const compared = compareAnswers('kernel', say({ web1: '6.1', web2: '6.0', web3: '6.1\n', web4: null }), none);

    expect(compared.same).toBe(false);
    expect(comparisonText([compared], { whole: false })).toBe(
      'kernel: 2 values\n  web2  (1)\n      6.0\n  web[1,3]  (2)\n      6.1\n  web4  (1)\n      not known: no result\n',
    );
  });

  it('of long answers is what differs from the most', () => {
    const long = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const odd = [...long.filter((line) => line !== 'line 7'), 'line seven', 'line 3'];
    const text = comparisonText(
      [compareAnswers('packages', say({ a: long.join('\n'), b: odd.join('\n'), c: long.join('\n') }), none)],
      { whole: false },
    );

    expect(text).toBe(
      'packages: 2 values\n  b  (1)\n      - line 7\n      + line seven\n      + line 3\n  a c  (2)\n      30 lines, what the others are compared with\n',
    );
  });

  it('is nobody when all say the same, whatever the lines that do not count', () => {
    const compared = compareAnswers('users', say({ a: 'root\nx1', b: 'root\nx2' }), (line) => line.startsWith('x'));

    expect(compared).toMatchObject({ same: true, groups: [{ hosts: ['a', 'b'], value: 'root' }] });
    expect(comparisonText([compared], { whole: false })).toBe('the same on 2 hosts: users\n');
  });

  it.each(payloads)('cannot play tricks on the terminal or a runner: %j', (payload) => {
    const answers = new Map<string, Answer>([
      [`h${payload}`, { value: payload }],
      ['b', { value: `usual\n${payload}` }],
      ['c', { problem: payload }],
    ]);
    const compared = [compareAnswers(payload, answers, none)];

    for (const text of [comparisonText(compared, { whole: true }), comparisonJson(compared)]) {
      expect(text).toMatch(/^[\n\t\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u);
      expect(runnerCommands(text)).toEqual([]);
    }
    expect(JSON.parse(comparisonJson(compared))).toMatchObject({ compared: [{ name: payload }] });
  });

  it('is shown in the same order however the hosts answered', () => {
    const one = compareAnswers('x', say({ a: '1\n2', b: '2\n1' }), none);
    expect(comparisonText([one], { whole: false })).toContain('the same lines in another order');
  });
});
