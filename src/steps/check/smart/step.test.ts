import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import { runWithoutTools } from '../../../../test/support/without-tools.js';
import kind from './step.js';

const said = (name: string) => fixture(`${name}.txt`, import.meta.url);
const report = (json: object, status = 0, disk = '/dev/sda -') =>
  `== disk ${disk}\n${JSON.stringify({ smartctl: { exit_status: status }, ...json })}\n\n== status ${status}\n== end\n`;
const healthy = { smart_status: { passed: true } };

describe('check.smart', () => {
  it('is content with disks that are healthy, and leaves out one without SMART', () => {
    const judged = judgeOutput(kind, said('debian12-virtual'));

    expect(judged).toMatchObject({
      outcome: 'ok',
      reason: 'ok',
      summary: '2 disks are healthy; 1 without SMART',
    });
    expect(judged.metrics?.map(({ name, value }) => [name, value])).toEqual([
      ['reallocated{/dev/sda}', 0],
      ['temperature{/dev/sda}', 31],
      ['uncorrectable{/dev/nvme0}', 0],
      ['wear{/dev/nvme0}', 0],
      ['spare{/dev/nvme0}', 0],
      ['temperature{/dev/nvme0}', 50],
    ]);
  });

  it('fails for a disk that says it is failing, with all that is wrong', () => {
    const { outcome, reason, summary, findings } = judgeOutput(kind, said('failing-disk'));

    expect({ outcome, reason }).toEqual({ outcome: 'failed', reason: 'disk-failing' });
    expect(summary).toBe(
      '/dev/sdc says that it is failing: replace it; /dev/sdc is below the threshold of Reallocated_Sector_Ct; /dev/sdc has moved 1975 sectors elsewhere, limit 100; and 2 more',
    );
    expect(findings?.map(({ id, severity }) => [id, severity])).toEqual([
      ['disk-failing', 'high'],
      ['attribute-failing', 'high'],
      ['self-test-failed', 'medium'],
      ['above-critical', 'high'],
      ['above-warning', 'medium'],
    ]);
  });

  it('fails for an NVMe disk with a critical warning', () => {
    expect(judgeOutput(kind, said('debian12-nvme-warning')).findings).toEqual([
      expect.objectContaining({ id: 'disk-failing', subject: '/dev/nvme0' }),
    ]);
  });

  it('warns of errors on a disk that calls itself healthy', () => {
    expect(judgeOutput(kind, said('media-errors'))).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: '/dev/nvme0 has had 7 errors that it could not correct, limit 0',
    });
    expect(judgeOutput(kind, said('media-errors'), { 'critical-uncorrectable': 5 }).outcome).toBe('failed');
  });

  it('reads a disk behind a RAID controller by its number', () => {
    const judged = judgeOutput(kind, said('megaraid'), { devices: ['/dev/bus/0 megaraid,0'] });

    expect(judged).toMatchObject({ outcome: 'ok', summary: '/dev/bus/0 megaraid,0 is healthy' });
    expect(judged.metrics?.map(({ name, value }) => [name, value])).toEqual([
      ['reallocated{/dev/bus/0 megaraid,0}', 0],
      ['uncorrectable{/dev/bus/0 megaraid,0}', 0],
      ['temperature{/dev/bus/0 megaraid,0}', 32],
    ]);
  });

  it('does not know what a RAID volume hides', () => {
    expect(judgeOutput(kind, said('raid-volume'))).toMatchObject({
      outcome: 'unknown',
      reason: 'disk-hidden',
      summary:
        '/dev/sdb (Intel Raid 1 Volume) hides disks behind a RAID controller: name them in devices, such as "/dev/sdb megaraid,0"',
    });
    const asked = { messages: [{ string: "/dev/sda: requires option '-d megaraid,N'" }], exit_status: 2 };

    expect(judgeOutput(kind, report({ smartctl: asked }, 2)).reason).toBe('disk-hidden');
  });

  it('is skipped where no disk has SMART, but not when it was named', () => {
    const none = report({ scsi_model_name: 'QEMU QEMU HARDDISK', smart_support: { available: false } }, 4);

    expect(judgeOutput(kind, none)).toMatchObject({ outcome: 'skipped', reason: 'not-applicable' });
    expect(judgeOutput(kind, '== end\n').outcome).toBe('skipped');
    expect(judgeOutput(kind, none, { devices: ['/dev/sda'] })).toMatchObject({
      outcome: 'unknown',
      reason: 'no-verdict',
    });
  });

  it('does not know what a disk would say that cannot be opened', () => {
    const messages = [{ string: 'Smartctl open device: /dev/sda failed: No such device' }];

    expect(judgeOutput(kind, report({ smartctl: { messages } }, 2))).toMatchObject({
      outcome: 'unknown',
      reason: 'disk-closed',
      summary: '/dev/sda cannot be asked: Smartctl open device: /dev/sda failed: No such device',
    });
    expect(judgeOutput(kind, '== closed /dev/sdb -d scsi # /dev/sdb, open failed\n== end\n')).toMatchObject({
      outcome: 'unknown',
      reason: 'disk-closed',
    });
  });

  it('takes of a packed counter what smartctl says', () => {
    const packed = said('failing-disk')
      .replace('"value": 1975,', '"value": 8589934594,')
      .replace('"1975"', '"2 (2 0)"');

    expect(judgeOutput(kind, packed).metrics).toContainEqual(
      expect.objectContaining({ name: 'reallocated{/dev/sdc}', value: 2 }),
    );
  });

  it.each([
    [0, 'ok'],
    // A command failed, yet there is a verdict; the log has old errors.
    [4, 'ok'],
    [64, 'ok'],
    [128, 'warning'],
  ])('reads status %i of smartctl as bits', (status, outcome) => {
    expect(judgeOutput(kind, report(healthy, status)).outcome).toBe(outcome);
  });

  it('warns of an attribute that was bad once', () => {
    const table = [{ id: 190, name: 'Airflow_Temperature_Cel', when_failed: 'past', raw: { value: 1 } }];

    expect(judgeOutput(kind, report({ ...healthy, ata_smart_attributes: { table } }, 32))).toMatchObject({
      outcome: 'warning',
      reason: 'attribute-failed',
      summary: '/dev/sda was once below the threshold of Airflow_Temperature_Cel',
    });
  });

  it('judges wear, spare and temperature by their ranges', () => {
    const worn = report({
      ...healthy,
      nvme_smart_health_information_log: { percentage_used: 90, available_spare: 40, media_errors: 0 },
      temperature: { current: 60 },
    });

    expect(judgeOutput(kind, worn)).toMatchObject({
      outcome: 'warning',
      summary: '/dev/sda has used 90 % of its life, limit 80 %',
    });
    expect(judgeOutput(kind, worn, { 'critical-spare': '50%:' }).summary).toContain('has 40 % of its spare left');
    expect(judgeOutput(kind, worn, { 'critical-temperature': 55 }).summary).toContain('has 60 °C, limit 55 °C');
  });

  it('does not take 0 for a temperature', () => {
    expect(judgeOutput(kind, report({ ...healthy, temperature: { current: 0 } })).metrics).toEqual([]);
  });

  it.each([
    '',
    said('failing-disk').slice(0, -8),
    '== disk /dev/sda -\nsmartctl 6.6 2017-11-05\n\n== status 0\n== end\n',
    '== disk /dev/sda -\n{}\n\n== status 0\n== end\n',
    '== disk /dev/sda -\n{"smartctl":{}}\n== end\n',
  ])('does not take what is cut or foreign for an answer (%#)', (text) => {
    expect(() => judgeOutput(kind, text)).toThrow();
  });

  it.each(Object.keys(shells))('asks the real smartctl, or says why not, with %s', (shell) => {
    const { exitStatus, stderr } = runProbe(kind, {}, shell);

    expect([0, 77, 78, 127]).toContain(exitStatus);
    if (exitStatus === 78) expect(String(stderr)).toBe('no SATA, SAS or NVMe disk here\n');
    const given = { devices: ['/dev/no-such-disk'] };
    const named = runProbe(kind, given, shell);

    if (named.exitStatus === 0) expect(judgeOutput(kind, named, given).reason).toBe('disk-closed');
    else expect([77, 127]).toContain(named.exitStatus);
  });

  it.each(Object.keys(shells))('names the tool that is missing and the right that it needs, with %s', (shell) => {
    const given = { devices: ['/dev/sda'] };

    expect(runWithoutTools(kind, given, shell)).toMatchObject({
      exitStatus: 127,
      stderr: 'smartctl is not installed (package smartmontools)\n',
    });
    expect(runWithoutTools(kind, given, shell, { smartctl: 'echo {}' })).toMatchObject({
      exitStatus: 77,
      stderr: 'smartctl needs root to ask a disk\n',
    });
  });
});

describeWith('check.smart in a container', ['unshare', 'root'], () => {
  it('does not apply where the kernel shows the disks of the host, and there is no device of them', () => {
    const prepare = 'mount -t tmpfs none /sys/block && mkdir /sys/block/sdx /sys/block/nvme7n1 && exec sh -c "$0" sh';

    const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', prepare, kind.probe.text], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 78, stderr: 'no SATA, SAS or NVMe disk here\n' });
  });
});
