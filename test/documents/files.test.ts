import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOutputPath, checkOutputPaths } from '../../src/documents/paths.js';
import { loadProject } from '../../src/documents/project.js';
import { type GroupEntry, loadRunbook, type StepEntry } from '../../src/documents/runbook.js';
import { UserError } from '../../src/errors.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'opsctl-documents-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};

async function codesOf(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.exit).toBe(2);
    return error.problems.map(({ code }) => code);
  }
}

const step = '  - uses: check.load\n';

describe('loadRunbook', () => {
  it('gives the steps as a tree with stable keys and defaults', async () => {
    write(
      'main.yaml',
      `name: x\nsteps:\n  - id: load\n    uses: check.load\n  - steps:\n    ${step}    always:\n    ${step}  - uses: flow.runbook\n    with: { file: sub/health.yaml, params: { days: 2 } }\n`,
    );
    write(
      'sub/health.yaml',
      `name: health\nparams: { days: { type: integer } }\nsteps:\n  - id: load\n    uses: check.load\n${step}`,
    );

    const runbook = await loadRunbook('main.yaml', { cwd: folder });

    const [first, group, include] = runbook.entries as [StepEntry, GroupEntry, GroupEntry];
    expect(first).toMatchObject({
      kind: 'step',
      key: 'load',
      step: { uses: 'check.load', sensitive: false, with: {} },
    });
    expect(first.stepKind.kind).toBe('check.load');
    expect([group.key, group.steps[0]?.key, group.always[0]?.key]).toEqual(['2', '2/1', '2/always/1']);
    expect(include.include?.params).toEqual({ days: 2 });
    expect(include.steps.map(({ key }) => key)).toEqual(['3/load', '3/2']);
    expect(include.steps[0]?.document.file).toBe('sub/health.yaml');
    expect(runbook.files.map(({ file }) => file)).toEqual(['main.yaml', 'sub/health.yaml']);
    expect(runbook.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('refuses a FIFO, a device and a folder without waiting', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.yaml')]);
    for (const file of ['pipe.yaml', '/dev/zero', '.']) {
      const main = `name: x\nsteps:\n  - uses: flow.runbook\n    with: { file: ${file} }\n`;
      write('main.yaml', main);

      expect(await codesOf(loadRunbook('main.yaml', { cwd: folder }))).toEqual(['E_NOT_REGULAR']);
      expect(await codesOf(loadRunbook(file, { cwd: folder }))).toEqual(['E_NOT_REGULAR']);
    }
  });

  it('refuses a symbolic link that leads out of the project', async () => {
    write('outside.yaml', `name: x\nsteps:\n${step}`);
    write('project/main.yaml', 'name: x\nsteps:\n  - uses: flow.runbook\n    with: { file: link.yaml }\n');
    symlinkSync(join(folder, 'outside.yaml'), join(folder, 'project/link.yaml'));
    const cwd = join(folder, 'project');

    expect(await codesOf(loadRunbook('main.yaml', { cwd }))).toEqual(['E_PATH_OUTSIDE']);
    expect(await codesOf(loadRunbook('main.yaml', { cwd, projectRoot: folder }))).toEqual([]);
  });

  it('finds a cycle through a symbolic link', async () => {
    write('main.yaml', 'name: x\nsteps:\n  - uses: flow.runbook\n    with: { file: link.yaml }\n');
    symlinkSync(join(folder, 'main.yaml'), join(folder, 'link.yaml'));

    expect(await codesOf(loadRunbook('main.yaml', { cwd: folder }))).toEqual(['E_INCLUDE_CYCLE']);
  });

  it('stops at 200 included runbooks', async () => {
    const twice = (file: string) =>
      `name: x\nsteps:\n${`  - uses: flow.runbook\n    with: { file: ${file} }\n`.repeat(2)}`;
    for (let level = 0; level < 12; level++) write(`level${level}.yaml`, twice(`level${level + 1}.yaml`));
    write('level12.yaml', `name: x\nsteps:\n${step}`);

    expect(await codesOf(loadRunbook('level0.yaml', { cwd: folder }))).toEqual(['E_INCLUDE_LIMIT']);
  });
});

describe('loadProject', () => {
  const uid = process.getuid?.() ?? 0;

  it('finds opsctl.yaml upward and makes its paths absolute', async () => {
    write(
      'opsctl.yaml',
      'inventory: hosts.yaml\nknown_hosts: [known_hosts, ~/.ssh/known_hosts]\nstate: .state\noutputs: [table, junit=out/x.xml]\n',
    );
    mkdirSync(join(folder, 'a/b'), { recursive: true });

    const project = await loadProject({ cwd: join(folder, 'a/b'), uid, home: '/home/ops' });

    expect(project).toMatchObject({
      root: folder,
      inventory: [join(folder, 'hosts.yaml')],
      knownHosts: [join(folder, 'known_hosts'), '/home/ops/.ssh/known_hosts'],
      state: join(folder, '.state'),
      outputs: ['table', `junit=${join(folder, 'out/x.xml')}`],
    });
  });

  it('is the working folder when there is none', async () => {
    const project = await loadProject({ cwd: folder, uid });

    expect(project).toEqual({ root: folder, inventory: [], knownHosts: [], outputs: [] });
  });

  it('refuses one in a folder that every user may write to', async () => {
    write('opsctl.yaml', 'inventory: hosts.yaml\n');
    chmodSync(folder, 0o1777);
    if (uid === 0) chownSync(folder, 1234, 1234);

    const other = { cwd: folder, uid: uid === 0 ? 0 : uid + 1 };
    expect(await codesOf(loadProject(other))).toEqual(['E_DIR_UNSAFE']);
    expect(await codesOf(loadProject({ ...other, explicit: '.' }))).toEqual([]);
  });

  it('takes one of the own user there, such as on a mounted drive', async () => {
    write('opsctl.yaml', 'inventory: hosts.yaml\n');
    chmodSync(folder, 0o777);

    expect(await codesOf(loadProject({ cwd: folder, uid }))).toEqual([]);
  });

  it('names the folder when an explicit one has no project file', async () => {
    expect(await codesOf(loadProject({ cwd: folder, explicit: 'missing', uid }))).toEqual(['E_NOT_FOUND']);
  });
});

describe('checkOutputPath', () => {
  it('takes a new file and a regular one', async () => {
    write('old.xml', '');

    expect(await codesOf(checkOutputPath('new.xml', folder))).toEqual([]);
    expect(await codesOf(checkOutputPath('old.xml', folder))).toEqual([]);
  });

  it('refuses symbolic links, missing folders and what is no file', async () => {
    write('target', 'kept');
    symlinkSync(join(folder, 'target'), join(folder, 'link.xml'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling.xml'));
    mkdirSync(join(folder, 'sub'));

    expect(await codesOf(checkOutputPath('link.xml', folder))).toEqual(['E_PATH_SYMLINK']);
    expect(await codesOf(checkOutputPath('dangling.xml', folder))).toEqual(['E_PATH_SYMLINK']);
    expect(await codesOf(checkOutputPath('missing/x.xml', folder))).toEqual(['E_REPORT_DIR']);
    expect(await codesOf(checkOutputPath('target/x.xml', folder))).toEqual(['E_REPORT_DIR']);
    expect(await codesOf(checkOutputPath('sub', folder))).toEqual(['E_NOT_REGULAR']);
  });

  it('refuses two reports for one file, however it is spelt', async () => {
    mkdirSync(join(folder, 'sub'));
    symlinkSync(join(folder, 'sub'), join(folder, 'again'));

    for (const files of [
      ['a', './a'],
      ['a', join(folder, 'a')],
      ['sub/a', 'again/a'],
      ['sub/../a', 'a'],
    ])
      expect(await codesOf(checkOutputPaths(files, folder))).toEqual(['E_OUTPUT_TWICE']);
    expect(await codesOf(checkOutputPaths(['a', 'sub/a', 'b'], folder))).toEqual([]);
  });
});
