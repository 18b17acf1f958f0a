import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { judgeOutput, outputOf, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import { runWithoutTools } from '../../../../test/support/without-tools.js';
import kind from './step.js';

const sensors = (...lines: string[]) => `${lines.map((line) => `${line}\n`).join('')}end\t\n`;
const processor = 'sensor\t1\t52000\t80000\t100000\tcoretemp\tPackage id 0';
const disk = 'sensor\t1\t39850\t81850\t84850\tnvme\tComposite';

describe('check.temperature', () => {
  it('names the hottest sensor, and holds each against its own limits', () => {
    expect(judgeOutput(kind, sensors(processor, disk))).toMatchObject({
      outcome: 'ok',
      summary: 'coretemp Package id 0 has 52 °C, the most of 2 sensors',
      metrics: [
        { name: 'temperature{coretemp Package id 0}', value: 52, unit: 'celsius', warning: '~:80', critical: '~:100' },
        { name: 'temperature{nvme Composite}', value: 39.85, warning: '~:81.85', critical: '~:84.85' },
      ],
    });
    expect(judgeOutput(kind, sensors(processor, disk.replace('39850', '83000')))).toMatchObject({
      outcome: 'warning',
      summary: 'nvme Composite has 83 °C, limit 81.8 °C',
    });
    expect(judgeOutput(kind, sensors(processor.replace('52000', '101000'), disk)).outcome).toBe('failed');
  });

  it('takes limits of the author', () => {
    expect(judgeOutput(kind, sensors(processor, disk), { critical: 50 })).toMatchObject({
      outcome: 'failed',
      summary: 'coretemp Package id 0 has 52 °C, limit 50 °C',
    });
    expect(judgeOutput(kind, sensors(processor, disk), { sensors: '^nvme', critical: 50 }).outcome).toBe('ok');
    expect(judgeOutput(kind, sensors(processor), { warning: '60:75' })).toMatchObject({ reason: 'below-warning' });
  });

  it('passes over a sensor that is silent, unless it was asked for', () => {
    const radio = 'sensor\t1\t\t\t\tiwlwifi_1\t';
    const loose = 'sensor\t3\t-128000\t\t\tnct6775\tAUXTIN3';

    expect(judgeOutput(kind, sensors(processor, radio, loose)).outcome).toBe('ok');
    expect(judgeOutput(kind, sensors(processor, radio), { sensors: 'iwlwifi' })).toMatchObject({
      outcome: 'unknown',
      reason: 'sensor-silent',
      summary: 'iwlwifi_1 1 cannot be read',
    });
    expect(judgeOutput(kind, sensors(radio)).outcome).toBe('unknown');
    expect(judgeOutput(kind, sensors(processor), { sensors: ['coretemp', 'k10temp'] })).toMatchObject({
      outcome: 'failed',
      reason: 'sensor-absent',
      summary: 'there is no sensor /k10temp/',
    });
  });

  it('tells chips of one name apart, and a zone that is a chip already once', () => {
    const zone = 'zone\t0\t27800\t\t105000\tacpitz\t';
    const chip = 'sensor\t1\t27800\t\t105000\tacpitz\t';

    const names = kind.parse(outputOf(sensors(chip, disk, disk, zone)), withDefaults(kind)).map(({ name }) => name);
    expect(names).toEqual(['acpitz 1', 'nvme Composite', 'nvme Composite #2']);
    const two = sensors(`${disk}\tnvme1`, processor, `${disk}\tnvme0`);
    expect(kind.parse(outputOf(two), withDefaults(kind)).map(({ name }) => name)).toEqual([
      'nvme Composite nvme1',
      'coretemp Package id 0',
      'nvme Composite nvme0',
    ]);
    expect(judgeOutput(kind, sensors(zone)).summary).toBe('acpitz has 27.8 °C');
  });

  it('takes no limits that firmware left empty', () => {
    const [sensor] = kind.parse(outputOf(sensors('sensor\t1\t40000\t0\t65261850\tx\ty')), withDefaults(kind));

    expect(sensor).toEqual({ name: 'x y', degrees: 40, max: null, critical: null });
  });

  it('is skipped where there is no sensor', () => {
    expect(judgeOutput(kind, sensors())).toMatchObject({ outcome: 'skipped', reason: 'no-sensor' });
  });

  it.each([
    '',
    'sensor\t1\t4\n',
    sensors('sensor\tx\t40000\t\t\ta\tb'),
    sensors('sensor\t1\thot\t\t\ta\tb'),
    sensors('fan\t1\t2'),
  ])('does not take %j for a measurement', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow();
  });

  it.each(Object.keys(shells))('looks at this machine with %s, without tools and rights', (shell) => {
    const output = runProbe(kind, {}, shell);
    const { exitStatus, stdout } = runWithoutTools(kind, {}, shell);

    expect(output.exitStatus).toBe(0);
    expect(exitStatus).toBe(0);
    expect(stdout.endsWith('end\t\n')).toBe(true);
    expect(judgeOutput(kind, output).outcome).not.toBe('failed');
  });
});

