import { describe, expect, it } from 'vitest';
import { expandRange, HostRangeError } from './ranges.js';

describe('expandRange', () => {
  it.each([
    ['web1', ['web1']],
    ['web[1:3]', ['web1', 'web2', 'web3']],
    ['web[01:03].example.com', ['web01.example.com', 'web02.example.com', 'web03.example.com']],
    ['n[008:010]', ['n008', 'n009', 'n010']],
    ['n[8:10]', ['n8', 'n9', 'n10']],
    ['n[0:10:5]', ['n0', 'n5', 'n10']],
    ['n[:1]', ['n0', 'n1']],
    ['db-[a:c]', ['db-a', 'db-b', 'db-c']],
    ['db-[A:E:2]', ['db-A', 'db-C', 'db-E']],
    ['r[1:2]n[a:b]', ['r1na', 'r1nb', 'r2na', 'r2nb']],
    ['r[1:1][2:2]', ['r12']],
  ])('%s', (name, expected) => {
    expect(expandRange(name)).toEqual(expected);
  });

  it.each([
    'n[',
    'n[]',
    'n[1]',
    'n[1:',
    'n[1:]',
    'n[3:1]',
    'n[01:100]',
    'n[1:2:0]',
    'n[a:1]',
    'n[aa:bb]',
    'n[1:2:3:4]',
    'n[-1:2]',
  ])('refuses %s', (name) => {
    expect(() => expandRange(name)).toThrow(HostRangeError);
  });

  it('refuses what would not fit in memory before it makes a single name', () => {
    expect(() => expandRange('n[1:99999999]')).toThrow('stands for 99999999 hosts, the limit is 100000');
    expect(() => expandRange('n[1:1000][1:1000][1:1000]')).toThrow('the limit is 100000');
  });
});
