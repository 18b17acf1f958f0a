import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const machine = 'MemTotal\t1000\nMemAvailable\t400\nSwapTotal\t0\nSwapFree\t0\n';

describe('check.memory', () => {
  it('reads a Debian 12 host', () => {
    const { outcome, summary, metrics } = judgeOutput(kind, fixture('debian12.txt', import.meta.url));

    expect({ outcome, summary }).toEqual({ outcome: 'ok', summary: '96.9 % of 23.5 GiB memory is available' });
    expect(metrics?.map(({ name }) => name)).toEqual(['available', 'available-bytes']);
  });

  it('warns and fails when little is available', () => {
    const judge = (available: number) => judgeOutput(kind, machine.replace('400', String(available)));

    expect(judge(100).outcome).toBe('ok');
    expect(judge(99)).toMatchObject({ outcome: 'warning', reason: 'below-warning' });
    expect(judge(40)).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
      summary: '4 % of 1000 KiB memory is available, at least 5 %',
    });
  });

  it('takes the limit of a container, and its page cache as available', () => {
    const limited = `${machine}limit\t204800\nusage\t184320\ncache\t10240\n`;
    const data = kind.parse(outputOf(limited), withDefaults(kind));

    expect(data).toMatchObject({ scope: 'container', total: 204_800, available: 30_720, ratio: 0.15 });
    expect(judgeOutput(kind, limited).summary).toContain('of the container limit of 200 KiB');
  });

  it('leaves a limit above the memory of the machine alone', () => {
    const data = kind.parse(outputOf(`${machine}limit\t9000000000\nusage\t1\n`), withDefaults(kind));

    expect(data).toMatchObject({ scope: 'machine', ratio: 0.4 });
  });

  it('reports swap where there is some', () => {
    const { metrics } = judgeOutput(kind, machine.replace('SwapTotal\t0', 'SwapTotal\t8'));

    expect(metrics?.at(-1)).toMatchObject({ name: 'swap-used', value: 8192, max: 8192 });
  });

  it('refuses a limit that looks the wrong way', () => {
    expect(kind.validate?.(withDefaults(kind, { warning: '10%' }))).toMatchObject([
      { path: ['warning'], hint: 'write "10%:" for at least 10%' },
    ]);
  });

  it('does not take missing numbers for 0', () => {
    expect(() => judgeOutput(kind, 'MemTotal\t1000\n')).toThrow('MemAvailable is not a number');
  });

  it.each(Object.keys(shells))('measures this machine with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect(output.exitStatus).toBe(0);
    expect(kind.parse(output, withDefaults(kind)).ratio).toBeGreaterThan(0);
  });
});