describeWith('check.temperature with the files of a board', ['root'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-temperature-'));
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${text}\n`);
  };

  beforeAll(() => {
    write('hwmon/hwmon0/name', 'acpitz');
    write('hwmon/hwmon0/temp1_input', '27800');
    write('hwmon/hwmon1/name', 'coretemp');
    write('hwmon/hwmon1/temp1_input', '61000');
    write('hwmon/hwmon1/temp1_label', 'Package id 0');
    write('hwmon/hwmon1/temp1_max', '80000');
    write('hwmon/hwmon1/temp1_crit', '100000');
    write('hwmon/hwmon1/fan1_input', '1200');
    // Kernels before 3.x keep them a level deeper.
    write('hwmon/hwmon2/device/name', 'w83627ehf');
    write('hwmon/hwmon2/device/temp2_input', '44500');
    write('hwmon/hwmon2/device/temp3_input', '127000');
    write('hwmon/hwmon2/device/temp3_fault', '1');
    mkdirSync(join(folder, 'hwmon/hwmon3/temp1_input'), { recursive: true });
    for (const [chip, device] of [
      ['hwmon4', 'nvme1'],
      ['hwmon5', 'nvme0'],
    ]) {
      write(`hwmon/${chip}/name`, 'nvme');
      write(`hwmon/${chip}/temp1_input`, '38850');
      mkdirSync(join(folder, `devices/${device}`), { recursive: true });
      symlinkSync(`../../devices/${device}`, join(folder, `hwmon/${chip}/device`));
    }
    write('thermal/thermal_zone0/type', 'acpitz');
    write('thermal/thermal_zone0/temp', '27800');
    write('thermal/thermal_zone1/type', 'x86_pkg_temp');
    write('thermal/thermal_zone1/temp', '61000');
    write('thermal/thermal_zone1/trip_point_0_type', 'passive');
    write('thermal/thermal_zone1/trip_point_0_temp', '95000');
    write('thermal/thermal_zone1/trip_point_1_type', 'critical');
    write('thermal/thermal_zone1/trip_point_1_temp', '105000');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.keys(shells))('reads them with %s', (shell) => {
    const place = 'mount --bind "$0" /sys/class && exec "$@"';
    const run = ['-m', 'sh', '-c', place, folder, ...(shells[shell] ?? []), '-c', kind.probe.text, 'sh'];
    const { stdout, stderr, status } = spawnSync('unshare', run, { stdio: ['ignore', 'pipe', 'pipe'] });

    expect({ status, said: stderr.toString() }).toEqual({ status: 0, said: '' });
    expect(kind.parse(outputOf(stdout.toString()), withDefaults(kind))).toEqual([
      { name: 'acpitz 1', degrees: 27.8, max: null, critical: null },
      { name: 'coretemp Package id 0', degrees: 61, max: 80, critical: 100 },
      { name: 'w83627ehf 2', degrees: 44.5, max: null, critical: null },
      { name: 'w83627ehf 3', degrees: null, max: null, critical: null },
      { name: 'sensor 1', degrees: null, max: null, critical: null },
      { name: 'nvme 1 nvme1', degrees: 38.85, max: null, critical: null },
      { name: 'nvme 1 nvme0', degrees: 38.85, max: null, critical: null },
      { name: 'x86_pkg_temp', degrees: 61, max: null, critical: 105 },
    ]);
  });
});
