import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

const inSource = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('generated'))
  .flatMap((file) => codesIn(readFileSync(join(root, 'src', file), 'utf8'), /'(E_[A-Z][A-Z0-9_]+)'/g));

const inDocs = codesIn(readFileSync(join(root, 'docs/errors.md'), 'utf8'), /^\| `(E_[A-Z0-9_]+)` \|/gm);

function codesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}

it('docs/errors.md has every code once, and no other', () => {
  expect([...inDocs].sort()).toEqual([...new Set(inSource)].sort());
});
