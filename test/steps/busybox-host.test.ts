import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Attempt } from '../../src/execute/attempt.js';
import { type HostKind, hasOwnProbe, hostKinds, judgeAsEngine } from '../support/host-kinds.js';
import { describeWith } from '../support/needs.js';
import { say } from '../support/probe.js';

/** Params that fit this host, where the examples of the documentation do not. */
const given: Readonly<Record<string, object>> = {
  'check.container': { name: 'web' },
  'check.dns-resolver': { name: 'localhost' },
  'check.group': { name: 'root' },
  'check.interface': { name: 'lo' },
  'check.log': { path: '/var/log/messages', pattern: ['error'] },
  'check.package': { name: 'busybox' },
  'check.ping': { address: '127.0.0.1' },
  'check.process': { name: 'busybox' },
  'check.user': { name: 'root' },
};

const kinds = (await hostKinds(given)).filter(hasOwnProbe);

/**
 * A host with busybox and nothing else: its shell, its tools, no service manager, no package manager. Debian builds it
 * without `cksum`, which check.log needs.
 */
describeWith('every kind on a host of busybox alone', ['busybox', 'unshare', 'ip', 'root'], () => {
  const root = mkdtempSync(join(tmpdir(), 'opsctl-busybox-'));
  beforeAll(() => {
    for (const folder of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'usr', 'var/log'])
      mkdirSync(join(root, folder), { recursive: true });
    copyFileSync(say('which', 'busybox').trim(), join(root, 'bin/busybox'));
    for (const applet of say('busybox', '--list').trim().split('\n'))
      if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
    writeFileSync(join(root, 'var/log/messages'), 'calm\n');
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  function look({ kind, params }: HostKind): Attempt {
    const inside =
      'mount -t proc none "$1/proc"; mount -t sysfs none "$1/sys"; mount --bind /dev "$1/dev"; ip link set lo up; exec chroot "$@"';
    const command = ['/bin/sh', '-c', kind.probe.text, 'sh', ...kind.args(params).map(String)];
    const ran = spawnSync('unshare', ['-mn', 'sh', '-euc', inside, 'sh', root, ...command], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return judgeAsEngine(kind, params, { stdout: ran.stdout, stderr: ran.stderr, exitStatus: ran.status ?? 137 });
  }

  it.each(kinds)('$name can be told, or says why not', (one) => {
    const { outcome, reason, summary } = look(one);

    expect([reason, summary]).not.toEqual(expect.arrayContaining([expect.stringMatching(/please report/)]));
    expect(reason).not.toMatch(/^(internal-error|unreadable-output)$/);
    expect(summary).not.toMatch(/^cannot tell$|BusyBox v\d|Usage:|: not found/);
    expect(outcome).not.toBe('changed');
  });

  it.each(['disk', 'file-descriptors', 'group', 'interface', 'memory', 'ping', 'uptime', 'user'])(
    'check.%s is proven there',
    (name) => {
      const one = kinds.find((kind) => kind.name === `check.${name}`);

      expect(one && look(one)).toMatchObject({ outcome: 'ok' });
    },
  );

  it.each(['clock', 'firewall', 'kubernetes', 'log', 'package', 'service', 'updates'])(
    'check.%s is not called fine where nothing tells',
    (name) => {
      const one = kinds.find((kind) => kind.name === `check.${name}`);

      expect(one && look(one)).toMatchObject({ outcome: 'unknown' });
    },
  );
});
