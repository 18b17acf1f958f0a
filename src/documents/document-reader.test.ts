import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../errors.js';
import { type DocumentReader, documentReader } from './document-reader.js';
import { rewritten, sourceOf } from './source.js';

const base = mkdtempSync(join(tmpdir(), 'opsctl-reader-'));
const root = join(base, 'project');
const from = { file: 'runbook.yaml', line: 3, column: 5 };

beforeAll(() => {
  const files = {
    'project/books/rules.yaml': 'a: 1\n',
    'project/books/more/b.yaml': '- 1\n',
    'project/books/more/a.yaml': '- 2\n',
    'project/books/more/note.txt': 'x\n',
    'project/shared.yaml': 'c: 3\n',
    'outside.yaml': 'd: 4\n',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), text);
  }
  symlinkSync(join(base, 'outside.yaml'), join(root, 'link.yaml'));
});
afterAll(() => rmSync(base, { recursive: true }));

function newReader(options: { readonly root?: string } = { root }) {
  const problems: Problem[] = [];
  const files: { file: string; sha256: string }[] = [];
  const reader: DocumentReader = documentReader({
    cwd: root,
    folder: join(root, 'books'),
    place: (path) => ({ ...from, file: path.join('/') }),
    refuse: (problem) => problems.push(problem),
    files,
    ...options,
  });
  return { reader, problems, files };
}

describe('the documents of a step', () => {
  it('are read relative to the runbook, and listed with their hash', async () => {
    const { reader, problems, files } = newReader();

    const parsed = await reader.load('rules.yaml', { from, subject: 'rules' });

    expect(parsed?.value).toEqual({ a: 1 });
    expect(parsed?.place(['a'])).toMatchObject({ file: 'books/rules.yaml', line: 1, column: 4 });
    expect(files).toEqual([{ file: 'books/rules.yaml', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(problems).toEqual([]);
  });

  it('include files relative to themselves', async () => {
    const { reader } = newReader();
    const first = await reader.read('../shared.yaml', { from });

    const second = await reader.read('books/rules.yaml', { from, ...(first && { beside: first }) });

    expect(second?.source.text).toBe('a: 1\n');
  });

  it.each([['../../outside.yaml'], ['../link.yaml']])('are refused outside the project: %s', async (name) => {
    const { reader, problems } = newReader();

    expect(await reader.read(name, { from })).toBeUndefined();

    expect(problems).toMatchObject([{ code: 'E_PATH_OUTSIDE', place: from }]);
  });

  it('may be anywhere when the command line names them, but not what they include', async () => {
    const { reader, problems } = newReader({});

    const named = await reader.read('../shared.yaml', { from });
    await reader.read('../outside.yaml', { from, ...(named && { beside: named }) });

    expect(named?.source.text).toBe('c: 3\n');
    expect(problems).toMatchObject([{ code: 'E_PATH_OUTSIDE' }]);
  });

  it('that include themselves are refused', async () => {
    const { reader, problems } = newReader();
    const first = await reader.read('rules.yaml', { from });

    await reader.read('rules.yaml', { from, ...(first && { beside: first }) });

    expect(problems).toMatchObject([{ code: 'E_INCLUDE_CYCLE', what: 'books/rules.yaml → books/rules.yaml' }]);
  });

  it('are found by a pattern, sorted', async () => {
    const { reader } = newReader();

    expect(await reader.find('more/[ab]*.yaml', { from })).toEqual(
      ['a', 'b'].map((name) => join(root, 'books/more', `${name}.yaml`)),
    );
    expect(await reader.find('m?re/*.txt', { from })).toEqual([join(root, 'books/more/note.txt')]);
    expect(await reader.find('*/*.json', { from })).toEqual([]);
  });

  it('are told when they are missing or broken', async () => {
    const { reader, problems } = newReader();
    writeFileSync(join(root, 'books/broken.yaml'), 'a: 1\na: 2\n');

    expect(await reader.load('rule.yaml', { from, subject: 'rules' })).toBeUndefined();
    expect(await reader.load('broken.yaml', { from, subject: 'rules' })).toBeUndefined();

    expect(problems.map(({ code, place }) => [code, place?.file])).toEqual([
      ['E_NOT_FOUND', 'runbook.yaml'],
      ['E_YAML_DUPKEY', 'books/broken.yaml'],
    ]);
  });

  it('are named without expressions', () => {
    const { reader, problems } = newReader();

    expect(reader.areFixed({ file: 'a.yaml', other: '${{ vars.x }}' }, ['file'])).toBe(true);
    expect(reader.areFixed({ vars: { list: ['a', '${{ host.name }}'] } }, ['vars'])).toBe(false);

    expect(problems).toMatchObject([{ code: 'E_INCLUDE_DYNAMIC', place: { file: 'vars/list/1' } }]);
  });
});

it('places in a rewritten text are those of the original', () => {
  const original = sourceOf('a.yaml', 'x: {{ name }}\ny: 1\n');
  const text = rewritten(original, [
    { text: 'x: ', start: 0, end: 3, copied: true },
    { text: 'longer\nz: 2', start: 3, end: 13, copied: false },
    { text: '\ny: 1\n', start: 13, end: 19, copied: true },
  ]);

  expect(text.text).toBe('x: longer\nz: 2\ny: 1\n');
  expect(text.place(10)).toMatchObject({ line: 1, column: 4, length: 10 });
  expect(text.place(text.text.indexOf('1'))).toMatchObject({ line: 2, column: 4, source: 'y: 1' });
});
