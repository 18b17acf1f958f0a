import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { foldHosts, naturally } from '../../src/reports/hosts.js';
import { describeWith } from '../support/needs.js';

const samples: readonly (readonly string[])[] = [
  ['web01', 'web02', 'web03', 'db1'],
  ['web1', 'web2', 'web10', 'web11', 'web12'],
  ['web08', 'web09', 'web10', 'web100', 'web9'],
  ['n1.example.com', 'n2.example.com', 'n2.example.org'],
  ['10.0.0.1', '10.0.0.2', '10.0.0.200'],
  ['rack1-node01', 'rack1-node02', 'rack2-node01'],
  ['db1a', 'db2a', 'db3b'],
  ['alone'],
  ['001', '002', '1'],
  Array.from({ length: 250 }, (_, index) => `app${String(index + 1).padStart(3, '0')}`),
];

describe('foldHosts', () => {
  it.each([
    [['web01', 'web02', 'web03', 'db1'], 'db1 web[01-03]'],
    [['web1.dc2.example.com', 'web3.dc2.example.com'], 'web[1,3].dc2.example.com'],
    [['web09', 'web10'], 'web[09-10]'],
    [['10.0.0.1', '10.0.0.2'], '10.0.0.[1-2]'],
    [['web2', 'web2'], 'web2'],
    [['ip-10-0-0-7', 'ip-10-0-0-8'], 'ip-10-0-0-[7-8]'],
    [[], ''],
  ])('folds %j to %s', (names, folded) => {
    expect(foldHosts(names).join(' ')).toBe(folded);
  });

  it('sorts as people do', () => {
    expect(['web10', 'web9', 'db'].sort(naturally)).toEqual(['db', 'web9', 'web10']);
  });
});

describeWith('folded names mean the same to clustershell', ['nodeset'], () => {
  it.each(samples.map((names) => [names.slice(0, 3).join(' '), names] as const))('%s', (_, names) => {
    const expanded = execFileSync('nodeset', ['-e', ...foldHosts(names)], { encoding: 'utf8' });

    expect(new Set(expanded.trim().split(/\s+/))).toEqual(new Set(names));
  });
});
