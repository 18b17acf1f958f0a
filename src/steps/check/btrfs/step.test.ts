import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import { runWithoutTools } from '../../../../test/support/without-tools.js';
import kind from './step.js';

const said = (name: string) => fixture(`debian12-${name}.txt`, import.meta.url);

describe('check.btrfs', () => {
  it('is content with file systems without errors', () => {
    const judged = judgeOutput(kind, said('scrubbed'), {
      'warning-scrub-age': '40d',
      paths: ['/srv/one/', '/srv/two disks'],
    });

    expect(judged).toMatchObject({
      outcome: 'ok',
      reason: 'ok',
      summary: '2 file systems have no errors, 730 MiB unallocated at least',
    });
    expect(judged.metrics?.map(({ name, value }) => [name, value])).toEqual([
      ['errors{/dev/vdb}', 0],
      ['metadata-used{/srv/one}', expect.closeTo(0.0006, 4)],
      ['unallocated{/srv/one}', 765_067_264],
      ['scrub-age{/srv/one}', 7],
      ['scrub-corrected{/srv/one}', 0],
      ['errors{/dev/vdc}', 0],
      ['errors{/dev/vdd}', 0],
      ['metadata-used{/srv/two disks}', expect.closeTo(0.0003, 4)],
      ['unallocated{/srv/two disks}', 1_634_205_696],
      ['scrub-age{/srv/two disks}', 4],
      ['scrub-corrected{/srv/two disks}', 0],
    ]);
  });

  it('names the device that has counted errors', () => {
    expect(judgeOutput(kind, said('corrupted'))).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: '/srv/two disks has errors on /dev/vdd: corruption 2912, limit 0',
    });
    expect(judgeOutput(kind, said('corrupted'), { critical: 5000, warning: 0 }).outcome).toBe('warning');
    expect(judgeOutput(kind, said('corrupted'), { critical: 5000 }).outcome).toBe('ok');
  });

  it('finds a device that is gone', () => {
    expect(judgeOutput(kind, said('degraded'), { critical: 5000 })).toMatchObject({
      outcome: 'failed',
      reason: 'device-missing',
      summary: '/srv/two disks lacks a device',
    });
  });

  it('judges unallocated space and the room for metadata by their ranges', () => {
    expect(judgeOutput(kind, said('full'), { 'critical-unallocated': '100MiB:' })).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
      summary: '/srv/one has 1 MiB unallocated, at least 100 MiB',
    });
    const tight = said('full').replace('Used:1179648', 'Used:50000000');

    expect(judgeOutput(kind, tight)).toMatchObject({
      outcome: 'failed',
      summary: '/srv/one has used 92.3 % of what metadata can grow to, limit 90 %',
    });
    expect(
      judgeOutput(kind, tight.replace('Device unallocated:\t\t           1048576', 'Device unallocated:\t\t 100000000'))
        .outcome,
    ).toBe('ok');
  });

  it('counts as room for metadata only what every copy finds a device for', () => {
    expect(judgeOutput(kind, said('uneven'), { 'critical-metadata': '60%' })).toMatchObject({
      outcome: 'failed',
      summary: '/srv/uneven has used 61.4 % of what metadata can grow to, limit 60 %',
    });
    const room = (free: readonly number[], profile: string) => {
      const lines = free.map((bytes, index) => `   /dev/sd${'abcd'[index]}\t${bytes}\n`).join('');
      const output = said('uneven')
        .replace('Metadata,RAID1: Size:459931648, Used:282836992', `Metadata,${profile}: Size:100, Used:100`)
        .replace(/(^Unallocated:\n)(?: +\/dev.*\n)+/m, `$1${lines}`);
      return 100 / (kind.parse(outputOf(output), withDefaults(kind)).fileSystems[0]?.metadataUsed ?? 0) - 100;
    };

    expect(room([700, 100, 50], 'RAID1')).toBeCloseTo(150);
    expect(room([300, 200, 100], 'RAID1')).toBeCloseTo(300);
    expect(room([700, 700, 100], 'RAID1C3')).toBeCloseTo(100);
    expect(room([300, 300, 300, 300], 'RAID1C3')).toBeCloseTo(400);
    expect(room([300, 300, 300], 'RAID1C4')).toBeCloseTo(0);
  });

  it('judges the age of a scrub that came to its end only', () => {
    expect(judgeOutput(kind, said('scrubbed'), { 'critical-scrub-age': 5 })).toMatchObject({
      outcome: 'failed',
      summary: '/srv/one was scrubbed 7 s ago, limit 5 s',
    });
    expect(judgeOutput(kind, said('full'), { 'warning-scrub-age': '1d' })).toMatchObject({
      outcome: 'warning',
      reason: 'never-scrubbed',
      summary: '/srv/one has no scrub that came to its end (the last one: aborted)',
    });
    expect(judgeOutput(kind, said('fresh')).outcome).toBe('ok');
    expect(judgeOutput(kind, said('fresh'), { 'critical-scrub-age': '1d' }).outcome).toBe('failed');
  });

  it('fails for what a scrub could not correct', () => {
    const text = said('corrupted').replace('uncorrectable_errors: 0', 'uncorrectable_errors: 3');

    expect(judgeOutput(kind, text, { critical: 5000 })).toMatchObject({ outcome: 'failed', reason: 'scrub-errors' });
  });

  it('wants the mounts that were asked for', () => {
    expect(judgeOutput(kind, '== end\n', { paths: ['/srv'] })).toMatchObject({
      outcome: 'failed',
      reason: 'not-mounted',
      summary: '/srv is not a mount of Btrfs',
    });
    expect(kind.args(withDefaults(kind, { paths: ['/a b/'] }))).toEqual(['/a\\040b']);
  });

  it.each([
    '',
    said('scrubbed').slice(0, -7),
    said('scrubbed').replace(/^now .*\n/, ''),
    said('scrubbed').replaceAll(/^\[.*\n/gm, ''),
    said('scrubbed').replace(/^Metadata.*\n/m, ''),
    said('scrubbed').replace(/^ *Device unallocated.*\n/m, ''),
    said('scrubbed').replace('Mon Nov 23', 'Mo 23.11.'),
  ])('does not take what is cut or foreign for an answer (%#)', (text) => {
    expect(() => judgeOutput(kind, text)).toThrow();
  });

  it.each(Object.keys(shells))('looks at this machine with %s', (shell) => {
    const { exitStatus, stderr } = runProbe(kind, {}, shell);

    expect([0, 77, 78, 127]).toContain(exitStatus);
    if (exitStatus === 78) expect(String(stderr)).toBe('no Btrfs is mounted\n');
    const given = { paths: ['/no such mount'] };

    expect(judgeOutput(kind, runProbe(kind, given, shell), given).reason).toBe('not-mounted');
    expect(runWithoutTools(kind, {}, shell).exitStatus).toBe(exitStatus === 0 ? 127 : exitStatus);
  });
});
