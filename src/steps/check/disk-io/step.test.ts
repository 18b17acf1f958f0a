import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import { runWithoutTools } from '../../../../test/support/without-tools.js';
import kind from './step.js';

const read = (said: string, given: object = {}) => kind.parse(outputOf(said), withDefaults(kind, given));

/** Two looks, ten seconds apart; the counters are those of the kernel, in its order. */
const looks = (before: string, after: string, name = 'sda') =>
  `whole\t${name}\nfirst\t100.00\ncounters\t${name} ${before}\nsecond\t110.00\ncounters\t${name} ${after}\nend\t\n`;
const start = '100 5 800 1000 200 9 1600 2000 0 3000 3000';
const busy = '300 5 2848 5000 500 9 5696 12000 4 12900 203000';

describe('check.disk-io', () => {
  it('reads a Debian 12 host, without loop devices', () => {
    const judgement = judgeOutput(kind, fixture('debian12.txt', import.meta.url));

    expect(judgement).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^vda is busy [\d.]+ % of the time, queue [\d.]+$/),
    });
    expect(judgement.metrics?.map(({ name }) => name).filter((name) => !name.endsWith('{vda}'))).toEqual([]);
  });

  it('tells what went on between the two looks', () => {
    expect(read(looks(start, busy))).toEqual([
      { name: 'sda', busy: 0.99, queue: 20, wait: 0.028, iops: 50, read: 104857.6, written: 209715.2 },
    ]);
  });

  it.each([
    [{}, 'warning', 'sda has a queue of 20, limit 10'],
    [{ warning: 30, critical: 15 }, 'failed', 'sda has a queue of 20, limit 15'],
    [{ warning: 30, 'critical-busy': '95%' }, 'failed', 'sda is busy 99 % of the time, limit 95 %'],
    [{ warning: 30, 'warning-await': '20ms' }, 'warning', 'sda takes 28 ms for a request, limit 20 ms'],
    [{ warning: 30, 'warning-iops': 40 }, 'warning', 'sda reads and writes 50 times a second, limit 40'],
    [{ warning: 30, 'critical-rate': '100kB' }, 'failed', 'sda reads and writes 307 KiB a second, limit 97.7 KiB'],
    [{ warning: 30, 'critical-busy': '100%' }, 'ok', 'sda is busy 99 % of the time, queue 20'],
  ])('holds it against %j', (given, outcome, summary) => {
    expect(judgeOutput(kind, looks(start, busy), given)).toMatchObject({ outcome, summary });
  });

  it('has no time per request where nothing was asked', () => {
    const names = judgeOutput(kind, looks(start, start)).metrics?.map(({ name }) => name);

    expect(names).toContain('busy{sda}');
    expect(names).not.toContain('await{sda}');
  });

  it('goes on where a counter of 32 bits starts again', () => {
    const [disk] = read(looks('0 0 0 0 0 0 0 0 0 4294967000 0', '0 0 0 0 0 0 0 0 0 704 0'));

    expect(disk?.busy).toBe(0.1);
    expect(() => read(looks(start, '0 0 0 0 0 0 0 0 0 0 0'))).toThrow('went back');
  });

  it('leaves out partitions and what stands for other disks, unless they are named', () => {
    const names = ['sda', 'sda1', 'cciss/c0d0', 'dm-0', 'md127', 'loop0', 'sr0', 'zram0', 'mmcblk0', 'nvme0n1'];
    const whole = ['sda', 'cciss!c0d0', 'dm-0', 'md127', 'loop0', 'sr0', 'zram0', 'mmcblk0', 'nvme0n1'];
    const counters = names.map((name) => `counters\t${name} ${start}\n`).join('');
    const said = `${whole.map((name) => `whole\t${name}\n`).join('')}first\t1.0\n${counters}second\t2.0\n${counters}end\t\n`;
    const seen = (given: object) => read(said, given).map(({ name }) => name);

    expect(seen({})).toEqual(['sda', 'cciss/c0d0', 'mmcblk0', 'nvme0n1']);
    expect(seen({ devices: ['/dev/sda1', 'dm-0'] })).toEqual(['sda1', 'dm-0']);
    expect(judgeOutput(kind, said, { devices: ['sda', 'sdb'] })).toMatchObject({
      outcome: 'failed',
      reason: 'device-absent',
      summary: 'there is no block device sdb',
    });
  });

  it('is skipped where there are no disks', () => {
    expect(judgeOutput(kind, 'first\t1.0\nsecond\t2.0\nend\t\n')).toMatchObject({ outcome: 'skipped' });
  });

  it.each([
    '',
    'end\t\n',
    looks(start, busy).replace('end\t\n', ''),
    looks(start, '1 2 3'),
    looks(start, busy.replace('203000', 'many')),
    looks(start, busy).replace('110.00', '100.00'),
    looks(start, busy).replace('first', 'third'),
  ])('does not take %j for a measurement', (said) => {
    expect(() => read(said)).toThrow();
  });

  it.each(Object.keys(shells))('measures this machine with %s', (shell) => {
    const output = runProbe(kind, { seconds: 1 }, shell);

    expect(output.exitStatus).toBe(0);
    for (const disk of kind.parse(output, withDefaults(kind))) {
      expect(disk.busy).toBeGreaterThanOrEqual(0);
      expect(disk.busy).toBeLessThanOrEqual(1);
      expect(disk.queue).toBeGreaterThanOrEqual(0);
      expect(disk.written).toBeGreaterThanOrEqual(0);
    }
  });

  it.each(Object.keys(shells))('needs no tool and no rights with %s', (shell) => {
    const { exitStatus, stdout } = runWithoutTools(kind, { seconds: 1 }, shell);

    expect(exitStatus).toBe(0);
    expect(judgeOutput(kind, stdout).outcome).not.toBe('unknown');
  });
});
