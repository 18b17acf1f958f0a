import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { inShell, localInventory, oneStep } from './shell.js';

let project: Project;
beforeAll(() => {
  project = makeProject({
    'opsctl.yaml': 'inventory: inventory.yaml\nstate: state\n',
    'inventory.yaml': `groups:\n  fleet: { hosts: [web1, web2] }\n${localInventory('web1', 'web2', 'db1')}`,
    'runbooks/patch.yaml': oneStep('true'),
    'runbooks/deep/audit.yaml': oneStep('true'),
  });
});
afterAll(() => project.remove());

/** The values that are offered for the last word. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const ended = await project.run(['complete', '--', ...words]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return ended.stdout
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith(':'))
    .map((line) => line.split('\t')[0] ?? '');
}

describe('opsctl complete', () => {
  it.each([
    [['ru'], ['run', 'runs']],
    [['check', 'd'], expect.arrayContaining(['disk'])],
    [
      ['check', 'disk', '--warning'],
      ['--warning', '--warning-inodes'],
    ],
    [
      ['run', '--fail-on', ''],
      ['failed', 'new', 'warning'],
    ],
    [
      ['run', '-o', 'j'],
      ['json', 'junit'],
    ],
    [
      ['run', '--output=j'],
      ['json', 'junit'],
    ],
    [
      ['run', '-l', 'web'],
      ['web1', 'web2'],
    ],
    [['exec', '--hosts', 'f'], ['fleet']],
    [
      ['run', '-i', 'other1,other2,', '-l', 'o'],
      ['other1', 'other2'],
    ],
    [
      ['trust', 'add', '-i', 'other1,other2,', 'o'],
      ['other1', 'other2'],
    ],
    [['compare', '--fact', 'ker'], ['kernel']],
    [['compare', '--run', 'la'], ['last']],
    [
      ['inventory', ''],
      ['list', 'graph', 'show'],
    ],
    [['inventory', 'show', 'd'], ['db1']],
    [['inventory', 'list', '--js'], ['--json']],
    [['trust', 's'], ['scan']],
    [['steps', 'check.tl'], ['check.tls']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', 'powershell'],
    ],
    [
      ['run', 'runbooks/'],
      ['runbooks/deep/audit.yaml', 'runbooks/patch.yaml'],
    ],
    [['help', 'tr'], ['trust']],
    [['nonsense', ''], []],
  ])('%j', async (words, values) => {
    expect([...(await offered(...words))].sort()).toEqual(Array.isArray(values) ? [...values].sort() : values);
  });

  it('offers the runs that are kept', async () => {
    await project.run(['run', 'runbooks/patch.yaml', '-q']);

    expect(await offered('resume', '')).toEqual(['last', expect.stringMatching(/^\d{8}T\d{6}Z-/)]);
  });

  it('offers nothing, and says nothing, where the inventory is broken', async () => {
    const broken = makeProject({ 'opsctl.yaml': 'inventory: nope.yaml\n' });
    try {
      expect(await broken.run(['complete', '--', 'run', '-l', ''])).toMatchObject({ code: 0, stderr: '' });
    } finally {
      broken.remove();
    }
  });
});

describe('the script for bash', () => {
  /** What bash offers for a line when TAB is hit at its end, with the script loaded as the help says. */
  const tab = (line: string, before = '') =>
    inShell(
      project,
      `${before} eval "$(opsctl completion bash)"
       COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}
       read -ra COMP_WORDS <<<"$COMP_LINE"; [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
       COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
       _opsctl opsctl "\${COMP_WORDS[COMP_CWORD]}" ""; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );

  it.each([
    ['opsctl ru', ['run', 'runs']],
    ['opsctl run -l web', ['web1', 'web2']],
    ['opsctl check loa', ['load']],
    ['opsctl run runbooks/p', ['runbooks/patch.yaml']],
  ])('completes "%s"', async (line, values) => {
    expect((await tab(line)).stdout.trim().split('\n')).toEqual(values);
  });

  it('runs nothing that stands on the line', async () => {
    const ended = await tab('opsctl run $(touch${IFS}pwned) `touch${IFS}pwned` ;touch${IFS}pwned ');

    expect(ended.stderr).toBe('');
    expect((await inShell(project, 'ls')).stdout).not.toContain('pwned');
  });
});

describeWith('the scripts for other shells', ['zsh', 'fish'], () => {
  it.each(['bash', 'zsh', 'fish'])('are good %s', async (shell) => {
    const ended = await project.run(['completion', shell]);

    expect(ended).toMatchObject({ code: 0, stderr: '' });
    execFileSync(shell, ['-n', project.write(`completion.${shell}`, ended.stdout)]);
  });

  it('work in fish', async () => {
    const ended = await inShell(
      project,
      `fish --no-config -c 'opsctl completion fish | source; complete -C "opsctl run -l web"'`,
    );

    expect(ended.stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(
      expect.arrayContaining(['web1', 'web2']),
    );
  });
});
