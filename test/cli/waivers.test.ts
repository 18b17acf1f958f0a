import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reports } from '../../src/reports/index.js';
import { makeProject, type Project, stepOf } from '../support/opsctl.js';

const day = 86_400_000;
const date = (days: number) => new Date(Date.now() + days * day).toISOString().slice(0, 10);

let project: Project;
beforeEach(() => {
  project = makeProject({ 'opsctl.yaml': 'state: state\nwaivers: waivers.yaml\n' });
  project.write(
    'r.yaml',
    `name: Marker
steps:
  - { id: marker, uses: check.file, with: { path: "${join(project.folder, 'marker')}" } }
  - { id: full, uses: check.disk, with: { path: /, critical: 1 } }
  - { id: up, uses: check.uptime }
`,
  );
  waive(
    `{ step: marker, hosts: all, owner: anna, reason: new disks arrive, ticket: OPS-7, expires: ${date(90)} }`,
    full(90),
  );
});
afterEach(() => project.remove());

const full = (days: number) =>
  `{ finding: disk-*, subject: /, hosts: local, owner: ben, reason: known, expires: ${date(days)} }`;
const waive = (...entries: string[]) =>
  project.write('waivers.yaml', `waivers:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`);
const run = (...flags: string[]) => project.run(['run', 'r.yaml', '-o', 'json', ...flags]);

describe('a waived result', () => {
  it('is run and shown, and does not count', async () => {
    const ended = await run();
    const result = ended.json();

    expect(ended.code).toBe(0);
    expect(result.totals).toMatchObject({ ok: 1, failed: 0, waived: 2 });
    expect(stepOf(result, 'local', 'marker')).toMatchObject({
      outcome: 'failed',
      waived: { owner: 'anna', ticket: 'OPS-7' },
    });
    expect(stepOf(result, 'local', 'full').findings[0]?.waived?.owner).toBe('ben');
    expect(result.hosts[0]?.outcome).toBe('ok');
    expect(result.warnings).toEqual([]);
  });

  it.each(Object.keys(reports))('is in the %s report with owner, reason and end', async (format) => {
    const { stdout, code } = await project.run(['run', 'r.yaml', '-o', format]);
    const text = stdout.replace(/\s+/g, ' ');

    expect(code).toBe(0);
    if (format === 'prometheus') expect(text).toContain('outcome="failed",waived="true"');
    else for (const part of ['anna', date(90), 'new disks arrive']) expect(text).toContain(part);
  });

  it('still fails for a finding that nobody named', async () => {
    waive(full(90).replace('subject: /', 'subject: /boot'));

    const ended = await run();

    expect(ended.code).toBe(1);
    expect(ended.json().warnings).toEqual([
      expect.stringMatching(/^waiver for nothing, owner ben: disk-\* \/boot did not occur/),
    ]);
  });
});

describe('the end of a waiver', () => {
  it('fails the run again, and the run says whose it was', async () => {
    waive(`{ step: marker, hosts: all, owner: anna, reason: x, expires: ${date(-1)} }`, full(90));

    const ended = await run();
    const listed = await project.run(['waivers', 'list']);
    const checked = await project.run(['waivers', 'list', '--check']);

    expect(ended.code).toBe(1);
    expect(ended.json().warnings).toEqual([
      `waiver expired ${date(-1)}, owner anna: marker on local counts again (waivers.yaml:2)`,
    ]);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/expired +anna +marker +local +x/);
    expect(checked).toMatchObject({ code: 1, stderr: 'opsctl: 1 waiver expired\n' });
  });

  it('is told 14 days before', async () => {
    waive(`{ step: marker, hosts: all, owner: anna, reason: x, expires: ${date(10)} }`, full(90));

    const ended = await run();

    expect(ended.code).toBe(0);
    expect(ended.json().warnings).toEqual([
      `waiver ends ${date(10)}, in 10 days, owner anna: marker on local (waivers.yaml:2)`,
    ]);
  });
});

describe('a waiver for nothing', () => {
  it('is told by a run of everything, and by no other', async () => {
    writeFileSync(join(project.folder, 'marker'), '');
    const whole = await run();
    const part = await run('-l', 'local');
    rmSync(join(project.folder, 'marker'));
    project.write('other.yaml', 'name: other\nsteps: [{ uses: check.uptime }]\n');
    const other = await project.run(['run', 'other.yaml', '-o', 'json']);

    expect(whole.json().warnings).toEqual([
      expect.stringMatching(/^waiver for nothing, owner anna: marker did not occur/),
    ]);
    expect(part.json().warnings).toEqual([]);
    expect(other.json().warnings).not.toContainEqual(expect.stringContaining('marker'));
  });
});

describe('a group of which a member is waived', () => {
  const group = (require: string, other: string) =>
    `name: g\nsteps:\n  - id: g\n    require: ${require}\n    steps:\n      - { id: marker, uses: check.file, with: { path: "${join(project.folder, 'marker')}" } }\n      - { id: other, uses: check.file, with: { path: "${other}" } }\n`;

  it('does not count when there is nothing else', async () => {
    project.write('g.yaml', group('all', '/etc/passwd'));
    const all = await project.run(['run', 'g.yaml', '-o', 'json']);
    project.write('g.yaml', group('any', '/no/such/file'));
    const any = await project.run(['run', 'g.yaml', '-o', 'json']);

    expect(all.code).toBe(0);
    expect(all.json().totals).toMatchObject({ ok: 1, failed: 0, waived: 2 });
    expect(stepOf(all.json(), 'local', 'g')).toMatchObject({ outcome: 'failed', waived: { owner: 'anna' } });
    expect(any.code).toBe(1);
    expect(stepOf(any.json(), 'local', 'g')).not.toHaveProperty('waived');
  });
});

describe('what could not be told', () => {
  const unknown =
    'name: u\nsteps: [{ id: slow, uses: run.command, with: { command: "sleep 9", effect: read }, timeout: 1s }, { uses: check.uptime }]\n';

  it('is accepted only where the waiver names its reason', async () => {
    project.write('u.yaml', unknown);
    waive(`{ step: slow, hosts: all, owner: anna, reason: x, expires: ${date(90)} }`);
    const silent = await project.run(['run', 'u.yaml']);
    waive(`{ step: slow, hosts: all, owner: anna, reason: x, expires: ${date(90)}, reason-codes: [timeout] }`);
    const named = await project.run(['run', 'u.yaml']);

    expect([silent.code, named.code]).toEqual([3, 0]);
  });
});

describe('the waivers of a project', () => {
  it('are replaced by --waivers, and their mistakes are told before anything runs', async () => {
    project.write(
      'mine.yaml',
      `waivers: [{ step: marker, hosts: nowhere, owner: anna, reason: x, expires: ${date(90)} }]\n`,
    );

    const ended = await run('--waivers', 'mine.yaml');

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('E_NO_HOSTS mine.yaml:1:34 "nowhere" matches none of 1 host');
  });

  it('do not stand in the way of a run on other hosts', async () => {
    waive(`{ step: marker, hosts: local, owner: anna, reason: x, expires: ${date(90)} }`);
    project.write('inventory.yaml', 'hosts: { here: { transport: local } }\n');

    expect((await run('-i', 'inventory.yaml')).code).toBe(1);
  });

  it('are listed with what is left of them, as JSON too', async () => {
    const listed = await project.run(['waivers', 'list', '--json']);

    expect(listed.code).toBe(0);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { owner: 'anna', what: 'marker', hosts: ['local'], expired: false, ticket: 'OPS-7' },
      { owner: 'ben', what: 'disk-* /', expired: false },
    ]);
  });
});
