import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reports } from '../../src/reports/index.js';
import { pluginOutput } from '../reports/plugin.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { runnerCommands } from '../support/runner.js';

const bin = fileURLToPath(new URL('../../bin/opsctl.js', import.meta.url));

const unprintable = /(?![\n\t])\p{Cc}|\u202e/u;

/** A host that drives terminals and runners, and one big answer. */
const runbook = `name: Odd host
hosts: local
steps:
  - id: odd
    name: Says odd things
    uses: run.command
    with:
      effect: read
      command: |
        printf '::error::x\\nok ##[add-mask]a\\n\\033]52;c;aGk=\\007\\033]0;title\\007bar\\rfoo \\342\\200\\256gnp.exe\\n'
        exit 3
  - id: long
    uses: run.command
    with: { effect: read, command: 'i=0; while [ $i -lt 3000 ]; do echo "line $i of a long answer"; i=$((i + 1)); done' }
`;

describe('the reports of a run', () => {
  let project: Project;
  const printed = new Map<string, string>();

  beforeAll(async () => {
    project = makeProject({ 'odd.yaml': runbook });
  });
  afterAll(() => project.remove());

  const shell = (command: string) =>
    new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
      const env = { PATH: process.env.PATH, HOME: project.folder, XDG_STATE_HOME: project.state, OPSCTL: bin };
      const child = execFile(
        'bash',
        ['-o', 'pipefail', '-c', command],
        { cwd: project.folder, env },
        (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });
  const opsctl = `${process.execPath} "$OPSCTL"`;

  it.each(Object.keys(reports))('as %s is printed again by `report`, byte for byte', async (format) => {
    const ended = await project.run(['run', 'odd.yaml', '-o', format]);
    const again = await project.run(['report', 'last', '-o', format]);
    printed.set(format, ended.stdout);

    expect(ended.code).toBe(format === 'nagios' ? 2 : 1);
    expect(again.code).toBe(0);
    expect(again.stdout).toBe(ended.stdout);
    // CSV ends its lines with CRLF; a lone CR anywhere is still refused.
    expect(format === 'csv' ? ended.stdout.replaceAll('\r\n', '\n') : ended.stdout).not.toMatch(unprintable);
    expect(ended.stderr).not.toMatch(unprintable);
    expect(runnerCommands(ended.stderr)).toEqual([]);
    expect(runnerCommands(ended.stdout)).toEqual(format === 'github' ? ['error', 'stop-commands'] : []);
  });

  it('shows an escape sequence as text', () => {
    expect(printed.get('table')).toContain('\\x1b]52;c;aGk=\\x07\\x1b]0;title\\x07bar\\x0dfoo \\u{202e}gnp.exe');
  });

  it('reads as a plug-in', () => {
    expect(pluginOutput(printed.get('nagios') ?? '')).toMatchObject({ service: 'OPSCTL', state: 'CRITICAL' });
  });

  it('writes several reports from one run, the files for nobody else to read', async () => {
    const ended = await project.run(['run', 'odd.yaml', '-o', 'nagios', '-o', 'junit=out.xml', '-o', 'json=out.json']);

    expect(ended.stdout).toMatch(/^OPSCTL CRITICAL - /);
    expect(readFileSync(join(project.folder, 'out.xml'), 'utf8')).toContain('<failure type="exit-status"');
    for (const file of ['out.xml', 'out.json']) expect(statSync(join(project.folder, file)).mode & 0o777).toBe(0o600);
  });

  it('lets the exporter read its file, from a run and from a report', async () => {
    await project.run(['run', 'odd.yaml', '--quiet', '-o', 'prometheus=run.prom']);
    await project.run(['report', '-o', 'prometheus=report.prom']);

    for (const file of ['run.prom', 'report.prom'])
      expect(statSync(join(project.folder, file)).mode & 0o777).toBe(0o644);
  });

  it('refuses two reports for one file before anything runs', async () => {
    const ended = await project.run(['run', 'odd.yaml', '-o', 'json=out', '-o', 'junit=./out']);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^opsctl: E_OUTPUT_TWICE two reports would be written to \/.*\/out; /);
  });

  it('refuses a mistake in `-o` before anything runs', async () => {
    const before = (await project.run(['runs', '--json'])).stdout;
    const ended = await project.run(['run', 'odd.yaml', '-o', 'jnit']);

    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain('did you mean "junit"?');
    expect((await project.run(['runs', '--json'])).stdout).toBe(before);
  });

  it('ends with 74 on a full disk and keeps the run', async () => {
    const full = await shell(`${opsctl} run odd.yaml -o table > /dev/full`);

    expect(full.code).toBe(74);
    expect(full.stderr).toContain('E_OUTPUT standard output: ENOSPC');
    expect(full.stderr).not.toMatch(/^\s+at /m);
    expect((await project.run(['report'])).stdout).toContain('Odd host');
  });

  it('gives a run its own exit code when the reader goes away, and a viewer 141', async () => {
    const [run, viewer] = [
      await shell(`${opsctl} run odd.yaml -o json | head -c 1 >/dev/null; exit \${PIPESTATUS[0]}`),
      await shell(`${opsctl} report -o json | head -c 1 >/dev/null; exit \${PIPESTATUS[0]}`),
    ];

    expect(run.code).toBe(1);
    expect(viewer.code).toBe(141);
    expect(viewer.stderr).toBe('');
  });

  it('gives a slow reader all bytes', async () => {
    const [slow, whole] = [
      await shell(`${opsctl} report -v | (sleep 1; wc -c)`),
      await shell(`${opsctl} report -v | wc -c`),
    ];

    expect(Number(slow.stdout)).toBeGreaterThan(1000);
    expect(slow.stdout).toBe(whole.stdout);
  });

  it('explains a run that is not there', async () => {
    const ended = await project.run(['report', 'nope']);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^opsctl: E_RUN_NOT_FOUND no run "nope" in .*; list them with `opsctl runs`\n$/);
  });
});

describe('a monitoring daemon', () => {
  it('gets 0 to 3 for every end of a run', async () => {
    const project = makeProject();
    try {
      for (const [program, code] of [
        ['exit 0', 0],
        ['exit 9', 2],
      ] as const) {
        const ended = await project.run(['exec', '-o', 'nagios', '--', program]);

        expect(ended.code).toBe(code);
        expect(pluginOutput(ended.stdout).state).toBe(code === 0 ? 'OK' : 'CRITICAL');
      }
    } finally {
      project.remove();
    }
  });
});
