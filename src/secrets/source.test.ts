import { chmod, chown, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { resolveSecret, type SecretContext } from './source.js';
import { splitCommand } from './split-command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opsctl-secret-'));
});
afterAll(() => rm(folder, { recursive: true }));

const removed: string[] = [];
const contextOf = (more: Partial<SecretContext> = {}): SecretContext => ({
  env: { DB_PW: 'hunter2', SHORT: 'abc', EMPTY: '', PATH: process.env.PATH },
  removeVariable: (name) => removed.push(name),
  cwd: folder,
  uid: process.getuid?.(),
  place: { file: 'r.yaml', line: 4, column: 7 },
  ...more,
});
const read = async (secret: string, more: Partial<SecretContext> = {}) =>
  (await resolveSecret({ secret }, contextOf(more))).reveal((value) => value);
const failure = async (secret: string, more: Partial<SecretContext> = {}) => {
  const error = await resolveSecret({ secret }, contextOf(more)).catch((caught: unknown) => caught);
  if (!(error instanceof UserError)) throw error;
  return { code: error.problems[0]?.code, text: error.message, exit: error.exit };
};
const file = async (name: string, text: string, mode: number) => {
  await writeFile(join(folder, name), text);
  await chmod(join(folder, name), mode);
};

describe('env:', () => {
  it('reads a variable and takes it out of the environment', async () => {
    removed.length = 0;

    expect(await read('env:DB_PW')).toBe('hunter2');
    expect(removed).toEqual(['DB_PW']);
  });

  it('says which variable is missing, and where it is asked for', async () => {
    expect(await failure('env:GONE')).toMatchObject({ code: 'E_SECRET_MISSING', exit: 2 });
    expect((await failure('env:EMPTY')).text).toContain('r.yaml:4:7 the environment variable EMPTY is not set');
  });

  it('refuses a secret that cannot be hidden, unless the step is sensitive', async () => {
    expect(await failure('env:SHORT')).toMatchObject({ code: 'E_SECRET_SHORT', exit: 2 });
    expect((await failure('env:SHORT')).text).not.toContain('abc');
    expect(await read('env:SHORT', { sensitive: true })).toBe('abc');
  });
});

describe('file:', () => {
  it('reads a file of mode 0600 without its last line end', async () => {
    await file('good', 'correct horse\n\n', 0o600);

    expect(await read('file:good')).toBe('correct horse\n');
    expect(await read(`file:${join(folder, 'good')}`)).toBe('correct horse\n');
  });

  it.each([0o644, 0o640, 0o604, 0o660])('refuses mode %i', async (mode) => {
    await file('open', 'correct horse', mode);

    expect(await failure('file:open')).toMatchObject({ code: 'E_SECRET_PERMS', exit: 5 });
    expect((await failure('file:open')).text).toContain('run: chmod 600 open');
  });

  it('refuses a symbolic link, a folder, a missing file and a pipe that nobody writes', async () => {
    await file('target', 'correct horse', 0o600);
    await symlink('target', join(folder, 'link'));

    expect(await failure('file:link')).toMatchObject({ code: 'E_SECRET_PERMS', exit: 5 });
    expect(await failure('file:.')).toMatchObject({ code: 'E_SECRET_MISSING', exit: 2 });
    expect(await failure('file:gone')).toMatchObject({ code: 'E_SECRET_MISSING', exit: 2 });
  });

  it.runIf(process.getuid?.() === 0)('refuses a file of somebody else, but not of root', async () => {
    await file('theirs', 'correct horse', 0o600);
    await chown(join(folder, 'theirs'), 12_345, 0);

    expect(await failure('file:theirs')).toMatchObject({ code: 'E_SECRET_PERMS', exit: 5 });
    await chown(join(folder, 'theirs'), 0, 0);
    expect(await read('file:theirs', { uid: 12_345 })).toBe('correct horse');
  });
});

describe('exec:', () => {
  it('runs a command without a shell', async () => {
    expect(await read(`exec:printf '%s|' "a b" $HOME '*' c\\ d`)).toBe('a b|$HOME|*|c d|');
  });

  it('says what failed, without the arguments and what was printed', async () => {
    const { code, text } = await failure("exec:sh -c 'echo canary-out; echo canary-err >&2; exit 3' canary-arg");

    expect(code).toBe('E_SECRET_MISSING');
    expect(text).toContain('the command sh for a secret fails with status 3');
    expect(text).not.toContain('canary');
    expect((await failure('exec:/no/such/program')).text).toContain('does not exist');
    expect((await failure('exec:true')).text).toContain('is empty');
  });
});

describe('references', () => {
  it('refuses what names no source, without repeating it', async () => {
    const { code, text } = await failure('hunter2');

    expect(code).toBe('E_SECRET_SOURCE');
    expect(text).not.toContain('hunter2');
    expect((await failure('env:')).code).toBe('E_SECRET_SOURCE');
  });

  it('names the secret after its source, and a command not at all', async () => {
    expect(String(await resolveSecret({ secret: 'env:DB_PW' }, contextOf()))).toBe('[secret env:DB_PW]');
    expect(String(await resolveSecret({ secret: 'exec:echo hunter2' }, contextOf()))).toBe('[secret exec]');
  });
});

it.each([
  ["a 'b c' d", ['a', 'b c', 'd']],
  ['a "b \\"c\\" \\n" \'\'', ['a', 'b "c" \\n', '']],
  ['a\\ b  c', ['a b', 'c']],
  ["'open", undefined],
])('splits %s', (line, words) => {
  expect(splitCommand(line)).toEqual(words);
});
