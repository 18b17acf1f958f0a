import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultDeadlines } from '../../src/transports/deadlines.js';
import { dial } from '../../src/transports/ssh/link.js';
import { startSession } from '../../src/transports/ssh/session.js';
import { createSshTransport } from '../../src/transports/ssh.js';
import type { Deadlines, Target } from '../../src/transports/transport.js';
import { bareTarget, never, refusal, run } from './connect.js';

/** Milliseconds that no deadline of these tests comes near, not even on a busy machine. */
const noWait = 15_000;

/** Short waits, so that every timer can be seen to end. */
const short: Deadlines = {
  connect: 2_000,
  banner: 1_000,
  login: 1_500,
  channel: 1_000,
  keepaliveInterval: 100,
  keepaliveCount: 2,
  afterExit: 300,
};

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const hostKey = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const publicHostKey = (() => {
  const parsed = ssh2.utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  return `ssh-rsa ${parsed.getPublicSSH().toString('base64')}`;
})();

let cleanups: (() => void)[] = [];
beforeEach(() => {
  cleanups = [];
});
afterEach(() => {
  for (const cleanup of cleanups) cleanup();
});

/** A TCP server that does what it is told with each connection. */
async function rawServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listen(server);
}

/** An SSH server that lets everyone in, and then does what it is told. */
async function sshServer(onClient: (client: ssh2.Connection) => void, letIn = true): Promise<number> {
  const clients = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    clients.add(client);
    client.on('error', () => {});
    if (letIn) client.on('authentication', (context) => context.accept());
    onClient(client);
  });
  cleanups.push(() => {
    for (const client of clients) client.end();
    server.close();
  });
  return listen(server as unknown as Server);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return address && typeof address === 'object' ? address.port : 0;
}

const odd = (port: number, change: Partial<Target> = {}) =>
  bareTarget(port, { hostKey: publicHostKey, deadlines: short, ...change });

async function timed<T>(work: Promise<T>): Promise<readonly [T, number]> {
  const started = performance.now();
  const result = await work;
  return [result, performance.now() - started];
}

describe('servers that are no good', () => {
  it('tells a closed port', async () => {
    const port = await rawServer(() => {});
    for (const cleanup of cleanups.splice(0)) cleanup();

    expect(await refusal(odd(port))).toMatchObject({
      reason: 'connect-refused',
      outcome: 'unreachable',
      transient: false,
    });
  });

  it('tells a name without an address', async () => {
    const error = await refusal(odd(22, { address: 'no-such-host.invalid', deadlines: { ...short, connect: 5_000 } }));

    expect(error).toMatchObject({ reason: 'name-not-found', outcome: 'unreachable' });
  });

  it('gives up on a host that is silent after the connect', async () => {
    const port = await rawServer(() => {});

    const [error, time] = await timed(refusal(odd(port)));

    expect(error).toMatchObject({ reason: 'banner-timeout', outcome: 'unreachable' });
    expect(time).toBeLessThan(noWait);
  });

  it.each(['HTTP/1.1 400 Bad Request\r\n\r\n', '220 mail ESMTP\r\n'])(
    'shows what speaks there: %j',
    async (greeting) => {
      const port = await rawServer((socket) => socket.write(greeting));

      const error = await refusal(odd(port));

      expect(error).toMatchObject({ reason: 'not-ssh', outcome: 'unreachable' });
      expect(error.message).toContain(greeting.slice(0, 8));
    },
  );

  it('escapes what a hostile server says', async () => {
    const port = await rawServer((socket) => socket.end('\x1b]52;c;aGk=\x07evil\n'));

    const error = await refusal(odd(port));

    expect(error.reason).toBe('not-ssh');
    expect(error.message).toContain('\\x1b]52;');
    expect(error.message).not.toContain('\x1b');
  });

  it('tells SSH 1', async () => {
    const port = await rawServer((socket) => socket.write('SSH-1.5-old\n'));

    expect((await refusal(odd(port))).message).toContain('SSH 1');
  });

  it('ends an endless greeting', async () => {
    const port = await rawServer((socket) => {
      const flood = setInterval(() => socket.write(`${'x'.repeat(1000)}\n`.repeat(100)), 1);
      socket.on('close', () => clearInterval(flood));
    });

    const [error, time] = await timed(refusal(odd(port)));

    expect(error.reason).toBe('not-ssh');
    expect(time).toBeLessThan(noWait);
  });

  it('tries three times when the connection is closed before the greeting', async () => {
    let connections = 0;
    const port = await rawServer((socket) => {
      connections++;
      socket.resume().end();
    });

    const error = await refusal(odd(port));

    expect(error).toMatchObject({ reason: 'connection-reset', outcome: 'unreachable', transient: true });
    expect(connections).toBe(3);
  });

  it('waits for a server that has too many logins', async () => {
    let connections = 0;
    const port = await rawServer((socket) => {
      connections++;
      socket.resume().end('Exceeded MaxStartups\r\n');
    });

    const error = await refusal(odd(port));

    expect(error.reason).toBe('connection-reset');
    expect(error.message).toContain('Exceeded MaxStartups');
    expect(connections).toBe(3);
  });

  it('gives up on a handshake that stops after the greeting', async () => {
    let connections = 0;
    const port = await rawServer((socket) => {
      connections++;
      socket.write('SSH-2.0-tarpit\r\n');
    });

    const [error, time] = await timed(refusal(odd(port)));

    expect(error).toMatchObject({ reason: 'login-timeout', outcome: 'unreachable' });
    expect(connections).toBe(1);
    expect(time).toBeLessThan(noWait);
  });

  it('gives up on a login that is never answered', async () => {
    const port = await sshServer((client) => client.on('authentication', () => {}), false);

    const [error, time] = await timed(refusal(odd(port)));

    expect(error.reason).toBe('login-timeout');
    expect(time).toBeLessThan(noWait);
  });

  it('answers no question but a single hidden one', async () => {
    const answers: string[][] = [];
    const port = await sshServer((client) => {
      client.on('authentication', (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        context.prompt(
          [
            { prompt: 'Password: ', echo: false },
            { prompt: 'Code: ', echo: true },
          ],
          (given) => {
            answers.push(given);
            context.reject();
          },
        );
      });
    }, false);

    expect((await refusal(odd(port))).reason).toBe('auth-failed');
    expect(answers).toEqual([['', '']]);
  });

  it('stops when it is called off', async () => {
    const port = await rawServer(() => {});
    const controller = new AbortController();
    const transport = createSshTransport();
    setTimeout(() => controller.abort('SIGINT'), 50);

    await expect(transport.open(odd(port, { deadlines: defaultDeadlines }), controller.signal)).rejects.toMatchObject({
      reason: 'aborted',
      outcome: 'unreachable',
    });
  });

  it.each([
    ['a promise', async () => false],
    [
      'a thrown error',
      () => {
        throw new Error('broken');
      },
    ],
    ['a truthy value', () => ({ accepted: 'yes' })],
  ])('lets nobody in when the check of the key gives %s', async (_what, judge) => {
    let logins = 0;
    const port = await sshServer((client) => client.on('authentication', () => logins++), false);
    const target = odd(port);
    const credentials = { next: () => false as const, refusal: () => new Error('none') as never };

    const session = dial(target, never).then(async (socket) =>
      startSession(socket, target, undefined, credentials, { judge: judge as never }, never),
    );

    await expect(session).rejects.toThrow();
    expect(logins).toBe(0);
  });
});

