import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import type { Inventory } from '../../src/inventory/inventory.js';
import { selectHosts } from '../../src/inventory/patterns.js';
import { type Folder, inventoryFolder } from './folder.js';

const text = `
groups:
  web: { hosts: [w3, "w[1:2]"] }
  db: { hosts: [db1, db2] }
  prod: { groups: [web, db] }
  empty: {}
hosts:
  w1: {}
  lone.example.com: {}
  "fe80::1": {}
`;

describe('host patterns', () => {
  let folder: Folder;
  let inventory: Inventory;
  beforeAll(async () => {
    folder = inventoryFolder({ 'hosts.yaml': text });
    inventory = await folder.load('hosts.yaml');
  });
  afterAll(() => folder.remove());
  const select = (pattern: string, lastFailed?: readonly string[]) =>
    selectHosts(inventory, pattern, lastFailed ? { lastFailed: () => lastFailed } : {}).map(({ name }) => name);

  it.each<[string, readonly string[]]>([
    ['all', ['w3', 'w1', 'w2', 'db1', 'db2', 'lone.example.com', 'fe80::1']],
    ['*', ['w3', 'w1', 'w2', 'db1', 'db2', 'lone.example.com', 'fe80::1']],
    ['web', ['w3', 'w1', 'w2']],
    ['w1', ['w1']],
    ['w*', ['w3', 'w1', 'w2']],
    ['w?', ['w3', 'w1', 'w2']],
    ['w[12]', ['w1', 'w2']],
    ['w[1:2]', ['w1', 'w2']],
    ['db,w1', ['w1', 'db1', 'db2']],
    ['db:w1', ['w1', 'db1', 'db2']],
    [' db , w1 , ', ['w1', 'db1', 'db2']],
    ['prod,&db', ['db1', 'db2']],
    ['prod:&db:!db1', ['db2']],
    ['all,!prod', ['lone.example.com', 'fe80::1']],
    ['!prod', ['lone.example.com', 'fe80::1']],
    ['!db1,all,&prod', ['w3', 'w1', 'w2', 'db2']],
    ['all,!nothing*', ['w3', 'w1', 'w2', 'db1', 'db2', 'lone.example.com', 'fe80::1']],
    ['web[0]', ['w3']],
    ['web[-1]', ['w2']],
    ['web[0:1]', ['w3', 'w1']],
    ['web[1:]', ['w1', 'w2']],
    ['web[-2:]', ['w1', 'w2']],
    ['prod[0],db[1]', ['w3', 'db2']],
    ['~w[12]', ['w1', 'w2']],
    ['~^(w|d)\\w*1$', ['w1', 'db1']],
    ['~w\\d{1,3},db1', ['w3', 'w1', 'w2', 'db1']],
    ['*.example.com', ['lone.example.com']],
    ['fe80::1', ['fe80::1']],
    ['ungrouped', ['lone.example.com', 'fe80::1']],
    ['db,empty', ['db1', 'db2']],
  ])('%s', (pattern, expected) => {
    expect(select(pattern)).toEqual(expected);
  });

  it('@failed is what did not end ok, as far as it is still there', () => {
    expect(select('@failed', ['db2', 'gone', 'w1'])).toEqual(['w1', 'db2']);
    expect(select('db,&@failed', ['db2', 'w1'])).toEqual(['db2']);
  });

  it.each<[string, string]>([
    ['', 'empty host selection'],
    [' , ', 'empty host selection'],
    ['wbe', '"wbe" matches none of 7 hosts; did you mean "web"?'],
    ['x*', '"x*" matches none of 7 hosts'],
    ['web,dbb', '"dbb" matches none of 7 hosts; did you mean "db"?'],
    ['all,!db11', '"db11" matches none of 7 hosts; did you mean "db1"?'],
    ['web,&db', '"web,&db" matches none of 7 hosts'],
    ['web,!web', '"web,!web" matches none of 7 hosts'],
    ['empty', '"empty" matches none of 7 hosts'],
    ['web[5]', '"web[5]" matches none of 7 hosts'],
    ['~x.*', '"~x.*" matches none of 7 hosts'],
    ['@failed', '"@failed" needs a last run'],
    ['all,!', 'has a "!" or "&" without a name'],
    ['@retry', '"@retry" is not a host selection'],
    ['~(?<=x)y', 'look-behind is not supported'],
    ['~[', 'E_REGEX'],
  ])('refuses %j, never taking all', (pattern, message) => {
    expect(() => select(pattern)).toThrow(UserError);
    expect(() => select(pattern)).toThrow(message);
  });

  it('@failed without a failure selects nothing and says so', () => {
    expect(() => select('@failed', [])).toThrow('"@failed" matches none of 7 hosts');
  });

  it('names every term that matches nothing', () => {
    expect(() => select('nope1,nope2')).toThrow(/nope1[\s\S]*nope2/);
  });
});
