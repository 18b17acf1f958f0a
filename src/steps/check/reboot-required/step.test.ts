import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import { isNewer, sameFlavour } from './kernels.js';
import kind from './step.js';

describe('check.reboot-required', () => {
  it('reads a Debian 12 host with a flag and a kernel of another flavour', () => {
    const { outcome, reason, summary } = judgeOutput(kind, fixture('debian12-due.txt', import.meta.url));

    expect({ outcome, reason }).toEqual({ outcome: 'warning', reason: 'reboot-required' });
    expect(summary).toBe('a restart is due: asked for by linux-image-6.1.0-28-amd64, dbus');
  });

  it('compares the kernels that are installed', () => {
    const judge = (...kernels: readonly string[]) =>
      judgeOutput(kind, `running\t6.1.0-9-amd64\n${kernels.map((kernel) => `kernel\t${kernel}\n`).join('')}`, {
        outcome: 'failed',
      });

    expect(judge('6.1.0-9-amd64', '6.1.0-28-amd64', '6.1.0-13-amd64')).toMatchObject({
      outcome: 'failed',
      summary: 'a restart is due: kernel 6.1.0-9-amd64 runs, 6.1.0-28-amd64 is installed',
    });
    expect(judge('6.1.0-9-amd64', '6.1.0-8-amd64', '6.5.0-1-rt-amd64').summary).toBe(
      'no restart is due, kernel 6.1.0-9-amd64',
    );
    expect(judge('6.1.0-8-amd64').summary).toBe(
      'a restart is due: kernel 6.1.0-9-amd64 runs and is no longer installed',
    );
  });

  it('believes needs-restarting', () => {
    expect(judgeOutput(kind, 'running\t5.14.0\nneeds-restarting\t1\n').reason).toBe('reboot-required');
    expect(judgeOutput(kind, 'running\t5.14.0\nneeds-restarting\t0\n').outcome).toBe('ok');
  });

  it.each([
    ['6.1.0-28-amd64', '6.1.0-9-amd64', true],
    ['5.14.0-427.13.1.el9_4.x86_64', '5.14.0-362.24.1.el9_3.x86_64', true],
    ['6.6.32-0-lts', '6.6.31-0-lts', true],
    ['6.8.0-31-generic', '6.8.0-31-lowlatency', false],
    ['6.10.0-rc3-amd64', '6.10.0-amd64', false],
    ['6.1.0-9-amd64', '6.1.0-28-amd64', false],
    ['6.12.4-200.fc42.x86_64', '6.11.9-300.fc41.x86_64', true],
    ['5.15.0-300.163.18.el9uek.x86_64', '5.14.0-427.13.1.el9_4.x86_64', false],
    // Kernels of one Raspberry Pi OS, for several boards.
    ['6.1.21-v8+', '6.1.21-v7+', false],
    ['6.1.21-v8+', '6.1.21+', false],
    ['6.1.58-v8+', '6.1.21-v8+', true],
    ['6.6.31+rpt-rpi-v8', '6.6.20+rpt-rpi-v8', true],
    ['6.6.31+rpt-rpi-2712', '6.6.31+rpt-rpi-v8', false],
  ])('%s after %s: %s', (left, right, newer) => {
    expect(sameFlavour(left, right) && isNewer(left, right)).toBe(newer);
  });

  it.each(['', 'kernel\t6.1\n'])('does not take %j for an answer', (said) => {
    expect(() => judgeOutput(kind, said)).toThrow('the running kernel is missing');
  });

  it.each(Object.keys(shells))('looks at this machine, or says that nothing tells, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect([0, 69, 78]).toContain(output.exitStatus);
    if (output.exitStatus === 0) expect(['ok', 'reboot-required']).toContain(judgeOutput(kind, output).reason);
    else if (output.exitStatus === 78)
      expect(String(output.stderr)).toBe('a container has the kernel of its machine\n');
    else expect(String(output.stderr)).toContain('nothing on this host tells');
  });
});

describeWith('check.reboot-required with needs-restarting', ['unshare', 'root'], () => {
  const rpm = 'mount -t tmpfs none /var/lib/dpkg';
  const due = ['needs-restarting\t1'];
  it.each([
    ['asks it on a host of rpm', rpm, 'exit 0', ['needs-restarting\t0']],
    ['believes that a restart is due', rpm, 'echo "Reboot is required to fully utilize these updates."; exit 1', due],
    ['does not believe one that fails', rpm, 'echo "No such command: needs-restarting." >&2; exit 1', []],
    [
      'does not ask it on a host of dpkg, of whose updates it knows nothing',
      'test -s /var/lib/dpkg/status',
      'exit 0',
      [],
    ],
  ])('%s', (_, prepare, program, answers) => {
    const folder = mkdtempSync(join(tmpdir(), 'opsctl-restart-'));
    writeFileSync(join(folder, 'needs-restarting'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    const inside = `${prepare}; exec sh -c "$1"`;
    const { stdout } = spawnSync('unshare', ['-m', 'sh', '-euc', inside, 'sh', kind.probe.text], {
      env: { PATH: `${folder}:${process.env.PATH}`, LC_ALL: 'C' },
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true, force: true });

    expect(stdout.match(/^needs-restarting.*/gm) ?? []).toEqual(answers);
  });
});
