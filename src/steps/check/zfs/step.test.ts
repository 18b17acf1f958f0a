import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import { runWithoutTools } from '../../../../test/support/without-tools.js';
import kind from './step.js';

const said = (name: string) => fixture(`debian12-${name}.txt`, import.meta.url);
/** A report with one pool and the lines of its status. */
const report = (health: string, status: string, numbers = '1000\t500\t500\t10\t50') =>
  `now 1795445513\n== pools\ntank\t${numbers}\t${health}\n== made\ntank\t1795445000\n== status\n${status}== end\n`;
const lines = (scan: string, errors = 'No known data errors') =>
  `  pool: tank\n state: ONLINE\n${scan}config:\n\n\tNAME        STATE     READ WRITE CKSUM\n\ttank        ONLINE       0     0     0\n\t  sda       ONLINE       0     0     0\n\nerrors: ${errors}\n`;

describe('check.zfs', () => {
  it('is content with healthy pools', () => {
    const judged = judgeOutput(kind, said('scrubbed'), { pools: ['tank', 'data'] });

    expect(judged).toMatchObject({
      outcome: 'ok',
      reason: 'ok',
      summary: '2 healthy pools, tank is 10 % full at most',
    });
    expect(judged.metrics?.map(({ name, value }) => [name, value])).toEqual([
      ['used{data}', 0.03],
      ['fragmentation{data}', 0],
      ['errors{data/vdd}', 0],
      ['errors{data/vde}', 0],
      ['errors{data/vdf}', 0],
      ['errors{data/vdg}', 0],
      ['scrub-age{data}', 1],
      ['used{tank}', 0.1],
      ['fragmentation{tank}', 0],
      ['errors{tank/vdb}', 0],
      ['errors{tank/vdc}', 0],
      ['scrub-age{tank}', 4],
    ]);
  });

  it('reads a pool with a space in its name', () => {
    expect(judgeOutput(kind, said('space'), { pools: ['my pool', 'tank'] }).metrics).toContainEqual(
      expect.objectContaining({ name: 'errors{my pool/vdd}', value: 0 }),
    );
  });

  it('says that a scrub is under way', () => {
    expect(judgeOutput(kind, said('scrubbing')).summary).toBe(
      '2 healthy pools, tank is 10 % full at most; tank has a scrub under way',
    );
  });

  it('names the pool that is degraded, its disk, and the disk with errors', () => {
    expect(judgeOutput(kind, said('degraded'))).toMatchObject({
      outcome: 'failed',
      reason: 'pool-degraded',
      summary: 'tank is DEGRADED (vdc OFFLINE); data has 498 errors on vde, limit 0',
      findings: [
        { id: 'above-warning', subject: 'data', severity: 'medium' },
        { id: 'pool-degraded', subject: 'tank', severity: 'high' },
      ],
    });
    expect(judgeOutput(kind, said('degraded'), { 'critical-errors': 10 }).findings?.[0]?.severity).toBe('high');
  });

  it('fails for lost data', () => {
    expect(judgeOutput(kind, said('data-errors'))).toMatchObject({
      outcome: 'failed',
      reason: 'data-errors',
      summary: expect.stringContaining("gone has lost data: 2 data errors, use '-v' for a list"),
    });
  });

  it('takes a resilver for a scrub, and the making of the pool where there was none', () => {
    expect(judgeOutput(kind, said('resilvered'), { 'critical-scrub-age': 0 }).summary).toMatch(
      /tank had its last resilver .* ago, limit 0 s/,
    );
    expect(judgeOutput(kind, said('fresh')).outcome).toBe('ok');
    expect(judgeOutput(kind, said('fresh'), { 'warning-scrub-age': 10 })).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: expect.stringContaining('data is 18 s old and has no scrub that came to its end, limit 10 s'),
    });
  });

  it.each([
    ['  scan: none requested\n', 513],
    ['  scan: scrub canceled on Mon Nov 23 14:51:00 2026\n', 513],
    ['  scan: scrub paused since Mon Nov 23 14:51:00 2026\n', 513],
    ['', 513],
    [' scan: scrub repaired 0B in 0 days 00:24:01 with 0 errors on Mon Nov 23 14:50:53 2026\n', 60],
  ])('reads the scan "%s"', (scan, age) => {
    expect(judgeOutput(kind, report('ONLINE', lines(scan))).metrics).toContainEqual(
      expect.objectContaining({ name: 'scrub-age{tank}', value: age }),
    );
  });

  it('fails for what a scrub could not repair', () => {
    const scan = '  scan: scrub repaired 0B in 00:00:01 with 4 errors on Mon Nov 23 14:51:00 2026\n';

    expect(judgeOutput(kind, report('ONLINE', lines(scan)))).toMatchObject({
      outcome: 'failed',
      reason: 'scrub-errors',
    });
  });

  it('does not wait for the status of a suspended pool', () => {
    expect(judgeOutput(kind, report('SUSPENDED', ''))).toMatchObject({ outcome: 'failed', reason: 'pool-suspended' });
  });

  it('reads a pool that is faulted and has no numbers', () => {
    const status = lines('').replaceAll('ONLINE ', 'UNAVAIL');

    expect(judgeOutput(kind, report('FAULTED', status, '-\t-\t-\t-\t-'))).toMatchObject({
      outcome: 'failed',
      reason: 'pool-unhealthy',
      summary: 'tank is FAULTED (sda UNAVAIL)',
    });
  });

  it('fails for a pool that cannot be opened, and says nothing of its data', () => {
    expect(judgeOutput(kind, fixture('unavailable.txt', import.meta.url))).toMatchObject({
      outcome: 'failed',
      reason: 'pool-unhealthy',
      summary: 'mypool is FAULTED (sdc FAULTED, sdd FAULTED)',
    });
  });

  it('warns of a cache that is gone from a healthy pool', () => {
    const status = lines('').replace('\n\nerrors', '\n\tcache\n\t  sdb       REMOVED      0     0     0\n\nerrors');

    expect(judgeOutput(kind, report('ONLINE', status))).toMatchObject({
      outcome: 'warning',
      reason: 'device-unhealthy',
      summary: 'tank has sdb REMOVED',
    });
  });

  it('judges room and fragmentation by their ranges', () => {
    const text = report('ONLINE', lines(''), '1000\t850\t150\t60\t85');

    expect(judgeOutput(kind, text)).toMatchObject({ outcome: 'warning', summary: 'tank is 85 % full, limit 80 %' });
    expect(judgeOutput(kind, text, { critical: '82%' }).outcome).toBe('failed');
    expect(judgeOutput(kind, text, { 'critical-fragmentation': '50%' }).summary).toContain(
      'tank has fragmented 60 % of its free space, limit 50 %',
    );
  });

  it('wants the pools that were asked for', () => {
    const none = 'now 1\n== pools\n\n== made\n== status\n== end\n';

    expect(judgeOutput(kind, none, { pools: ['tank'] })).toMatchObject({ outcome: 'failed', reason: 'pool-missing' });
    expect(judgeOutput(kind, none).outcome).toBe('skipped');
  });

  it.each([
    '',
    said('scrubbed').slice(0, -8),
    said('scrubbed').replace(/^now .*\n/, ''),
    said('scrubbed').replace('  pool: tank', '  pool: other'),
    said('scrubbed').replace('errors: No known data errors\n== end', '== end'),
    said('scrubbed').replace(/^tank\t\d+\t.*$/m, 'tank\tmuch'),
    said('scrubbed').replace('Mon Nov 23', 'Mo 23.11.'),
  ])('does not take what is cut or foreign for an answer (%#)', (text) => {
    expect(() => judgeOutput(kind, text)).toThrow();
  });

  it.each(Object.keys(shells))('says that it does not apply, or looks, with %s', (shell) => {
    const { exitStatus, stderr } = runProbe(kind, {}, shell);

    expect([0, 77, 78, 127]).toContain(exitStatus);
    if (exitStatus === 78) expect(String(stderr)).toMatch(/^(ZFS is not loaded|no ZFS pools)\n$/);
    const expected = runWithoutTools(kind, { pools: ['tank'] }, shell);

    expect([69, 127]).toContain(expected.exitStatus);
    expect(expected.stderr).toMatch(/ZFS is not loaded, so no pool can be in use|zpool is not installed/);
  });
});
