import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { makeProject, type Project, stepOf } from '../support/opsctl.js';

let project: Project;
afterEach(() => project.remove());

const runbook = (trend: string) => `name: growth
hosts: local
params: { most: { type: string, default: 100B } }
steps:
  - id: log
    uses: check.file
    with: { path: "\${{ vars.file }}" }
    trends: [${trend}]
`;

function prepare(trend: string): string {
  project = makeProject({ 'growth.yaml': runbook(trend) });
  const file = project.write('the.log', 'one\n');
  project.write('inventory.yaml', `hosts:\n  local: { connect: { transport: local }, vars: { file: ${file} } }\n`);
  return file;
}

const run = async (...more: string[]) =>
  project.run(['run', 'growth.yaml', '-i', 'inventory.yaml', '-o', 'json', ...more]);

describe('trends from run to run', () => {
  it('compare with the last run, whatever folder it was started from', async () => {
    const file = prepare(`{ metric: size, show: change, critical: "\${{ params.most }}" }`);

    const first = await run();
    expect(stepOf(first.json(), 'local', 'log')).toMatchObject({
      outcome: 'ok',
      summary: expect.stringContaining('too few earlier runs'),
    });
    appendFileSync(file, 'x'.repeat(200));
    const elsewhere = join(project.folder, 'deep');
    mkdirSync(elsewhere);
    const second = await project.run(['run', '../growth.yaml', '-i', '../inventory.yaml', '-o', 'json'], {
      cwd: elsewhere,
    });
    expect(second.code).toBe(1);
    expect(stepOf(second.json(), 'local', 'log')).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      metrics: expect.arrayContaining([
        { name: 'size-change', value: 200, unit: 'bytes', critical: expect.anything() },
      ]) as unknown,
    });
    appendFileSync(file, 'x'.repeat(150));
    expect((await run('--param', 'most=1KiB')).code).toBe(0);
    expect((await run()).code).toBe(0);
  });

  it('foretell when an end is reached', async () => {
    const file = prepare('{ metric: size, show: full-in, over: 10s, reaches: 1MiB, critical: "1h:" }');

    for (let round = 0; round < 4; round++) {
      await run();
      appendFileSync(file, 'x'.repeat(50_000));
      await sleep(350);
    }
    const last = stepOf((await run()).json(), 'local', 'log');
    expect(last).toMatchObject({ outcome: 'failed', reason: 'below-critical' });
    expect(last.summary).toMatch(/^size reaches 1 MiB in [\d.]+ (ms|s|min), at least 60 min; /);
    expect(last.metrics[0]?.history).toMatchObject({
      points: Array.from({ length: 5 }, (_, round) => ({ value: 4 + round * 50_000 })),
      forecast: { reaches: 2 ** 20 },
    });
    const page = (await project.run(['report', '-o', 'html'])).stdout;
    expect(page).toMatch(/<svg class="line"[^>]*><title>size \S+ KiB now, 4 B to .*, reaches 1 MiB in /);
  });

  it('are not moved by a dry run', async () => {
    const file = prepare('{ metric: size, show: change, critical: 0 }');

    await run();
    appendFileSync(file, 'more');
    expect((await run('--dry-run')).code).toBe(1);
    expect((await run()).code).toBe(1);
    expect((await run()).code).toBe(0);
  });

  it('are refused at their place when nothing can be meant', async () => {
    prepare(
      '{ metric: size, show: full-in, over: 1d, critical: "4 hours:" }, { metric: size, show: rate, reaches: 5 }',
    );

    const ended = await run();
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/E_VALUE growth\.yaml:8:\d+/);
    expect(ended.stderr).toContain('unknown unit "hours"');
    expect(ended.stderr).toContain('belongs to `show: full-in`');
  });
});
