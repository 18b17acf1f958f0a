import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSshTransport } from '../../src/transports/ssh.js';
import type { Target } from '../../src/transports/transport.js';
import { describeWith } from '../support/needs.js';
import { type Sshd, type SshdUser, startSshd } from '../support/sshd.js';
import { never, refusal, run, runOnce, targetOn } from './connect.js';

describeWith('jump hosts', ['sshd', 'ssh', 'root'], () => {
  let inner: Sshd;
  let bastion: Sshd;
  let user: SshdUser;
  let guest: SshdUser;

  beforeAll(async () => {
    inner = await startSshd({ log: true });
    bastion = await startSshd({ log: true, config: ['MaxSessions 0'] });
    user = inner.addUser();
    guest = bastion.addUser();
  });
  afterAll(async () => {
    await inner?.stop();
    await bastion?.stop();
  });

  const hop = (change: Partial<Target> = {}) => targetOn(bastion, guest, { name: 'bastion', ...change });

  for (const transport of ['ssh', 'openssh'] as const) {
    describe(`over ${transport}`, () => {
      it('goes through two of them and checks all three keys', async () => {
        const jump = [hop(), hop({ name: 'second', address: '127.0.0.2' })];

        const { out } = await runOnce(targetOn(inner, user, { transport, jump }), 'id -un');

        expect(out.trim()).toBe(user.name);
      });

      it.each([0, 1])('refuses when the key of hop %i is unknown', async (index) => {
        const empty = join(inner.folder, 'empty');
        writeFileSync(empty, '');
        const jump = [0, 1].map((at) =>
          hop({
            name: `hop${at}`,
            address: `127.0.0.${at + 2}`,
            knownHosts: [at === index ? empty : bastion.knownHostsFile],
          }),
        );

        const error = await refusal(targetOn(inner, user, { transport, jump }));

        expect(error).toMatchObject({ reason: 'host-key-unknown', outcome: 'refused' });
      });

      it('checks the target behind a trusted jump host', async () => {
        const error = await refusal(
          targetOn(inner, user, { transport, jump: [hop()], knownHosts: [bastion.knownHostsFile] }),
        );

        expect(error.outcome).toBe('refused');
        expect(error.reason).toMatch(/^host-key-(unknown|mismatch)$/);
      });

      it('says that the host behind it cannot be reached', async () => {
        const error = await refusal(targetOn(inner, user, { transport, jump: [hop()], port: 1 }));

        expect(error.outcome).toBe('unreachable');
      });
    });
  }

  it('logs in once at a jump host that many hosts share', async () => {
    const before = bastion.counts().connections;
    const transport = createSshTransport();
    const targets = Array.from({ length: 20 }, (_, index) =>
      targetOn(inner, user, { name: `h${index}`, address: inner.addressOf(index), jump: [hop()] }),
    );

    const outputs = await Promise.all(
      targets.map(async (target) => {
        const connection = await transport.open(target, never);
        const { out } = await run(connection, 'echo in');
        await connection.close();
        expect(connection.hostKeys).toHaveLength(2);
        return out;
      }),
    );
    await transport.dispose();

    expect(outputs).toEqual(targets.map(() => 'in\n'));
    expect(bastion.counts().connections - before).toBe(1);
  });

  it('asks a jump host that refuses us only once', async () => {
    const before = bastion.counts().connections;
    const transport = createSshTransport();
    const refused = hop({ identities: [bastion.makeKey('stranger')] });
    const open = async (index: number) =>
      refusal(targetOn(inner, user, { address: inner.addressOf(index), jump: [refused] }), transport);

    const errors = [...(await Promise.all([1, 2, 3].map(open))), await open(4)];
    await transport.dispose();

    expect(errors.map(({ reason }) => reason)).toEqual(Array(4).fill('auth-failed'));
    expect(bastion.counts().connections - before).toBe(1);
  });

  it('connects again when the jump host was lost', async () => {
    const transport = createSshTransport();
    const target = targetOn(inner, user, { jump: [hop()] });
    const first = await transport.open(target, never);
    await first.close();
    await transport.dispose();

    const second = await transport.open(target, never);
    expect((await run(second, 'echo again')).out).toBe('again\n');
    await second.close();
    await transport.dispose();
  });

  it('tells when the jump host forbids forwarding', async () => {
    const closed = await startSshd({ config: ['AllowTcpForwarding no'] });
    try {
      const jump = [targetOn(closed, closed.addUser(), { name: 'closed' })];

      const error = await refusal(targetOn(inner, user, { jump }));

      expect(error).toMatchObject({ reason: 'channel-refused', outcome: 'unreachable' });
      expect(error.hint).toContain('AllowTcpForwarding');
    } finally {
      await closed.stop();
    }
  });
});
