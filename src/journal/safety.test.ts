import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { foldersOfOthers } from './safety.js';

let state = '';
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'opsctl-safety-'));
  mkdirSync(join(state, 'runs'), { mode: 0o700 });
});
afterEach(() => rmSync(state, { recursive: true }));

it('is happy with folders of the user alone, and with those that are not there', () => {
  expect(foldersOfOthers(state, statSync(state).uid, {})).toEqual([]);
  expect(foldersOfOthers(join(state, 'none'), statSync(state).uid, {})).toEqual([]);
});

it.each([0o770, 0o702, 0o777])('names a folder with mode %o', (mode) => {
  chmodSync(join(state, 'runs'), mode);

  expect(foldersOfOthers(state, statSync(state).uid, {})).toEqual([join(state, 'runs')]);
});

it('names a folder of somebody else, unless that one became root', () => {
  const owner = statSync(state).uid;
  const all = [state, join(state, 'runs')];

  // Of root's own folders nobody else is warned.
  expect(foldersOfOthers(state, owner + 1, {})).toEqual(owner === 0 ? [] : all);
  expect(foldersOfOthers(state, 0, { SUDO_UID: String(owner) })).toEqual([]);
});
