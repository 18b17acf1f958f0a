import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import kind from '../../src/steps/check/btrfs/step.js';
import { describeWith } from '../support/needs.js';
import { judgeOutput, runProbe, say, shells } from '../support/probe.js';

const kernelHasIt = /\tbtrfs$/m.test(readFileSync('/proc/filesystems', 'utf8'));

describeWith('check.btrfs on a loop device', ['mkfs.btrfs', 'root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-btrfs-'));
  const image = join(folder, 'image');
  const point = join(folder, 'with space');
  const given = { paths: [point] };

  beforeAll(() => {
    writeFileSync(image, '');
    truncateSync(image, 256 * 2 ** 20);
    mkdirSync(point);
    say('mkfs.btrfs', '-q', image);
    if (kernelHasIt) say('mount', '-o', 'loop', image, point);
  });

  afterAll(() => {
    spawnSync('umount', [point]);
    rmSync(folder, { recursive: true, force: true });
  });

  it.runIf(kernelHasIt).each(Object.keys(shells))('measures it with %s', (shell) => {
    const judged = judgeOutput(kind, runProbe(kind, given, shell), given);

    expect(judged).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/with space has no errors, .*iB unalloc/),
    });
    expect(
      judgeOutput(kind, runProbe(kind, given, shell), { ...given, 'critical-unallocated': '1GiB:' }),
    ).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
    });
  });

  it.runIf(kernelHasIt)('finds it without being told', () => {
    expect(judgeOutput(kind, runProbe(kind)).metrics?.map(({ name }) => name)).toContain(`unallocated{${point}}`);
  });

  it.runIf(kernelHasIt)('reads a scrub', () => {
    say('btrfs', 'scrub', 'start', '-B', point);
    const judged = judgeOutput(kind, runProbe(kind, given), { ...given, 'critical-scrub-age': '1h' });

    expect(judged.outcome).toBe('ok');
    expect(judged.metrics?.map(({ name }) => name)).toContain(`scrub-age{${point}}`);
  });
});