describe('servers that go wrong later', () => {
  const open = async (port: number, change: Partial<Target> = {}) =>
    createSshTransport().open(odd(port, change), never);
  const quiet = { onStdout: () => {}, onStderr: () => {} };

  it('gives up on a channel that is never opened', async () => {
    const port = await sshServer((client) => client.on('session', () => {}));
    const connection = await open(port);

    const [error, time] = await timed(connection.exec('true', quiet).catch((caught: unknown) => caught));

    expect(error).toMatchObject({ reason: 'channel-timeout', outcome: 'unreachable' });
    expect(time).toBeLessThan(noWait);
    await connection.close();
  });

  it('gives up on a command that is never answered', async () => {
    const port = await sshServer((client) => client.on('session', (accept) => accept().on('exec', () => {})));
    const connection = await open(port);

    await expect(connection.exec('true', quiet)).rejects.toMatchObject({ reason: 'channel-timeout' });
    await connection.close();
  });

  it('says when a command is refused', async () => {
    const port = await sshServer((client) =>
      client.on('session', (accept) => accept().on('exec', (_accept, reject) => reject())),
    );
    const connection = await open(port);

    await expect(connection.exec('true', quiet)).rejects.toMatchObject({ reason: 'channel-refused' });
    await connection.close();
  });

  it('notices a server that stops answering', async () => {
    const sockets: Socket[] = [];
    const port = await sshServer((client) => {
      client.on('session', (accept) => accept().on('exec', (start) => start()));
      sockets.push((client as unknown as { _sock: Socket })._sock);
    });
    const connection = await open(port);
    const channel = await connection.exec('true', quiet);
    for (const socket of sockets) socket.pause();

    const [exit, time] = await timed(channel.exit);

    expect(exit).toMatchObject({
      status: null,
      signal: null,
      lost: { reason: 'keepalive-timeout', outcome: 'unknown' },
    });
    expect(time).toBeLessThan(noWait);
  });

  it.each([
    ['a closed connection', (socket: Socket) => socket.end()],
    ['a reset', (socket: Socket) => socket.resetAndDestroy()],
  ])('never takes %s for a proven end', async (_what, cut) => {
    const port = await sshServer((client) =>
      client.on('session', (accept) =>
        accept().on('exec', (start) => {
          start().write('looks complete\n');
          setTimeout(() => cut((client as unknown as { _sock: Socket })._sock), 50);
        }),
      ),
    );
    const connection = await open(port, { deadlines: { ...short, keepaliveInterval: 5_000 } });

    const { exit, out } = await run(connection, 'true');

    expect(out).toBe('looks complete\n');
    expect(exit).toMatchObject({ status: null, signal: null, lost: { outcome: 'unknown' } });
  });

  it('does not prove an end without an exit status', async () => {
    const port = await sshServer((client) =>
      client.on('session', (accept) => accept().on('exec', (start) => start().end('bye\n'))),
    );
    const connection = await open(port);

    const { exit } = await run(connection, 'true');

    expect(exit).toMatchObject({ status: null, signal: null, lost: { reason: 'connection-lost' } });
    await connection.close();
  });

  it('takes data that comes after the exit status', async () => {
    const port = await sshServer((client) =>
      client.on('session', (accept) =>
        accept().on('exec', (start) => {
          const stream = start();
          stream.exit(0);
          setTimeout(() => stream.end('late\n'), 100);
        }),
      ),
    );
    const connection = await open(port);

    expect(await run(connection, 'true')).toMatchObject({ out: 'late\n', exit: { status: 0 } });
    await connection.close();
  });

  it('closes within a second or so when the other side does not', async () => {
    const port = await sshServer((client) => {
      client.on('session', (accept) =>
        accept().on('exec', (start) => {
          start();
          (client as unknown as { _sock: Socket })._sock.pause();
        }),
      );
    });
    const connection = await open(port, { deadlines: { ...short, keepaliveInterval: 60_000 } });
    await connection.exec('true', quiet);

    const [, time] = await timed(connection.close());

    expect(time).toBeLessThan(noWait);
  });
});
