import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Connection, Transport } from '../../src/transports/transport.js';
import { describeWith } from '../support/needs.js';
import { endProcessesOf, type Sshd, startSshd } from '../support/sshd.js';
import { factories, never, run, targetOn } from './connect.js';

for (const kind of ['ssh', 'openssh'] as const)
  describeWith(`TCP connections from a host, over ${kind}`, ['sshd', 'ssh', 'root'], () => {
    let sshd: Sshd;
    let server: Server;
    let port: number;
    let transport: Transport;
    let connection: Connection;

    beforeAll(async () => {
      sshd = await startSshd();
      server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
      transport = factories[kind]();
      connection = await transport.open(
        targetOn(sshd, sshd.addUser({ shell: '/bin/bash' }), { transport: kind }),
        never,
      );
    });
    afterAll(async () => {
      server?.close();
      await connection?.close();
      await transport?.dispose();
      await sshd?.stop();
    });

    const dial = (address: string, to: number, signal = never, over = connection) =>
      (over.dial as NonNullable<Connection['dial']>)({ address, port: to }, signal);

    it('carry bytes both ways, beside commands', async () => {
      const stream = await dial('localhost', port);
      stream.write('hello');
      const [answer] = (await once(stream, 'data')) as [Buffer];
      expect(String(answer)).toBe('hello');
      expect((await run(connection, 'echo still here')).out).toBe('still here\n');
      stream.destroy();
    });

    it('fail with the codes of a connection from here', async () => {
      const closed = createServer().listen(0, '127.0.0.1');
      await once(closed, 'listening');
      const free = (closed.address() as AddressInfo).port;
      closed.close();
      await expect(dial('127.0.0.1', free)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await expect(dial('no-such-name.invalid', 80)).rejects.toMatchObject({
        code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
      });
    });

    it('carry much, both ways at once', async () => {
      const stream = await dial('127.0.0.1', port);
      const sent = randomBytes(3_000_000);
      const got: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => got.push(chunk));
      stream.end(sent);
      await once(stream, 'end');
      expect(Buffer.concat(got).equals(sent)).toBe(true);
      stream.destroy();
    });

    it('end when the server ends them', async () => {
      const short = createServer((socket) => socket.end('bye')).listen(0, '127.0.0.1');
      await once(short, 'listening');
      const stream = await dial('127.0.0.1', (short.address() as AddressInfo).port);
      const got: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => got.push(chunk));
      await once(stream, 'end');
      expect(String(Buffer.concat(got))).toBe('bye');
      stream.write('nobody takes this');
      stream.destroy();
      short.close();
    });

    it('go where they are told, many at once', async () => {
      const closed = createServer().listen(0, '127.0.0.1');
      await once(closed, 'listening');
      const free = (closed.address() as AddressInfo).port;
      closed.close();
      const ends = await Promise.allSettled([
        dial('127.0.0.1', port),
        dial('127.0.0.1', free),
        dial('no-such-name.invalid', port),
        dial('localhost', port),
        dial('-oProxyCommand=true', port),
        dial('/etc/passwd', port),
      ]);
      expect(ends.map((end) => (end.status === 'fulfilled' ? 'open' : end.reason.code))).toEqual([
        'open',
        'ECONNREFUSED',
        expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
        'open',
        expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
        expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
      ]);
      for (const end of ends) if (end.status === 'fulfilled') end.value.destroy();
    });

    it('say so when the way to the host is lost, not the server', async () => {
      const own = factories[kind]();
      const user = sshd.addUser({ shell: '/bin/bash' });
      const over = await own.open(targetOn(sshd, user, { transport: kind }), never);
      const stream = await dial('127.0.0.1', port, never, over);
      const failed = once(stream, 'error');
      stream.resume();
      endProcessesOf(user.name);
      expect(await failed).toMatchObject([{ reason: expect.stringMatching(/^connection-(lost|reset)$/) }]);
      await over.close();
      await own.dispose();
    });

    it('are called off with their signal', async () => {
      await expect(dial('127.0.0.1', port, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    });

    it('are told apart from a host that forwards nothing', async () => {
      const strict = await startSshd({ config: ['AllowTcpForwarding no'] });
      const own = factories[kind]();
      const over = await own.open(targetOn(strict, strict.addUser({ shell: '/bin/bash' }), { transport: kind }), never);
      await expect(dial('127.0.0.1', port, never, over)).rejects.toMatchObject({
        reason: 'channel-refused',
        outcome: 'unknown',
        hint: expect.stringContaining('AllowTcpForwarding'),
      });
      await over.close();
      await own.dispose();
      await strict.stop();
    });
  });
