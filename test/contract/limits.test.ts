import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSshTransport } from '../../src/transports/ssh.js';
import type { Transport } from '../../src/transports/transport.js';
import { describeWith } from '../support/needs.js';
import { publicKey, type Sshd, startSshd } from '../support/sshd.js';
import { factories, never, run, runOnce, targetOn } from './connect.js';

describeWith('limits of sshd', ['sshd', 'ssh', 'root'], () => {
  for (const sessions of [1, 3]) {
    it(`runs six commands at once where MaxSessions is ${sessions}`, async () => {
      const sshd = await startSshd({ config: [`MaxSessions ${sessions}`] });
      const transport = createSshTransport();
      try {
        const connection = await transport.open(targetOn(sshd, sshd.addUser()), never);
        const results = await Promise.all(
          Array.from({ length: 6 }, async (_, n) => run(connection, `sleep 0.1; echo ${n}`)),
        );
        await connection.close();

        expect(results.map(({ out }) => out.trim())).toEqual(['0', '1', '2', '3', '4', '5']);
      } finally {
        await transport.dispose();
        await sshd.stop();
      }
    });
  }

  it('loses none of 12 logins where MaxStartups is 3:100:3', async () => {
    const sshd = await startSshd({ config: ['MaxStartups 3:100:3'] });
    const transport = createSshTransport();
    try {
      const user = sshd.addUser();
      const opened = await Promise.all(
        Array.from({ length: 12 }, async (_, n) => transport.open(targetOn(sshd, user, { name: `h${n}` }), never)),
      );

      expect(opened).toHaveLength(12);
      await Promise.all(opened.map(async (connection) => connection.close()));
    } finally {
      await transport.dispose();
      await sshd.stop();
    }
  });

  it('loses none of 60 logins at a default sshd', async () => {
    const sshd = await startSshd({ config: ['MaxStartups 10:30:100'] });
    const transport = createSshTransport();
    try {
      const user = sshd.addUser();
      const opened = await Promise.all(
        Array.from({ length: 60 }, async (_, n) => transport.open(targetOn(sshd, user, { name: `h${n}` }), never)),
      );

      expect(opened).toHaveLength(60);
      await Promise.all(opened.map(async (connection) => connection.close()));
    } finally {
      await transport.dispose();
      await sshd.stop();
    }
  });

  it('opens one connection however many commands run on it', async () => {
    const sshd = await startSshd({ log: true });
    try {
      for (const kind of ['ssh', 'openssh'] as const) {
        const before = sshd.counts();
        const transport: Transport = factories[kind]();
        const connection = await transport.open(targetOn(sshd, sshd.addUser(), { transport: kind }), never);
        for (let n = 0; n < 5; n++) await run(connection, 'exit 0');
        await connection.close();
        await transport.dispose();

        const after = sshd.counts();
        expect(after.connections - before.connections).toBe(1);
        expect(after.channels - before.channels).toBe(5);
      }
    } finally {
      await sshd.stop();
    }
  });

  it('sends small packets without delay', async () => {
    const sshd = await startSshd();
    const transport = createSshTransport();
    try {
      const connection = await transport.open(targetOn(sshd, sshd.addUser({ shell: '/bin/sh' })), never);
      const times: number[] = [];
      const echo = await connection.exec('exec cat', {
        onStdout: () => arrived(),
        onStderr: () => {},
      });
      let arrived: () => void = () => {};
      for (let n = 0; n < 31; n++) {
        const started = performance.now();
        const back = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        // Two writes: with Nagle's delay the second waits for the acknowledgement of the first, 40 ms.
        await echo.write('a');
        await echo.write('b');
        await back;
        times.push(performance.now() - started);
      }
      echo.end();
      await echo.exit;
      await connection.close();

      // The best of the last ones, which the kernel acknowledges late by then: a busy machine slows some, not all.
      expect(Math.min(...times.slice(-12))).toBeLessThan(25);
    } finally {
      await transport.dispose();
      await sshd.stop();
    }
  });
});

describeWith('login shells', ['sshd', 'ssh', 'fish', 'tcsh', 'dash', 'bash', 'root'], () => {
  let sshd: Sshd;

  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(async () => sshd?.stop());

  for (const transport of ['ssh', 'openssh'] as const) {
    describe(`over ${transport}`, () => {
      it.each(['/bin/bash', '/bin/dash', '/usr/bin/fish', '/usr/bin/tcsh'])(
        'runs a POSIX script under %s',
        async (shell) => {
          const target = targetOn(sshd, sshd.addUser({ shell }), { transport });

          const { out, exit } = await runOnce(target, 'exec /bin/sh -s', "x='a b'; printf '<%s>' \"$x\"; exit 9\n");

          expect(out).toBe('<a b>');
          expect(exit.status).toBe(9);
        },
      );

      it('passes on what a noisy start-up file prints', async () => {
        const user = sshd.addUser({ shell: '/bin/bash', files: { '.bashrc': 'echo noise; echo worse >&2\n' } });

        const { out, err } = await runOnce(targetOn(sshd, user, { transport }), 'exec /bin/sh -s', 'echo data\n');

        expect(out).toBe('noise\ndata\n');
        expect(err).toBe('worse\n');
      });

      it('passes on what nologin says', async () => {
        const user = sshd.addUser({ shell: '/usr/sbin/nologin' });

        const { out, exit } = await runOnce(targetOn(sshd, user, { transport }), 'exec /bin/sh -s', 'echo data\n');

        expect(out).toContain('not available');
        expect(exit.status).toBe(1);
      });

      it('passes on what a forced command says instead', async () => {
        const user = sshd.addUser({ authorizedKeys: [`command="echo forced" ${publicKey(sshd.identity)}`] });

        const { out, exit } = await runOnce(targetOn(sshd, user, { transport }), 'exec /bin/sh -s', 'echo data\n');

        expect(out).toBe('forced\n');
        expect(exit.status).toBe(0);
      });
    });
  }
});
