import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LastStates, noLastStates } from '../result/last.js';
import { readLastStates, updateLastStates } from './last-states.js';

let parent = '';
let folder = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'opsctl-last-'));
  folder = join(parent, 'history', 'a1');
});
afterEach(() => rmSync(parent, { recursive: true }));

const add =
  (name: string) =>
  (states: LastStates): LastStates => ({
    ...states,
    hosts: { ...states.hosts, [name]: { run: name, at: '2026-06-01T00:00:00Z', steps: {} } },
  });

it('has nothing before the first run', async () => {
  expect(await readLastStates(folder)).toEqual(noLastStates);
});

it('loses nothing of runs that end at once', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `web${index}`);

  await Promise.all(names.map((name) => updateLastStates(folder, add(name))));

  expect(Object.keys((await readLastStates(folder)).hosts).sort()).toEqual([...names].sort());
});

it('keeps two files that only their owner can read, and no drafts', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await updateLastStates(folder, add(name));

  const files = readdirSync(folder).sort();
  expect(files).toEqual(['latest.3.json', 'latest.4.json']);
  expect(files.map((file) => statSync(join(folder, file)).mode & 0o777)).toEqual([0o600, 0o600]);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

const host = (steps: string) =>
  `{"schema":"opsctl.last/1","hosts":{"a":{"run":"r","at":"2026-06-01T00:00:00Z","steps":${steps}}}}`;

it.each([
  '',
  'null',
  '{"schema":"opsctl.last/1"}',
  '{"schema":"opsctl.last/1","hosts":null}',
  '{"schema":"opsctl.last/1","hosts":{"a":null}}',
  '{"schema":"opsctl.last/1","hosts":{"a":{"run":"r","at":"long ago","steps":{}}}}',
  host('7'),
  host('{"s":null}'),
  host('{"s":{"outcome":"fine","since":"2026-06-01T00:00:00Z","bad":0}}'),
  host('{"s":{"outcome":"ok","since":"2026-06-01T00:00:00Z","bad":"x"}}'),
  host('{"s":{"outcome":"ok","since":"2026-06-01T00:00:00Z","bad":0,"findings":{"f":1}}}'),
])('says that a file is damaged, and begins anew: %j', async (text) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'latest.7.json'), text);

  await expect(readLastStates(folder)).rejects.toThrow('latest.7.json is damaged');
  await updateLastStates(folder, add('b'));
  expect(Object.keys((await readLastStates(folder)).hosts)).toEqual(['b']);
});

it('leaves a file of another version as it is', async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'latest.7.json'), '{"schema":"opsctl.last/9","hosts":{}}');

  const told = 'latest.7.json has format opsctl.last/9; this opsctl reads opsctl.last/1';
  await expect(readLastStates(folder)).rejects.toThrow(told);
  await expect(updateLastStates(folder, add('b'))).rejects.toThrow(told);
  expect(readdirSync(folder)).toEqual(['latest.7.json']);
});
