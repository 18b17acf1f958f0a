import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

interface Sample {
  readonly pid: number;
  readonly name: string;
  readonly command?: string;
  readonly uid?: number;
  readonly kib?: number;
  readonly parent?: number;
  readonly started?: number;
}

/** What the probe prints 1000 s after the start of a machine that runs these. */
const said = (samples: readonly Sample[], about = '') => {
  const status = samples.map(({ pid, name, uid = 0, kib = 1024, parent = 1 }) => {
    const file = `/proc/${pid}/status`;
    return `${file}:Name:\t${name}\n${file}:PPid:\t${parent}\n${file}:Uid:\t0\t${uid}\t0\t0\n${file}:VmRSS:\t    ${kib} kB\n`;
  });
  const stat = samples.map(
    ({ pid, name, started = 0 }) => `${pid} (${name}) S${' 0'.repeat(18)} ${started * 100} 0 0\n`,
  );
  const commands = samples.map(
    ({ pid, command = '' }) => `\n==> /proc/${pid}/cmdline <==\n${command.replaceAll(' ', '\0')}${command && '\0'}`,
  );
  return `${about}self\t9999\nuptime\t1000.00\n== status\n${status.join('')}== stat\n${stat.join('')}== command\n==> /dev/null <==\n${commands.join('')}`;
};

const nginx = [
  { pid: 10, name: 'nginx', command: 'nginx: master process /usr/sbin/nginx' },
  { pid: 11, name: 'nginx', command: 'nginx: worker process', uid: 33, kib: 4096, started: 900 },
  { pid: 12, name: 'nginx', command: 'nginx: worker process', uid: 33, kib: 2048, started: 990 },
];

describe('check.process', () => {
  it('reads a Debian 12 host', () => {
    const all = fixture('debian12-all.txt', import.meta.url);

    expect(judgeOutput(kind, all, { pattern: '^/lib/systemd/systemd-journald$' })).toMatchObject({ outcome: 'ok' });
    expect(judgeOutput(kind, all, { name: 'systemd-journald' }).outcome).toBe('ok');
    expect(judgeOutput(kind, all, { pattern: 'kthreadd' }).reason).toBe('process-absent');
  });

  it('counts processes by name and by user', () => {
    expect(judgeOutput(kind, said(nginx), { name: 'nginx' })).toMatchObject({
      outcome: 'ok',
      summary: 'nginx is 3 processes, 7 MiB',
    });
    expect(
      judgeOutput(kind, said(nginx, 'user\t33\n'), { name: 'nginx', user: 'www-data', count: '3:' }),
    ).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
      summary: 'nginx of www-data is 2 processes, at least 3',
    });
    expect(judgeOutput(kind, said([]), { name: 'nginx' })).toMatchObject({
      outcome: 'failed',
      reason: 'process-absent',
      summary: 'nginx does not run',
    });
  });

  it('finds what should not run', () => {
    expect(judgeOutput(kind, said(nginx), { name: 'nginx', count: 0 })).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
    });
    expect(judgeOutput(kind, said([]), { name: 'nginx', count: 0 }).outcome).toBe('ok');
  });

  it('matches the words of the command line', () => {
    expect(judgeOutput(kind, said(nginx), { pattern: '^nginx: worker', count: 2 }).outcome).toBe('ok');
    expect(judgeOutput(kind, said(nginx), { pattern: 'apache' }).outcome).toBe('failed');
  });

  it('tells a long name from another with the same start', () => {
    const long = [
      { pid: 5, name: 'systemd-network', command: '/lib/systemd/systemd-networkd' },
      { pid: 6, name: 'systemd-network', command: '/lib/systemd/systemd-network-generator' },
    ];

    expect(judgeOutput(kind, said(long), { name: 'systemd-networkd', count: 1 }).outcome).toBe('ok');
    expect(kind.args(withDefaults(kind, { name: 'systemd-networkd' }))).toEqual(['systemd-network', '']);
  });

  it('judges the memory and the age of the worst of them', () => {
    expect(judgeOutput(kind, said(nginx), { name: 'nginx', 'critical-rss': '3MiB' })).toMatchObject({
      outcome: 'failed',
      summary: 'nginx process 11 uses 4 MiB, limit 3 MiB',
    });
    expect(judgeOutput(kind, said(nginx), { name: 'nginx', 'warning-age': '1m:' })).toMatchObject({
      outcome: 'warning',
      reason: 'below-warning',
      summary: 'nginx process 12 started 10 s ago, at least 60 s',
    });
  });

  it('does not count the shell of the probe, its children, and what led to it', () => {
    const own = [
      { pid: 9997, name: 'sshd', command: 'sshd: root@notty' },
      { pid: 9998, name: 'sudo', command: 'sudo sh', parent: 9997 },
      { pid: 9999, name: 'sh', command: 'sh', parent: 9998 },
      { pid: 10001, name: 'sh', command: 'sh', parent: 9999 },
    ];

    expect(kind.parse(outputOf(said(own)), withDefaults(kind)).processes.map(({ pid }) => pid)).toEqual([9997]);
  });

  it('does not count what the check started, whatever its name', () => {
    const other = [
      { pid: 20, name: 'sleep' },
      { pid: 21, name: 'sleep' },
    ];

    expect(judgeOutput(kind, said(other, 'own\t21\n'), { name: 'sleep', count: 1 }).outcome).toBe('ok');
  });

  it('wants a name or a pattern, and a pattern that is one', () => {
    expect(kind.validate?.(withDefaults(kind))).toMatchObject([{ what: 'there is neither `name` nor `pattern`' }]);
    expect(kind.validate?.(withDefaults(kind, { pattern: '(' }))).toMatchObject([{ path: ['pattern'] }]);
  });

  it.each(['', 'self\t1\nuptime\t1\n', '== status\n'])('does not take %j for a list', (output) => {
    expect(() => judgeOutput(kind, output, { name: 'x' })).toThrow();
  });

  it.each(Object.keys(shells))('knows a child of the probe with %s', (shell) => {
    const [program = 'sh', ...options] = shells[shell] ?? [];
    // A shell below the shell of the probe starts it, as the one that guards the time limit does.
    const guard = '(sleep 4712 >/dev/null 2>&1 & echo "$!" >&2; wait) & guard=$!; sleep 0.3';
    const nested = `${guard}\n${kind.probe.text}\nkill "$guard"`;
    const { stdout, stderr } = spawnSync(program, [...options, '-c', nested, 'sh', 'sleep', ''], { timeout: 20_000 });
    const child = Number(String(stderr).trim());
    process.kill(child);

    expect(String(stdout)).toContain(`own\t${child}\n`);
  });

  it.each(Object.keys(shells))('finds a process of this machine with %s', async (shell) => {
    const child = spawn('sleep', ['4711.25']);
    try {
      await new Promise((resolve) => child.once('spawn', resolve));
      const byPattern = { pattern: '^sleep 4711\\.25$' };
      const { processes } = kind.parse(runProbe(kind, byPattern, shell), withDefaults(kind, byPattern));
      const byName = judgeOutput(kind, runProbe(kind, { name: 'sleep', user: 'root' }, shell), {
        name: 'sleep',
        user: 'root',
        'critical-age': '~:1000000d',
      });

      expect(processes.find(({ pid }) => pid === child.pid)).toMatchObject({ command: 'sleep 4711.25' });
      expect(byName.outcome).toBe('ok');
      expect(runProbe(kind, { name: 'x', user: 'no-such-user' }, shell).exitStatus).toBe(69);
    } finally {
      child.kill();
    }
  });
});
