import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import { runWithoutTools } from '../../../../test/support/without-tools.js';
import kind from './step.js';

const said = (name: string) => fixture(`debian12-${name}.txt`, import.meta.url);
const report = (mapper: string, groups: object[], volumes: object[]) =>
  `{"mapper":"${mapper}"}\n== groups\n${JSON.stringify({ report: [{ vg: groups }] })}\n== volumes\n${JSON.stringify({ report: [{ lv: volumes }] })}\n== end\n`;
const group = { vg_name: 'vg0', vg_size: '1000', vg_free: '100', vg_missing_pv_count: '0' };
const volume = (given: object) => ({
  vg_name: 'vg0',
  lv_name: 'x',
  segtype: 'linear',
  lv_attr: '-wi-ao----',
  lv_active: 'active',
  data_percent: '',
  metadata_percent: '',
  sync_percent: '',
  lv_health_status: '',
  ...given,
});

describe('check.lvm', () => {
  it('is content with groups, pools and mirrors that are in order', () => {
    const judged = judgeOutput(kind, said('healthy'), { groups: ['data', 'backup'] });

    expect(judged).toMatchObject({
      outcome: 'ok',
      reason: 'ok',
      summary: '2 volume groups, 5 volumes; data/pool is 66.7 % full; backup/mirror is in sync to 29.9 %',
    });
    expect(judged.metrics).toContainEqual({
      name: 'used{data/pool}',
      value: expect.closeTo(0.6667, 4),
      unit: 'ratio',
      warning: '0.8',
      critical: '0.9',
      min: 0,
      max: 1,
    });
    expect(judged.metrics?.map(({ name }) => name)).toEqual([
      'free{backup}',
      'free{data}',
      'synced{backup/mirror}',
      'used{data/pool}',
      'metadata-used{data/pool}',
      'used{data/snap}',
    ]);
  });

  it('finds the full pool, the lost snapshot and the disk that is gone', () => {
    const { outcome, findings } = judgeOutput(kind, said('full'));

    expect(outcome).toBe('failed');
    expect(findings?.map(({ id, subject, detail }) => [id, subject, detail])).toEqual([
      ['disk-missing', 'backup', 'lacks 1 physical volume'],
      ['volume-partial', 'backup/mirror', 'lacks a part of its disks'],
      ['volume-partial', 'backup/r5', 'lacks a part of its disks'],
      ['above-critical', 'data/pool', 'is 92.5 % full, limit 90 %'],
      ['snapshot-invalid', 'data/snap', 'is a snapshot that ran full and is lost'],
    ]);
  });

  it('knows a pool without space from its health', () => {
    expect(judgeOutput(kind, said('out-of-data')).findings).toContainEqual(
      expect.objectContaining({ id: 'out-of-data', subject: 'data/pool', detail: 'has run out of space' }),
    );
  });

  it('does not know how full a pool is that is not active', () => {
    expect(judgeOutput(kind, said('inactive')).findings).toContainEqual(
      expect.objectContaining({ id: 'not-active', subject: 'data/pool' }),
    );
    const text = report('yes', [group], [volume({ segtype: 'thin-pool', lv_attr: 'twi---tz--', lv_active: '' })]);

    expect(judgeOutput(kind, text)).toMatchObject({ outcome: 'unknown', reason: 'not-active' });
  });

  it('does not take an empty answer for ok', () => {
    expect(judgeOutput(kind, report('yes', [], []))).toMatchObject({ outcome: 'skipped' });
    expect(judgeOutput(kind, report('yes', [], []), { groups: ['vg0'] })).toMatchObject({
      outcome: 'failed',
      reason: 'group-missing',
      summary: 'vg0 is not there',
    });
    expect(judgeOutput(kind, report('no', [], []), { groups: ['vg0'] })).toMatchObject({
      outcome: 'unknown',
      reason: 'no-device-mapper',
    });
  });

  it('judges metadata and free space by their ranges', () => {
    const pool = volume({
      lv_name: 'pool',
      segtype: 'thin-pool',
      lv_attr: 'twi-aotz--',
      data_percent: '10.00',
      metadata_percent: '85.00',
    });
    const text = report('yes', [group], [pool]);

    expect(judgeOutput(kind, text)).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: 'vg0/pool has used 85 % of its metadata, limit 80 %',
    });
    expect(judgeOutput(kind, text, { 'critical-metadata': 85, 'warning-metadata': 85 }).outcome).toBe('ok');
    expect(judgeOutput(kind, text, { 'critical-free': '1KiB:' })).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
    });
    expect(judgeOutput(kind, text, { critical: '5%' }).outcome).toBe('failed');
  });

  it('does not take volumes that the tools do not list for none', () => {
    const hidden = report('yes', [], []).replace('"mapper":"yes"', '"mapper":"yes","used":"yes"');

    expect(judgeOutput(kind, hidden)).toMatchObject({ outcome: 'unknown', reason: 'groups-hidden' });
    expect(judgeOutput(kind, report('yes', [], [])).outcome).toBe('skipped');
  });

  it.each([
    ['refresh needed', 'failed', 'refresh-needed'],
    ['mismatches exist', 'warning', 'mismatches'],
    ['metadata_read_only', 'failed', 'metadata-read-only'],
    ['failed', 'failed', 'volume-unhealthy'],
    ['writemostly', 'ok', 'ok'],
  ])('reads the health "%s"', (lv_health_status, outcome, reason) => {
    expect(judgeOutput(kind, report('yes', [group], [volume({ lv_health_status })]))).toMatchObject({
      outcome,
      reason,
    });
  });

  it('does not take a full cache or a thin volume for a pool', () => {
    const full = { data_percent: '100.00', metadata_percent: '99.00' };
    const text = report(
      'yes',
      [group],
      [
        volume({ segtype: 'cache', lv_attr: 'Cwi-aoC---', ...full }),
        volume({ segtype: 'thin', lv_attr: 'Vwi-aotz--', ...full }),
      ],
    );

    expect(judgeOutput(kind, text).outcome).toBe('ok');
  });

  it('wants a check of damaged metadata', () => {
    const pool = volume({
      segtype: 'thin-pool',
      lv_attr: 'twi-cotz--',
      data_percent: '1.00',
      metadata_percent: '1.00',
    });

    expect(judgeOutput(kind, report('yes', [group], [pool]))).toMatchObject({
      outcome: 'failed',
      reason: 'check-needed',
    });
  });

  it.each([
    '',
    '{"mapper":"yes"}\n== groups\n',
    said('healthy').slice(0, -10),
    '{"mapper":"yes"}\n== groups\nno json\n== volumes\n{}\n== end\n',
    '{"mapper":"yes"}\n== groups\n{"report":[{}]}\n== volumes\n{"report":[{"lv":[]}]}\n== end\n',
    report('yes', [{ ...group, vg_free: '' }], []),
    report('yes', [group], [volume({ lv_name: undefined })]),
    report('yes', [group], [volume({ data_percent: 'much' })]),
  ])('does not take %j for an answer', (text) => {
    expect(() => judgeOutput(kind, text)).toThrow();
  });

  it.each(Object.keys(shells))('says why it cannot look, or looks, with %s', (shell) => {
    const output = runProbe(kind, { groups: ['none-such'] }, shell);

    expect([0, 77, 127]).toContain(output.exitStatus);
    if (output.exitStatus === 0)
      expect(judgeOutput(kind, output, { groups: ['none-such'] }).outcome).toMatch(/failed|unknown/);
    else expect(String(output.stderr)).toMatch(/LVM answers only root|vgs is not installed/);
  });

  it.each(Object.keys(shells))('names the tool that is missing, with %s', (shell) => {
    const { exitStatus, stderr } = runWithoutTools(kind, { groups: ['vg0'] }, shell);

    expect(exitStatus).toBe(127);
    expect(stderr).toBe('vgs is not installed (package lvm2)\n');
  });

  it.each(Object.keys(shells))('says that it needs root, with %s', (shell) => {
    const { exitStatus, stderr } = runWithoutTools(kind, { groups: ['vg0'] }, shell, { vgs: 'echo {}' });

    expect(exitStatus).toBe(77);
    expect(stderr).toBe('LVM answers only root\n');
  });

  it.runIf(process.getuid?.() === 0).each(Object.keys(shells))(
    'does not take a failed tool for an answer, with %s',
    (shell) => {
      const vgs = `printf '{"report":[{"vg":[]}]}'; exit 5`;
      const { exitStatus, stderr } = runWithoutTools(kind, {}, shell, { vgs }, 'root');

      expect(exitStatus).toBe(69);
      expect(stderr).toBe('vgs ended with status 5\n');
    },
  );
});
