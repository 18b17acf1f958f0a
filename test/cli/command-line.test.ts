import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/commands/index.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { inShell, localInventory, oneStep } from './shell.js';

let project: Project;
beforeAll(() => {
  project = makeProject({
    'opsctl.yaml': 'inventory: inventory.yaml\n',
    'inventory.yaml': localInventory('web1', 'web2'),
    'ok.yaml': oneStep('echo hi'),
    'params.yaml': `params: { size: { type: integer } }\n${oneStep('echo hi')}`,
  });
});
afterAll(() => project.remove());

describe('a mistake on the command line', () => {
  const mistakes: Readonly<Record<string, string>> = {
    rnu: 'E_FLAG unknown command `rnu`; did you mean `run`?',
    'help rnu': 'E_FLAG unknown command `rnu`; did you mean `run`?',
    frobnicate: 'E_FLAG unknown command `frobnicate`; see `opsctl --help`',
    '--frob': 'E_FLAG unknown option `--frob`; see `opsctl --help`',
    'run --hots web ok.yaml': 'E_FLAG unknown option `--hots`; did you mean `--hosts`?',
    'run --frobnicate ok.yaml': 'E_FLAG unknown option `--frobnicate`; see `opsctl run --help`',
    run: 'E_FLAG missing argument <runbook>; see `opsctl run --help`',
    'run ok.yaml more': 'E_FLAG `run` takes 1, not 2 arguments; see `opsctl run --help`',
    'run ok.yaml --transport pigeon':
      'E_FLAG `--transport pigeon` is invalid: choose one of local, ssh, openssh; see `opsctl run --help`',
    'run ok.yaml --concurrency many':
      'E_FLAG `--concurrency many` is invalid: a whole number from 1 to 10000; see `opsctl run --help`',
    'run ok.yaml -p size': 'E_FLAG `--param size` has no value; write `--param NAME=VALUE`',
    'run ok.yaml -p size=1': 'E_KEY_UNKNOWN the runbook has no parameter `size`; it takes no parameters',
    'run params.yaml': 'E_KEY_MISSING the runbook needs the parameter `size`; set it with `--param size=VALUE`',
    'run params.yaml -p size=big': 'E_TYPE the parameter `size` is a whole number, got "big"',
    'run okk.yaml': 'E_NOT_FOUND okk.yaml there is no such file; did you mean `ok.yaml`?',
    'run -': 'E_NOT_FOUND - there is no such file; standard input is not read: write it into a file',
    'run nope.yaml': 'E_NOT_FOUND nope.yaml there is no such file; check the path',
    'run ok.yaml -l wbe*': 'E_NO_HOSTS "wbe*" matches none of 2 hosts',
    'run ok.yaml -o jnit': 'E_OUTPUT_FORMAT unknown report format "jnit"; did you mean "junit"?',
    'run ok.yaml -o junit=missing/out.xml': 'E_REPORT_DIR missing/out.xml',
    'run ok.yaml -o json -o junit': 'E_OUTPUT_TWICE json and junit cannot share standard output',
    'run ok.yaml --tags nightly': 'E_NO_STEPS no step is left to run',
    check: 'E_STEP_UNKNOWN name a check',
    'check dsk': 'E_STEP_UNKNOWN unknown check "dsk"; did you mean `disk`?',
    exec: 'E_FLAG no command; write `opsctl exec -- uptime`',
    'completion tcsh': 'E_FLAG "tcsh" is no shell: choose one of bash, zsh, fish, powershell',
    'resume nope': 'E_RUN_NOT_FOUND no run "nope"',
  };

  it.each(Object.entries(mistakes))(
    'opsctl %s is refused in one line, exit 2, before any contact',
    async (line, told) => {
      const ended = await project.run(line.split(' '));

      expect(ended.stderr).toContain(told);
      expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(existsSync(join(project.state, 'opsctl/runs'))).toBe(false);
    },
  );

  it('takes an empty pattern for a mistake, never for all hosts', async () => {
    expect(await project.run(['run', 'ok.yaml', '-l', ''])).toMatchObject({ code: 2, stdout: '' });
  });

  it('leaves flags behind an ad-hoc command to the command', async () => {
    const ended = await project.run(['exec', '-l', 'web1', 'printf', '%s', '-o', '--debug']);

    expect(ended.stdout).toContain('-o');
    expect(ended.stderr).not.toMatch(/^debug /m);
    expect(ended.code).toBe(0);
  });

  it('takes what looks like an expression in an ad-hoc command for text', async () => {
    const ended = await project.run(['exec', '-l', 'web1', 'printf', '%s', '${{ run.id }}']);

    expect(ended.stdout).toContain('${{ run.id }}');
    expect(ended.code).toBe(0);
  });

  it('takes one value for each flag, so that the runbook may stand anywhere', async () => {
    const ended = await project.run(['run', '-i', 'inventory.yaml', '-l', 'web1', '-o', 'json', 'ok.yaml']);

    expect(ended.json().hosts.map(({ name }) => name)).toEqual(['web1']);
  });
});

