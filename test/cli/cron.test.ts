import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeProject, type Project } from '../support/opsctl.js';
import { inShell, installOpsctl, localInventory, oneStep } from './shell.js';

let project: Project;
beforeAll(() => {
  const names = Array.from({ length: 60 }, (_, index) => `host-${index}-${'x'.repeat(index % 7)}`);
  project = makeProject({
    'opsctl.yaml': 'inventory: inventory.yaml\nstate: state\n',
    'inventory.yaml': localInventory(...names),
    'ok.yaml': oneStep('echo hi'),
    // Each host fails in its own words, so that nothing folds.
    'fail.yaml': `name: Fails\nsteps:\n  - { uses: run.command, with: { command: 'echo "$1"; exit 3', args: ["\${{ host.name }}"], effect: read } }\n`,
    'change.yaml': oneStep('echo changed', '', 'change'),
  });
});
afterAll(() => project.remove());

/** What cron gives: no HOME, no terminal, the shortest PATH. */
const cron = (line: string) => {
  installOpsctl(project);
  return inShell(project, `env -i PATH=/usr/bin:/bin ${project.folder}/bin/opsctl ${line}`);
};

describe('under cron', () => {
  it('a green run with --quiet says nothing at all', async () => {
    expect(await cron('run ok.yaml --quiet')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await cron('exec --quiet -- true')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await cron('check file --path /etc/passwd --quiet')).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('a failure with --quiet is a mail of 20 lines at most, with the way to the rest', async () => {
    const ended = await cron('run fail.yaml --quiet');

    const lines = `${ended.stdout}${ended.stderr}`.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines.join('\n')).toContain('failed');
    expect(lines.at(-1)).toMatch(/opsctl report \d{8}T\d{6}Z-/);
    expect(ended.code).toBe(1);
  });

  it('a report that was asked for is written in full, --quiet or not', async () => {
    const ended = await cron('run fail.yaml --quiet -o json');

    expect((JSON.parse(ended.stdout) as { hosts: unknown[] }).hosts).toHaveLength(60);
    expect(ended.stderr).toBe('');
  });

  it('keeps its state without HOME', async () => {
    expect((await cron('report last')).stdout).toContain('60 hosts');
  });
});

describe('without a terminal', () => {
  const ways: Readonly<Record<string, string>> = {
    'a closed stdin': 'COMMAND <&-',
    '/dev/null': 'COMMAND </dev/null',
    'a pipe that stays open': 'COMMAND < <(exec sleep 15 >/dev/null 2>&1)',
    'no session': 'setsid -w COMMAND </dev/null',
  };
  const questions: Readonly<Record<string, { readonly line: string; readonly told: string; readonly code: number }>> = {
    'a change': { line: 'run change.yaml', told: 'E_NOT_CONFIRMED this run changes 60 hosts; pass `--yes`', code: 5 },
    'an ad-hoc change': { line: 'exec --change -- true', told: 'E_NOT_CONFIRMED this run changes 60 hosts', code: 5 },
    'a first project': {
      line: 'init new',
      told: 'E_NO_TTY there is no terminal to ask on; pass `--host NAME`',
      code: 5,
    },
  };
  const cases = Object.entries(ways).flatMap(([way, form]) =>
    Object.entries(questions).map(([what, question]) => ({ way, form, what, ...question })),
  );

  it.each(cases)('$what never waits for a person: $way', async ({ form, line, told, code }) => {
    const ended = await inShell(project, form.replace('COMMAND', `opsctl ${line}`), { seconds: 30 });

    expect(ended.stderr).toContain(told);
    expect(ended.stdout).toBe('');
    expect(ended.code).toBe(code);
  });
});
