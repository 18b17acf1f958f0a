import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { shells } from '../../../test/support/probe.js';

const file = new URL('./boot-clock.sh', import.meta.url).pathname;
const monotonic = () => Number(process.hrtime.bigint()) / 1e9;

describe('boot_clock', () => {
  it.each(Object.entries(shells))('counts as systemd does, with %s', (_, [program = 'sh', ...options]) => {
    const before = monotonic();
    const said = execFileSync(program, [...options, '-euc', `. "$1"; boot_clock; echo "$uptime"`, 'sh', file]);
    const after = monotonic();

    expect(String(said)).toMatch(/^\d+\.\d\n$/);
    // In tenths. Time in which the machine slept counts here alone.
    expect(Number(said)).toBeGreaterThan(before - 0.2);
    expect(Number(said)).toBeLessThan(after + 365 * 86_400);
  });
});
