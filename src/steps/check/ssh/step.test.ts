import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import { type Sshd, startSshd } from '../../../../test/support/sshd.js';
import { showHostKeys } from '../../../transports/ssh/shown-keys.js';
import { dialFromHere } from '../dialogue.js';
import { fingerprintIn } from './host-keys.js';
import kind from './step.js';

describeWith('check.ssh', ['sshd', 'root'], () => {
  const local = servers();
  let sshd: Sshd | undefined;

  afterAll(async () => {
    await local.stop();
    await sshd?.stop();
  });

  const say = (text: string) => local.listen((socket) => socket.end(text));

  it('knows a real sshd', async () => {
    sshd = await startSshd();
    const { port, address } = sshd;

    expect(await look(kind, { port, address, software: '^OpenSSH_\\d' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/ is OpenSSH_\d.*, answers in [\d.]+ m?s$/),
      data: { banner: { protocol: '2.0' } },
      metrics: [{ name: 'time', unit: 'seconds' }],
    });
    expect(await look(kind, { port, address, software: 'dropbear' })).toMatchObject({ reason: 'no-match' });
    expect(await look(kind, { port, address, 'software-lacks': '^OpenSSH' })).toMatchObject({ reason: 'match' });
    expect(await look(kind, { port, address, critical: '@0:60s' })).toMatchObject({ outcome: 'failed' });
  });

  async function lookAtKeys(given: object, from: 'host' | 'controller' = 'controller') {
    const params = withDefaults(kind, given);
    const dial = from === 'host' ? { dial: dialFromHere(10) } : {};
    const host = { name: 'web1', address: '127.0.0.1' };
    const data = await kind.call(params, {
      host,
      signal: AbortSignal.timeout(20_000),
      hostKeys: showHostKeys,
      ...dial,
    });
    return { data, ...kind.judge(data, params, { host: 'web1', now: new Date() }) };
  }

  it.each(['controller', 'host'] as const)('knows the host keys of a real sshd, from the %s', async (from) => {
    const own = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
    try {
      const { port, address } = own;
      const prints = own.hostKeys.map((line) => fingerprintIn(line) ?? '');
      const keys = (...wanted: string[]) => lookAtKeys({ port, address, 'host-key': wanted }, from);

      expect(await keys(...prints, ...own.hostKeys, own.hostKeyLine)).toMatchObject({
        outcome: 'ok',
        data: { keys: [{ type: 'ecdsa-sha2-nistp256' }, { type: 'ssh-ed25519' }, { type: 'ssh-rsa', bits: 3072 }] },
      });
      const other = `SHA256:${'A'.repeat(43)}`;
      const wrong = await keys(other);
      expect(wrong).toMatchObject({ outcome: 'failed', reason: 'host-key-mismatch' });
      for (const print of [other, ...prints]) expect(wrong.summary).toContain(print);
      expect((await lookAtKeys({ port, address, 'weak-host-keys': 'fail' }, from)).outcome).toBe('ok');
    } finally {
      await own.stop();
    }
  });

  it('names weak host keys', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'opsctl-keys-'));
    const weak = join(folder, 'weak');
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', weak]);
    const lax = await startSshd({ config: [`HostKey ${weak}`] });
    try {
      const { port, address } = lax;

      expect(await lookAtKeys({ port, address, 'weak-host-keys': 'fail' })).toMatchObject({
        outcome: 'failed',
        reason: 'weak-host-key',
        summary: expect.stringContaining('shows a weak host key: ssh-rsa of 1024 bits SHA256:'),
      });
      expect((await lookAtKeys({ port, address, 'weak-host-keys': 'warning' })).outcome).toBe('warning');
      expect((await lookAtKeys({ port, address, 'host-key': lax.hostKeys })).outcome).toBe('ok');
    } finally {
      await lax.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it('does not call it fine when the keys cannot be seen', async () => {
    const port = await say('SSH-2.0-OpenSSH_9.2\r\n');
    const mute = await local.listen((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
    const wanted = { 'weak-host-keys': 'fail' };

    expect((await lookAtKeys({ port, ...wanted })).outcome).toBe('failed');
    expect(await lookAtKeys({ port: mute, deadline: '600ms', ...wanted })).toMatchObject({
      outcome: 'failed',
      reason: 'timeout',
    });
    await expect(look(kind, { port: mute, ...wanted })).rejects.toThrow('cannot be asked for');
  });

  it('refuses what is no host key', () => {
    const problems = (key: string | string[]) => kind.validate?.(withDefaults(kind, { 'host-key': key }));

    expect(problems(['SHA256:short', 'ssh-ed25519'])).toMatchObject([
      { path: ['host-key', 0] },
      { path: ['host-key', 1] },
    ]);
    expect(problems('MD5:aa:bb')).toMatchObject([{ path: ['host-key'] }]);
    expect(problems('${{ vars.key }}')).toEqual([]);
  });

  it('reads past the lines before the banner', async () => {
    const port = await say('Welcome\r\n\r\nSSH-2.0-dropbear_2022.83\r\n');

    expect((await look(kind, { port })).summary).toContain('is dropbear_2022.83, answers');
  });

  it('fails for the first version of the protocol', async () => {
    expect(await look(kind, { port: await say('SSH-1.99-Cisco-1.25\n') })).toMatchObject({ reason: 'old-protocol' });
  });

  it('passes on why the server turns us away', async () => {
    expect(await look(kind, { port: await say('Exceeded MaxStartups\r\n') })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringContaining('turns us away: Exceeded MaxStartups'),
    });
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const port = await local.listen(faults[fault] as never);

    expect((await look(kind, { port, deadline: '400ms' })).outcome).toBe('failed');
  });

  it('fails for words without end, and for half a banner', async () => {
    expect((await look(kind, { port: await say('line\n'.repeat(200)) })).reason).toBe('protocol-error');
    expect((await look(kind, { port: await say('SSH-2.0-Open') })).reason).toBe('protocol-error');
    expect((await look(kind, { port: await say('SSH-\n') })).reason).toBe('protocol-error');
    expect((await look(kind, { port: await local.freePort() })).reason).toBe('connect-refused');
  });

  it('stops when the step is stopped', async () => {
    const port = await local.listen(() => {});

    await expect(look(kind, { port }, AbortSignal.timeout(100))).rejects.toThrow();
    expect(kind.validate?.(withDefaults(kind, { software: '(' }))).toHaveLength(1);
  });
});
