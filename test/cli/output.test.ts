import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { inShell, localInventory, oneStep } from './shell.js';

let project: Project;
beforeAll(() => {
  project = makeProject({
    'opsctl.yaml': 'inventory: inventory.yaml\nstate: state\n',
    'inventory.yaml': localInventory('web1', 'web2', 'web3'),
    'ok.yaml': oneStep('echo hi'),
    'fail.yaml': oneStep('echo broken; exit 3'),
    'long.yaml': `name: Long\nsteps:\n${'  - { uses: run.command, with: { command: "yes long | head -c 60000", effect: read } }\n'.repeat(16)}`,
  });
});
afterAll(() => project.remove());

function lastJournal(): readonly { readonly type: string }[] {
  const runs = join(project.folder, 'state/runs');
  const [last = ''] = readdirSync(runs).sort().reverse();
  const lines = readFileSync(join(runs, last, 'journal.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map(
    (line) => JSON.parse(line.slice(line.indexOf('{"type"'), line.lastIndexOf('}') + 1)) as { type: string },
  );
}

describe('the state folder', () => {
  it('that cannot be made is exit 74 with the way out, and nothing runs', async () => {
    project.write('occupied', 'a file\n');
    const state = join(project.folder, 'occupied');

    const ended = await inShell(project, `cd / && XDG_STATE_HOME=${state} opsctl exec -- touch ${project.folder}/ran`);

    expect(ended.stderr).toMatch(
      /^opsctl: E_OUTPUT the run cannot be kept in \S+\/occupied\/opsctl\/runs\/\S+: not a directory; make it yours, or set XDG_STATE_HOME or `state` in opsctl\.yaml to another folder\n$/,
    );
    expect(ended.code).toBe(74);
    expect(existsSync(join(project.folder, 'ran'))).toBe(false);
  });
});

describeWith('the state folder on a file system that is read-only', ['root', 'unshare'], () => {
  it('is told as what it is', async () => {
    const closed = join(project.folder, 'closed');
    mkdirSync(closed);

    const ended = await inShell(
      project,
      `cd / && unshare -m sh -c 'mount -t tmpfs -o ro tmpfs ${closed} && XDG_STATE_HOME=${closed} opsctl check uptime'`,
    );

    expect(ended.stderr).toMatch(
      /^opsctl: E_OUTPUT the run cannot be kept in \S+: read-only file system; make it yours/,
    );
    expect(ended.code).toBe(74);
  });
});

describe('a result that cannot be kept', () => {
  it('is shown all the same, with exit 74, and nothing is remembered of it', async () => {
    const own = makeProject();
    const state = join(own.state, 'opsctl');
    own.write('in-the-way.yaml', oneStep(`cd ${state}/runs/* && mkdir result.json`));

    const ended = await own.run(['run', 'in-the-way.yaml', '-o', 'json']);
    const remembered = existsSync(join(state, 'history'));
    own.remove();

    expect(ended.json()).toMatchObject({ totals: { ok: 1 }, exit: { code: 0 } });
    expect(ended.stderr).toMatch(/^opsctl: E_OUTPUT the run cannot be kept in \S+: no regular file is there/m);
    expect(ended.code).toBe(74);
    expect(remembered).toBe(false);
  });
});

describe('a folder that was removed under the shell', () => {
  it('is told, and is no bug', async () => {
    const ended = await inShell(project, 'mkdir gone && cd gone && rmdir ../gone && opsctl exec -- true');

    expect(ended.stderr).toMatch(/^opsctl: E_NOT_FOUND the current folder is gone; change to another one$/m);
    expect(ended.code).toBe(2);
  });
});

describe('standard output', () => {
  it('on a full device is exit 74, and the run is kept whole', async () => {
    const ended = await inShell(project, 'opsctl run ok.yaml >/dev/full');

    expect(ended.stderr.trimEnd().split('\n').at(-1)).toBe(
      'opsctl: E_OUTPUT standard output: ENOSPC: no space left on device, write; free space or choose another file',
    );
    expect(ended.code).toBe(74);
    expect(lastJournal().map(({ type }) => type)).toEqual(expect.arrayContaining(['run-start', 'host-end', 'run-end']));
    expect((await inShell(project, 'opsctl report')).stdout).toContain('3 ok');
  });

  it.each([
    ['ok.yaml', 0],
    ['fail.yaml', 1],
  ])('that nobody reads to the end changes nothing about a run: %s', async (runbook, code) => {
    const ended = await inShell(
      project,
      `{ opsctl run ${runbook} -v -o json -o junit=${runbook}.xml; echo "code $?" >&2; } | head -1 >/dev/null`,
    );

    expect(ended.stderr).toContain(`code ${code}`);
    expect(ended.stderr).not.toMatch(/at .*\.js|EPIPE/);
    expect(readFileSync(join(project.folder, `${runbook}.xml`), 'utf8')).toMatch(/<\/testsuites>\s*$/);
  });

  it('that is closed before a run begins does not keep it from running', async () => {
    const ended = await inShell(project, '{ opsctl run fail.yaml; echo "code $?" >&2; } | true');

    expect(ended.stderr).toContain('code 1');
    expect(ended.stderr).not.toMatch(/at .*\.js|EPIPE/);
  });

  it('ends a viewer quietly when the reader goes away', async () => {
    await project.run(['run', 'long.yaml', '-q']);

    const ended = await inShell(project, '{ opsctl report -o json; echo "code $?" >&2; } | head -c 1 >/dev/null');

    expect(ended.stderr.trim()).toBe('code 141');
  });

  it('reaches a slow reader whole', async () => {
    await project.run(['run', 'long.yaml', '-q', '-o', 'json=long.json']);
    const whole = readFileSync(join(project.folder, 'long.json'));
    expect(whole.length).toBeGreaterThan(2_500_000);

    const ended = await inShell(project, 'opsctl report -o json | (sleep 1; wc -c)');

    expect(Number(ended.stdout)).toBe(whole.length);
    expect(ended.code).toBe(0);
  });
});

describe('the answers of opsctl exec', () => {
  it.each(['json', 'json=-'])('give way to a report for standard output: -o %s', async (output) => {
    const ended = await project.run(['exec', '-o', output, '--', 'true']);

    expect(ended.json()).toMatchObject({ totals: { ok: 3 } });
  });
});

describe('standard error', () => {
  it('may be closed or full without an effect on the run', async () => {
    const full = await inShell(project, 'opsctl run fail.yaml 2>/dev/full');
    const closed = await inShell(project, 'opsctl run ok.yaml 2>&-');

    expect(full.code).toBe(1);
    expect(closed.code).toBe(0);
  });
});

describe('report files', () => {
  it('are written together, as many as asked for, with a report on standard output', async () => {
    const ended = await project.run([
      'run',
      'fail.yaml',
      '-o',
      'json=a.json',
      '-o',
      'junit=b.xml',
      '-o',
      'markdown=c.md',
      '-o',
      'table',
    ]);

    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('FAILED');
    expect(ended.stderr).not.toContain('E_');
  });

  it('are told to be impossible before any host is contacted', async () => {
    const before = readdirSync(join(project.folder, 'state/runs')).length;

    const ended = await project.run(['run', 'ok.yaml', '-o', 'junit=missing/out.xml']);

    expect(ended.stderr).toContain('E_REPORT_DIR missing/out.xml the folder');
    expect(ended.stderr).toContain('does not exist; create it: mkdir -p');
    expect(ended.code).toBe(2);
    expect(readdirSync(join(project.folder, 'state/runs'))).toHaveLength(before);
    expect(existsSync(join(project.folder, 'missing'))).toBe(false);
  });
});
