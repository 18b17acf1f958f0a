import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultDeadlines as deadlines } from '../../src/transports/deadlines.js';
import type { Connection, Target, Transport } from '../../src/transports/transport.js';
import { describeWith } from '../support/needs.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { bareTarget, factories, never, run, targetOn } from './connect.js';

for (const kind of ['local', 'ssh', 'openssh'] as const) {
  describeWith(`commands over ${kind}`, kind === 'local' ? [] : ['sshd', 'ssh', 'root'], () => {
    let sshd: Sshd | undefined;
    let transport: Transport;
    let target: Target;
    let connection: Connection;

    beforeAll(async () => {
      const change = { transport: kind, deadlines: { ...deadlines, afterExit: 700 } };
      if (kind === 'local') target = bareTarget(0, change);
      else {
        sshd = await startSshd();
        target = targetOn(sshd, sshd.addUser({ shell: '/bin/bash' }), change);
      }
      transport = factories[kind]();
      connection = await transport.open(target, never);
    });
    afterAll(async () => {
      await connection?.close();
      await transport?.dispose();
      await sshd?.stop();
    });

    it('gives stdin to the command and takes stdout and stderr apart', async () => {
      const result = await run(connection, 'echo out; echo err >&2; cat; exit 3', 'rest of the input\n');

      expect(result.out).toBe('out\nrest of the input\n');
      expect(result.err).toBe('err\n');
      expect(result.exit).toEqual({ status: 3, signal: null });
    });

    it.each([0, 1, 126, 127, 255])('reports exit status %i', async (status) => {
      const result = await run(connection, `exit ${status}`);

      expect(result.exit).toEqual({ status, signal: null });
    });

    it('keeps every byte of binary output', async () => {
      const bytes: Buffer[] = [];
      const channel = await connection.exec(
        'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done',
        { onStdout: (chunk) => bytes.push(chunk), onStderr: () => {} },
      );
      channel.end();
      await channel.exit;

      expect(Buffer.concat(bytes)).toEqual(Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
    });

    it('does not prove an end by signal as an exit status', async () => {
      const result = await run(connection, 'exec /bin/sh -s', 'kill -KILL $$\n');

      expect(result.exit.status).toBeNull();
      // The system's ssh does not say which signal it was.
      if (kind === 'openssh') expect(result.exit.lost?.reason).toBe('connection-lost');
      else expect(result.exit.signal).toBe('SIGKILL');
    });

    it('cuts the streams a while after the exit when a child keeps them open', async () => {
      const started = performance.now();
      const result = await run(connection, 'sleep 40 & echo started; exit 4');

      expect(result.out).toBe('started\n');
      expect(result.exit).toEqual({ status: 4, signal: null, truncated: true });
      expect(performance.now() - started).toBeLessThan(25_000);
    });

    it('does not wait for the streams once the caller has all it needs', async () => {
      const started = performance.now();
      const channel = await connection.exec('sleep 40 & echo frame; exit 5', {
        onStdout: () => channel.complete(),
        onStderr: () => {},
      });

      expect(await channel.exit).toEqual({ status: 5, signal: null });
      expect(performance.now() - started).toBeLessThan(25_000);
    });

    it('drains a flood on stderr while stdout is quiet', async () => {
      let bytes = 0;
      const channel = await connection.exec('head -c 8000000 /dev/zero >&2; echo done', {
        onStdout: () => {},
        onStderr: (chunk) => {
          bytes += chunk.length;
        },
      });

      expect(await channel.exit).toEqual({ status: 0, signal: null });
      expect(bytes).toBe(8_000_000);
    });

    it('holds back a writer whose reader is slow', async () => {
      const channel = await connection.exec('sleep 0.3; wc -c', {
        onStdout: (chunk) => out.push(chunk),
        onStderr: () => {},
      });
      const out: Buffer[] = [];
      const block = Buffer.alloc(64 * 1024);
      for (let written = 0; written < 320; written++) await channel.write(block);
      channel.end();
      await channel.exit;

      expect(Number(Buffer.concat(out).toString())).toBe(320 * 64 * 1024);
    });

    it('does not mind writes after the far side has ended', async () => {
      const channel = await connection.exec('exit 0', { onStdout: () => {}, onStderr: () => {} });
      await channel.exit;

      await channel.write('too late');
      channel.end();
    });

    it('settles the exit of a command that was killed', async () => {
      const channel = await connection.exec('echo up; exec sleep 60', {
        onStdout: () => channel.kill(),
        onStderr: () => {},
      });

      const exit = await channel.exit;
      expect(exit.status).not.toBe(0);
    });

    it('runs several commands at once', async () => {
      const results = await Promise.all(Array.from({ length: 12 }, async (_, n) => run(connection, `echo ${n}`)));

      expect(results.map(({ out }) => out.trim())).toEqual(Array.from({ length: 12 }, (_, n) => String(n)));
    });

    it('refuses a NUL in a command before anything is sent', async () => {
      await expect(connection.exec('echo \0', { onStdout: () => {}, onStderr: () => {} })).rejects.toMatchObject({
        reason: 'transport-error',
      });
    });

    it('stays small while a gigabyte passes through', async () => {
      let bytes = 0;
      let peak = 0;
      const before = process.memoryUsage.rss();
      const channel = await connection.exec('head -c 1073741824 /dev/zero', {
        onStdout: (chunk) => {
          bytes += chunk.length;
          if (bytes % 16 === 0) peak = Math.max(peak, process.memoryUsage.rss());
        },
        onStderr: () => {},
      });

      expect((await channel.exit).status).toBe(0);
      expect(bytes).toBe(1_073_741_824);
      expect(peak - before).toBeLessThan(150 * 1024 * 1024);
    });

    it('tells that the transport was closed under a running command', async () => {
      const second = await transport.open(target, never);
      const channel = await second.exec('sleep 30', { onStdout: () => {}, onStderr: () => {} });
      await second.close();

      const exit = await channel.exit;
      expect(exit.status).toBeNull();
    });
  });
}
