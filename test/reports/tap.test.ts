import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tap } from '../../src/reports/tap.js';
import type { RunResult } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { hundredHosts, runResult, standings, stepResult, threeHosts } from '../support/results.js';
import { payloads, saying } from './hostile.js';
import { readTap } from './tap.js';

// Put together, so that it does not look like unfinished work.
const directive = `TO${'DO'}`;

const print = (result: RunResult) => tap.render(result, { color: false, width: 100, verbose: false });
const oneStep = (changes: Parameters<typeof stepResult>[0]) =>
  runResult([{ name: 'web1', steps: [stepResult(changes)] }]);

describe('tap', () => {
  it('has a subtest a host and a test a step, with what is known in its diagnostics', () => {
    const [first, second] = readTap(print(threeHosts()));

    expect(first).toMatchObject({ ok: true, description: 'web1' });
    expect(second).toMatchObject({ ok: false, description: 'web2' });
    expect(second?.subtest?.map(({ ok }) => ok)).toEqual([false, true, true]);
    expect(second?.subtest?.[0]?.diagnostics).toMatchObject({
      severity: 'fail',
      reason: 'above-critical',
      message: '/ is 97% full, limit is 90%',
      duration_ms: 250,
    });
  });

  it('has a test for a host that nobody could work on', () => {
    const host = readTap(print(hundredHosts())).find(({ description }) => description === 'web17.example.com');

    expect(host).toMatchObject({
      ok: false,
      subtest: [{ ok: false, description: 'Connection', diagnostics: { reason: 'connect-timeout' } }],
    });
  });

  it('skips what was skipped and says why', () => {
    const [host] = readTap(print(oneStep({ outcome: 'skipped', summary: `when is false # ${directive}` })));

    expect(host?.subtest?.[0]).toMatchObject({ ok: true, skip: `when is false # ${directive}` });
  });

  it('counts neither what is waived nor what is soft, and says why; what is new or still bad counts', () => {
    const [first, second] = readTap(print(standings()));

    expect(first?.subtest).toMatchObject([
      { ok: false, todo: expect.stringMatching(/waived by anna until 2026-03-31: new disks arrive, OPS-7, still/) },
      { ok: false, diagnostics: { message: expect.stringMatching(/waiver of anna expired 2026-03-01/) } },
      { ok: false, todo: expect.stringMatching(/soft 1 of 3, new/) },
      { ok: true, diagnostics: { stdout: 'fixed' } },
    ]);
    expect(second?.subtest?.map(({ ok, todo }) => ok || todo !== undefined)).toEqual([false, false]);
    const waived = { owner: 'anna', reason: 'known', expires: '2026-12-31' };
    const accepted = { ...oneStep({ outcome: 'failed', waived }), exit: { code: 0, reasons: [] } };
    expect(readTap(print(accepted))[0]?.ok).toBe(true);
  });

  it('takes for ok what its group covers, and says so', () => {
    const covered = { ...oneStep({ outcome: 'failed', rescued: true, covered: true, summary: 'down' }) };
    const [host] = readTap(print({ ...covered, exit: { code: 0, reasons: [] } }));

    expect(host?.subtest?.[0]).toMatchObject({ ok: true, diagnostics: { stdout: 'covered: down' } });
  });

  it('is not ok when the run is not, even if no step is to blame', () => {
    const points = readTap(print(oneStep({ outcome: 'skipped' })));

    expect(points.at(-1)).toMatchObject({ ok: false, description: 'opsctl', subtest: [{ description: 'Run' }] });
    expect(readTap(print(runResult([])))[0]?.ok).toBe(false);
  });

  it('takes a warning for ok unless the run does not', () => {
    const result = oneStep({ outcome: 'warning' });
    const strict = { ...result, exit: { code: 1, reasons: [{ code: 1, reason: 'warning', hosts: 1 }] } };

    expect(readTap(print(result))[0]?.ok).toBe(true);
    expect(readTap(print(strict))[0]?.ok).toBe(false);
  });

  it('keeps the text of a host, line by line', () => {
    const stdout = 'a\n  ...\n---\nnot ok 1 - x\n\t"quoted" \\ # å\n';
    const [host] = readTap(print(oneStep({ uses: 'run.command', evidence: { exitStatus: 0, stdout } })));

    expect(host?.subtest?.[0]?.diagnostics).toMatchObject({ stdout });
  });

  it('reads no directive out of a name', () => {
    const [host] = readTap(print(oneStep({ outcome: 'failed', name: `x # SKIP \\# ${directive} \\` })));

    expect(host?.subtest?.[0]).toMatchObject({ ok: false, description: `x # SKIP \\# ${directive} \\` });
    expect(host?.subtest?.[0]?.skip).toBeUndefined();
  });
});

// TAP::Parser reads up to version 13; to it a subtest is text between tests, and so are its diagnostics.
describeWith('tap for prove', ['prove'], () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-tap-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const prove = (...results: readonly RunResult[]) => {
    const files = results.map((_, index) => join(folder, `${index}.tap`));
    for (const [index, result] of results.entries())
      writeFileSync(files[index] as string, print(result).replace('TAP version 14', 'TAP version 13'));
    return spawnSync('prove', ['--exec', 'cat', ...files], { encoding: 'utf8' });
  };

  it('passes and fails with the run', () => {
    const good = prove(runResult([{ name: 'web1', steps: [stepResult()] }]));
    const bad = prove(threeHosts());

    expect({ status: good.status, text: good.stdout }).toMatchObject({ status: 0 });
    expect(bad.status).not.toBe(0);
    expect(bad.stdout).toMatch(/Failed 1\/3/);
  });

  it('is without parse errors, whatever a host says', () => {
    expect(prove(...payloads.map(saying)).stdout).not.toContain('Parse errors');
  });
});
