import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const said = 'user\tweb:x:1001:33::/srv/web:/bin/sh\ngids\t33 27\ngroup\twww:x:33:\ngroup\tsudo:x:27:web\ngroup\t\n';
const given = { name: 'web', group: 'www', groups: ['www', 'sudo', 'ghosts'] };

describe('check.user', () => {
  it('reads a Debian 12 host', () => {
    const judged = (wanted: object) =>
      judgeOutput(kind, fixture('debian12-daemon.txt', import.meta.url), { name: 'daemon', ...wanted });

    expect(judged({ uid: 1, home: '/usr/sbin', shell: '/usr/sbin/nologin' })).toMatchObject({
      outcome: 'ok',
      summary: 'user daemon has id 1, /usr/sbin, /usr/sbin/nologin',
    });
    expect(judged({ uid: 2, shell: '/bin/sh' })).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-id',
      summary: 'user daemon has id 1, should have 2; has shell /usr/sbin/nologin, should have /bin/sh',
    });
  });

  it('wants groups by their ids', () => {
    expect(judgeOutput(kind, said, given)).toMatchObject({
      outcome: 'failed',
      reason: 'not-in-group',
      summary: 'user web is not in ghosts',
    });
    expect(
      judgeOutput(kind, 'user\tweb:x:9:33::/:/bin/sh\ngids\t33\ngroup\tadm:x:4:\n', { name: 'web', group: 'adm' }),
    ).toMatchObject({ reason: 'wrong-group', summary: 'user web has the primary group 33, should have adm' });
  });

  it('tells present from absent', () => {
    expect(judgeOutput(kind, 'absent\t\n', { name: 'web' }).reason).toBe('user-absent');
    expect(judgeOutput(kind, 'absent\t\n', { name: 'web', state: 'absent' }).outcome).toBe('ok');
    expect(judgeOutput(kind, said, { ...given, state: 'absent' }).reason).toBe('user-present');
  });

  it.each(['', 'user\troot:x\n', 'user\tweb:x:1:1::/:/bin/sh\n'])('does not take %j for an entry', (output) => {
    expect(() => kind.parse(outputOf(output), { name: 'web', state: 'present', groups: ['adm'] })).toThrow();
  });

  it.each(Object.keys(shells))('looks at this machine with %s', (shell) => {
    const judged = (wanted: { name: string }) => judgeOutput(kind, runProbe(kind, wanted, shell), wanted);

    expect(judged({ name: 'root', ...{ uid: 0, group: 'root', groups: ['root'], home: '/root' } }).outcome).toBe('ok');
    expect(judged({ name: 'no-such-user' }).reason).toBe('user-absent');
    expect(judged({ name: '0' }).reason).toBe('user-absent');
  });

  it.each(Object.keys(shells))('takes the name as a directory writes it, with %s', (shell) => {
    // SSSD gives the name as the directory has it, whatever was asked.
    const folder = mkdtempSync(join(tmpdir(), 'opsctl-getent-'));
    writeFileSync(join(folder, 'getent'), '#!/bin/sh\necho "alice@example.com:*:9001:9001::/home/alice:/bin/bash"\n', {
      mode: 0o755,
    });
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const ask = (name: string) => {
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
      const { stdout } = spawnSync(program, [...options, '-c', kind.probe.text, 'sh', name], {
        env,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return judgeOutput(kind, { stdout, stderr: Buffer.alloc(0), exitStatus: 0 }, { name, state: 'absent' });
    };
    try {
      expect(ask('Alice').reason).toBe('user-present');
      expect(ask('EXAMPLE\\alice').reason).toBe('user-present');
      // The id of another name.
      expect(ask('9001').outcome).toBe('ok');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reads the files of a host without getent', () => {
    const run = (name: string) =>
      spawnSync('/bin/busybox', ['sh', '-c', kind.probe.text, 'sh', name, 'root'], {
        env: { PATH: '/nowhere' },
        encoding: 'utf8',
      });

    expect(run('root').stdout).toMatch(/^user\troot:x:0:0:.*\ngids\t0.*\ngroup\troot:x:0:/);
    expect(run('no-such-user').stdout).toBe('absent\t\n');
  });
});
