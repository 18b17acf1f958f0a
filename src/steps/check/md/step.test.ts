import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const said = (name: string) => fixture(`debian12-${name}.txt`, import.meta.url);
const array = (lines: readonly string[]) =>
  `${['array\tmd0', 'level\traid1', 'array_state\tclean', 'raid_disks\t2', ...lines, 'end\t'].join('\n')}\n`;

describe('check.md', () => {
  it('is content with whole arrays', () => {
    const judged = judgeOutput(kind, said('healthy'), { arrays: ['home', 'md5'] });

    expect(judged).toMatchObject({ outcome: 'ok', reason: 'ok', summary: '3 arrays are whole' });
    expect(judged.metrics).toContainEqual(
      expect.objectContaining({ name: 'missing{home}', value: 0, unit: 'count', critical: '0', max: 2 }),
    );
    expect(judged.findings).toBeUndefined();
  });

  it('names the array that lacks a disk, and the faulty one', () => {
    const { outcome, reason, summary, findings } = judgeOutput(kind, said('degraded'));

    expect({ outcome, reason }).toEqual({ outcome: 'failed', reason: 'degraded' });
    expect(summary).toBe('md5 lacks 1 of 3 disks (faulty: vde), limit 0; home lacks 1 of 2 disks, limit 0');
    expect(findings?.map(({ id, subject }) => [id, subject])).toEqual([
      ['degraded', 'md5'],
      ['degraded', 'home'],
    ]);
  });

  it('eases an array that is being rebuilt, and tells how far it is', () => {
    const home = (given: object) =>
      judgeOutput(kind, said('rebuild'), given).findings?.find(({ subject }) => subject === 'home');

    expect(home({})).toEqual({
      id: 'rebuilding',
      severity: 'medium',
      subject: 'home',
      detail: 'lacks 1 of 2 disks, is being rebuilt (12.7 %, 43.5 s left), limit 0',
    });
    expect(home({ rebuilding: 'failed' })?.severity).toBe('high');
    expect(judgeOutput(kind, said('rebuild')).metrics?.find(({ name }) => name === 'synced{home}')?.value).toBeCloseTo(
      0.127,
      3,
    );
  });

  it('reads an array that is being given another disk', () => {
    expect(judgeOutput(kind, said('reshape'))).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^2 arrays are whole; md0 is being reshaped \([\d.]+ %, [\d.]+ .+ left\)$/),
    });
  });

  it('fails for an array whose journal failed, or is gone', () => {
    expect(judgeOutput(kind, said('journal')).outcome).toBe('ok');
    expect(judgeOutput(kind, said('journal-faulty'))).toMatchObject({
      outcome: 'failed',
      reason: 'journal-missing',
      summary: 'md2 lacks its journal, so it takes no writes; md2 has faulty disks: ram6',
    });
    expect(judgeOutput(kind, said('journal-gone'))).toMatchObject({
      outcome: 'failed',
      summary: 'md2 lacks its journal, so it takes no writes; md2 is read-only',
    });
  });

  it('warns of an array that was made read-only, not of one that nobody has written to yet', () => {
    const state = (name: string) => array(['degraded\t0']).replace('array_state\tclean', `array_state\t${name}`);

    expect(judgeOutput(kind, state('readonly'))).toMatchObject({ outcome: 'warning', reason: 'read-only' });
    expect(judgeOutput(kind, state('read-auto')).outcome).toBe('ok');
  });

  it('fails for an array that does not run', () => {
    expect(judgeOutput(kind, said('inactive')).findings?.[0]).toMatchObject({
      id: 'array-inactive',
      severity: 'high',
      subject: 'md5',
      detail: 'does not run, its state is inactive',
    });
  });

  it('leaves out what only holds the disks of a firmware RAID', () => {
    const judged = judgeOutput(kind, said('firmware'));

    expect(judged).toMatchObject({ outcome: 'ok', summary: 'vol0 is whole (raid1, 2 disks)' });
    const alone = 'array\tmd127\nlevel\tcontainer\nmetadata_version\texternal:imsm\narray_state\tinactive\nend\t\n';

    expect(judgeOutput(kind, alone).outcome).toBe('skipped');
    expect(judgeOutput(kind, alone, { arrays: ['md126'] }).outcome).toBe('failed');
  });

  it('wants the arrays that were asked for', () => {
    expect(judgeOutput(kind, said('healthy'), { arrays: ['md5', 'backup'] })).toMatchObject({
      outcome: 'failed',
      reason: 'array-missing',
      summary: 'backup is not there',
    });
    expect(judgeOutput(kind, 'end\t\n', { arrays: ['md0'] }).reason).toBe('array-missing');
  });

  it('judges spares, corrected errors and mismatches by their ranges', () => {
    const text = array(['degraded\t0', 'mismatch_cnt\t128', 'member\tsda 12 in_sync', 'member\tsdb 0 in_sync']);

    expect(judgeOutput(kind, text)).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: 'md0 has corrected 12 read errors (sda 12), limit 10',
    });
    expect(judgeOutput(kind, text, { 'critical-errors': 11 }).outcome).toBe('failed');
    expect(judgeOutput(kind, text, { 'critical-mismatches': 0 }).summary).toContain('has 128 sectors that differ');
    expect(judgeOutput(kind, text, { 'critical-spares': '1:' }).summary).toContain('md0 has 0 spares, at least 1');
    expect(judgeOutput(kind, text, { 'warning-spares': '1:', 'warning-errors': 20 })).toMatchObject({
      outcome: 'warning',
      reason: 'below-warning',
    });
  });

  it('does not count a disk that is being rebuilt as a spare', () => {
    const text = array(['degraded\t1', 'sync_action\trecover', 'member\tsda 0 in_sync', 'member\tsdb 0 spare']);

    expect(judgeOutput(kind, text).metrics).toContainEqual(expect.objectContaining({ name: 'spares{md0}', value: 0 }));
  });

  it('warns of a faulty disk whose place a spare has taken', () => {
    const text = array([
      'degraded\t0',
      'member\tsda 0 in_sync',
      'member\tsdb 0 in_sync',
      'member\tsdc 3 faulty,blocked',
    ]);

    expect(judgeOutput(kind, text)).toMatchObject({
      outcome: 'warning',
      reason: 'disk-faulty',
      summary: 'md0 has faulty disks: sdc',
    });
  });

  it('says that a check is under way', () => {
    const text = array(['degraded\t0', 'sync_action\tcheck', 'sync_completed\t50 / 200', 'sync_speed\t0']);

    expect(judgeOutput(kind, text)).toMatchObject({
      outcome: 'ok',
      summary: 'md0 is whole (raid1, 2 disks); md0 is being checked (25 %)',
    });
  });

  it.each([
    '',
    'array\tmd0\nlevel\traid1\narray_state\tclean\ndegraded\t0\n',
    'array\tmd0\nlevel\traid1\narray_state\t\nend\t\n',
    'array\tmd0\nlevel\traid1\narray_state\tclean\ndegraded\t\nend\t\n',
    array(['degraded\tfew']),
    array(['degraded\t0', 'member\tsda']),
    'mdadm: something else\n',
  ])('does not take %j for an answer', (text) => {
    expect(() => judgeOutput(kind, text)).toThrow();
  });

  it('does not take a probe that failed for an answer', () => {
    expect(() =>
      judgeOutput(kind, { stdout: Buffer.from('end\t\n'), stderr: Buffer.from('no\n'), exitStatus: 1 }),
    ).toThrow('status 1: no');
  });

  it.each(Object.keys(shells))('measures this machine, or says that it has none, with %s', (shell) => {
    const { exitStatus, stderr, stdout } = runProbe(kind, {}, shell);

    expect([0, 78]).toContain(exitStatus);
    if (exitStatus === 78) expect(String(stderr)).toMatch(/software RAID/);
    else expect(String(stdout)).toMatch(/end\t\n$/);
    expect(judgeOutput(kind, runProbe(kind, { arrays: ['none-such'] }, shell), { arrays: ['none-such'] }).outcome).toBe(
      'failed',
    );
  });
});
