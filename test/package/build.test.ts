import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bundle } from '../../scripts/build.js';

describe('the build', () => {
  const folders: string[] = [];
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'opsctl-build-'));
    folders.push(path);
    return path;
  };
  const contents = (path: string) =>
    Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'utf8')]));

  afterAll(() => {
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  });

  it('gives the same files from the same sources', async () => {
    const [one, two] = [folder(), folder()];

    await bundle(one);
    await bundle(two);

    expect(contents(one)).toEqual(contents(two));
  });

  it('may run twice at once in one folder', async () => {
    const [alone, shared] = [folder(), folder()];
    await bundle(alone);

    await Promise.all([bundle(shared), bundle(shared), bundle(shared)]);

    expect(contents(shared)).toEqual(contents(alone));
  });

  it('keeps the chunks of an earlier build while a run may still ask for them', async () => {
    const path = folder();
    writeFileSync(join(path, 'recent-AAAAAAAA.js'), '');
    writeFileSync(join(path, 'old-AAAAAAAA.js'), '');
    utimesSync(join(path, 'old-AAAAAAAA.js'), 0, 0);

    await bundle(path);

    expect(readdirSync(path)).toContain('recent-AAAAAAAA.js');
    expect(readdirSync(path)).not.toContain('old-AAAAAAAA.js');
  });

  it('takes shell files into the bundle without their comments', async () => {
    const path = folder();

    await bundle(path);

    const all = Object.values(contents(path)).join('\n');
    expect(all).toContain('/proc/loadavg');
    expect(all).not.toContain('Prints the load averages');
    expect(all).not.toMatch(/\.sh", ?import\.meta\.url/);
  });
});