it('tells all that is wrong with the parameters at once', async () => {
  const ended = await project.run(['run', 'params.yaml', '-p', 'sise=1']);

  expect(ended.stderr).toMatch(/E_KEY_UNKNOWN .*`sise`.*did you mean `size`\?/);
  expect(ended.stderr).toContain('E_KEY_MISSING');
  expect(ended.code).toBe(2);
});

describe('the help', () => {
  const lines = Object.keys(commands).flatMap((name) => [
    [name, '--help'],
    ['help', name],
  ]);

  it.each([...lines, ['check', 'disk', '--help'], ['trust', 'scan', '--help']])(
    'opsctl %s %s fits on 80 columns',
    async (...words) => {
      const ended = await project.run(words.filter((word) => word !== undefined));

      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(ended.stdout).toMatch(/^Usage: opsctl /);
      for (const line of ended.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  it('comes when no command is named, and then nothing was done: exit 2', async () => {
    const bare = await project.run([]);
    const asked = await project.run(['--help']);

    expect(bare).toMatchObject({ code: 2, stdout: '' });
    expect(bare.stderr).toBe(asked.stdout);
    expect(asked.code).toBe(0);
    for (const [name, { hidden }] of Object.entries(commands))
      if (!hidden) expect(asked.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });
});

describe('a report file', () => {
  it('is not written through a symbolic link', async () => {
    writeFileSync(join(project.folder, 'victim'), 'precious');
    symlinkSync('victim', join(project.folder, 'link.xml'));

    const ended = await project.run(['run', 'ok.yaml', '-o', 'junit=link.xml']);

    expect(ended.stderr).toContain('E_PATH_SYMLINK link.xml');
    expect(ended.code).toBe(2);
    expect(readFileSync(join(project.folder, 'victim'), 'utf8')).toBe('precious');
  });
});

describe('a project file in a folder that others may write to', () => {
  it('is refused until --project accepts it', async () => {
    const shared = join(project.folder, 'shared');
    mkdirSync(shared);
    for (const name of ['opsctl.yaml', 'inventory.yaml', 'ok.yaml'])
      writeFileSync(join(shared, name), readFileSync(join(project.folder, name)));
    chmodSync(shared, 0o777);
    if (process.getuid?.() === 0) chownSync(shared, 65_534, 65_534);

    const refused = await project.run(['run', 'ok.yaml'], { cwd: shared });
    const accepted = await project.run(['run', 'ok.yaml', '--project', '.'], { cwd: shared });

    expect(refused.stderr).toContain('E_DIR_UNSAFE');
    expect(refused.stderr).toContain('--project');
    expect(refused.code).toBe(2);
    expect(accepted.code).toBe(0);
  });
});

describe('arguments', () => {
  it('that are not UTF-8 are refused: they would name something else', async () => {
    const ended = await inShell(project, `opsctl run ok.yaml -l $'web\\xff'`);

    expect(ended.stderr).toContain('is not valid UTF-8');
    expect(ended.code).toBe(2);
  });
});
