import { describe, expect, it } from 'vitest';
import { loadRunbook } from '../documents/runbook.js';
import { writeRunbook } from '../documents/write-runbook.js';
import type { StepResult } from '../result/result.schema.js';
import { draftRunbook } from './draft.js';
import { findRefused } from './refused.js';
import type { Survey } from './subject.js';
import { findTrials, type Part, type Step } from './trial.js';

/** A survey of one subject's lines, and nothing else. */
function surveyOf(said: Readonly<Record<string, readonly string[]>>): Survey {
  return { lines: (subject) => said[subject] ?? [], isRoot: true, units: [], sockets: [], routes: [] };
}

const origin = { host: 'web1', version: '1.2.3', now: new Date('2026-11-23T10:00:00Z'), sudo: false };

/** Writes it, when each step ends as `outcomes` says; ok otherwise. */
async function write(
  said: Readonly<Record<string, readonly string[]>>,
  outcomes: (step: Step) => Partial<StepResult> = () => ({}),
) {
  const survey = surveyOf(said);
  const parts: readonly Part[] = findTrials(survey);
  const refused = await findRefused(parts);
  const ok = { outcome: 'ok', reason: 'ok', summary: 'is fine', metrics: [] };
  const results = new Map(
    parts.flatMap(({ trials }) =>
      trials.flatMap(({ ways }) =>
        ways.filter((way) => !refused.has(way)).map((way) => [way, { ...ok, ...outcomes(way) } as StepResult] as const),
      ),
    ),
  );
  const { draft, leftOut } = draftRunbook(parts, results, refused, survey, origin);
  return { text: writeRunbook(draft), leftOut };
}

const read = async (text: string) => (await loadRunbook('x.yaml', { cwd: '/', text })).value;

describe('the runbook that discover writes', () => {
  it('begins with its schema and how it was made', async () => {
    const { text } = await write({ system: ['Debian 12'] });
    expect(text.split('\n').slice(0, 4)).toEqual([
      '# yaml-language-server: $schema=https://opsctl.dev/schemas/v1/runbook.schema.json',
      '#',
      '# What web1 looked like to opsctl discover 1.2.3',
      '# on 2026-11-23T10:00:00Z, Debian 12',
    ]);
    expect(await read(text)).toMatchObject({ name: 'Host web1', hosts: 'web1' });
  });

  it.each([
    [
      'no',
      'on',
      'null',
      '~',
      '007',
      '1e3',
      '0x10',
      '1:20',
      '- a',
      '# b',
      '{ c: d }',
      'a: b',
      "it's",
      '"',
      '\\',
      '!tag',
      '&x',
      '*x',
      '%',
      '@',
      '|',
      '>',
      '?',
      ' ',
      'é',
    ],
  ])('gives back names as the host has them, such as %s', async (...names) => {
    const { text } = await write({ certificate: names.map((name) => `/etc/${name}`) });
    const found = (await read(text)).steps.flatMap((step) =>
      'with' in step ? ((step.with as { paths?: string[] }).paths ?? []) : [],
    );
    expect(found).toEqual(names.filter((name) => !/[*?[\]]/.test(name)).map((name) => `/etc/${name}`));
  });

  it('takes what stands for an expression as text', async () => {
    const { text } = await write({ certificate: ['/etc/${{ vars.password }}', '/etc/$${{ 1 }}'] });
    const { compileRunbook } = await import('../plan/compile.js');
    const runbook = await loadRunbook('x.yaml', { cwd: '/', text });
    const { steps } = await compileRunbook(runbook, { params: {}, vars: new Set() });
    const host = { name: 'web1', groups: [], vars: {}, connect: {}, origins: new Map() };
    const context = { host, vars: {}, run: { id: 'x', mode: 'run' as const }, steps: new Map() };
    const given = await Promise.all(
      steps.filter(({ uses }) => uses === 'check.certificate').map(({ resolve }) => resolve.params(context)),
    );
    expect(given.map((params) => (params as { paths: string[] }).paths[0])).toEqual([
      '/etc/${{ vars.password }}',
      '/etc/$${{ 1 }}',
    ]);
  });

  it('refuses names with characters that do not show, and shows them', async () => {
    const { text, leftOut } = await write({ certificate: ['/etc/\u001bx', '/etc/a\u202eb', '/etc/ok'] });
    expect(text).toMatch(/# left out, its name holds characters that do not show\n *# {3}- .*\\ex/);
    expect(text).not.toMatch(/[^\n\P{Cc}]|\u202e/u);
    expect(leftOut).toHaveLength(2);
    expect(text).toContain('paths: [ /etc/ok ]');
  });

  it('refuses what no check takes, and writes the rest', async () => {
    const { text } = await write({ user: ['root:0:/root:/bin/sh', '-x:1:/home/x:/bin/sh', 'a b:nan:home:sh'] });
    const steps = (await read(text)).steps as Step[];
    expect(steps.filter(({ uses }) => uses === 'check.user').map(({ id }) => id)).toEqual(['user_root']);
  });

  it('leaves out what did not pass, with the reason, but without numbers that change', async () => {
    const outcomes = ({ uses }: Step): Partial<StepResult> => {
      const metric = { name: 'load', value: 9, unit: 'count' } as never;
      if (uses === 'check.load')
        return { outcome: 'failed', reason: 'above-critical', summary: 'load 9.12', metrics: [metric] };
      if (uses === 'check.certificate') return { outcome: 'unknown', reason: 'needs-privilege', summary: 'no' };
      if (uses === 'check.zfs' || uses === 'check.smart') return { outcome: 'skipped', reason: 'not-applicable' };
      if (uses === 'check.lvm') return { outcome: 'unknown', reason: 'tool-missing' };
      if (uses === 'check.firewall') return { outcome: 'failed', reason: 'below-critical', summary: 'no rule' };
      return uses === 'check.clock' ? { outcome: 'warning', reason: 'old', summary: 'the clock\nlies' } : {};
    };
    const { text, leftOut } = await write({ certificate: ['/etc/a.pem'] }, outcomes);

    expect(text).toContain('# left out, failed: above-critical\n  #   - { uses: check.load }\n');
    expect(text).toContain('# left out, unknown: needs root, look again with `opsctl discover --sudo`\n');
    expect(text).toContain('# left out, warning: the clock\\x0alies\n');
    expect(text).toContain('# left out, failed: no rule; a host that others reach should have one\n');
    expect(text).not.toMatch(/9\.12|zfs|lvm|smart/);
    expect(leftOut).toContain('Load: failed: load 9.12');
    await read(text);
  });

  it('writes the first of several ways that passed', async () => {
    const said = { system: ['x'] };
    const { text } = await write(said, ({ uses, with: params }) =>
      uses === 'check.disk' && params !== undefined ? { outcome: 'failed', reason: 'read-only', summary: 'ro' } : {},
    );
    expect((await read(text)).steps.find((step) => 'id' in step && step.id === 'disk')).not.toHaveProperty(
      'with.writable',
      true,
    );
  });

  it('is the same for the same host', async () => {
    const said = { user: ['root:0:/root:/bin/sh'], certificate: ['/etc/a_b', '/etc/a-b'] };
    const { text } = await write(said);
    expect((await write(said)).text).toBe(text);
    expect(text).toContain('id: certificate_etc_a_b\n');
    expect(text).toContain('id: certificate_etc_a_b_2\n');
  });
});
