import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const said = ({ threads = 300, total = 120, zombies = 0, blocked = 0 } = {}) =>
  `threads\t${threads}\npid-max\t32768\nthreads-max\t1000\ntotal\t${total}\nzombies\t${zombies}\nblocked\t${blocked}\n`;

describe('check.processes', () => {
  it('reads a Debian 12 host', () => {
    expect(
      judgeOutput(kind, fixture('debian12.txt', import.meta.url), { 'warning-zombies': 100, 'critical-zombies': 100 }),
    ).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^\d+ processes, \d+ threads, \d+ zombies?$/),
    });
  });

  it('takes the smaller limit for threads', () => {
    expect(judgeOutput(kind, said({ threads: 960 }))).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: '960 threads are 96 % of 1000, limit 95 %',
    });
  });

  it('takes the limit of a container that is nearer', () => {
    const inside = `${said()}container-threads\t95\ncontainer-max\t100\n`;

    expect(judgeOutput(kind, inside)).toMatchObject({
      outcome: 'warning',
      summary: '95 threads are 95 % of 100 in this container, limit 80 %',
    });
    expect(judgeOutput(kind, inside.replace('container-max\t100', 'container-max\t1000')).outcome).toBe('ok');
  });

  it('warns about zombies, and about processes and blocked ones when asked', () => {
    expect(judgeOutput(kind, said({ zombies: 6 }))).toMatchObject({
      outcome: 'warning',
      summary: '6 zombies, limit 5',
    });
    expect(judgeOutput(kind, said(), { warning: 100 }).summary).toBe('120 processes, limit 100');
    expect(judgeOutput(kind, said({ blocked: 12 }), { 'critical-blocked': 10 })).toMatchObject({
      outcome: 'failed',
      summary: '12 blocked on I/O, limit 10',
    });
  });

  it('is unknown where the processes of others are hidden', () => {
    expect(judgeOutput(kind, `${said()}hidden\t\n`)).toMatchObject({
      outcome: 'unknown',
      reason: 'needs-privilege',
      metrics: [{ name: 'threads-used' }, { name: 'threads' }],
    });
  });

  it.each(['', said().replace('total\t120', 'total\t0'), said().replace('zombies\t0\n', '')])(
    'does not take %j for numbers',
    (output) => {
      expect(() => judgeOutput(kind, output)).toThrow();
    },
  );

  it.each(Object.keys(shells))('measures this machine with %s', (shell) => {
    const { metrics } = judgeOutput(kind, runProbe(kind, {}, shell));

    expect(metrics?.find(({ name }) => name === 'processes')?.value).toBeGreaterThan(0);
  });
});
