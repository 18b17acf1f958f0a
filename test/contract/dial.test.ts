import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSshTransport } from '../../src/transports/ssh.js';
import type { Connection, Transport } from '../../src/transports/transport.js';
import { describeWith } from '../support/needs.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { never, run, targetOn } from './connect.js';

describeWith('TCP connections from a host, over ssh', ['sshd', 'ssh', 'root'], () => {
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
    transport = createSshTransport();
    connection = await transport.open(targetOn(sshd, sshd.addUser({ shell: '/bin/bash' })), never);
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

  it('are called off with their signal', async () => {
    await expect(dial('127.0.0.1', port, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  it('are told apart from a host that forwards nothing', async () => {
    const strict = await startSshd({ config: ['AllowTcpForwarding no'] });
    const own = createSshTransport();
    const over = await own.open(targetOn(strict, strict.addUser({ shell: '/bin/bash' })), never);
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
