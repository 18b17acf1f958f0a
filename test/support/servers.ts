import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Servers of one suite, on loopback, which end together. Call `stop` in `afterAll`. */
export interface Servers {
  /** A server that is this function; gives its port. */
  listen(serve: (socket: Socket) => void): Promise<number>;
  /** Starts a program and waits until it accepts on the port, or is there by another sign. Gives its process id. */
  start(program: string, args: readonly string[], sign: number | (() => Promise<boolean>)): Promise<number>;
  /** A port on which nothing listens. */
  freePort(): Promise<number>;
  stop(): Promise<void>;
}

export function servers(): Servers {
  const own: Server[] = [];
  const sockets = new Set<Socket>();
  const children: ChildProcess[] = [];

  const listen = async (serve: (socket: Socket) => void) => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      serve(socket);
    });
    own.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  return {
    listen,
    async freePort() {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      return port;
    },
    async start(program, args, sign) {
      const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: 'C' };
      const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      children.push(child);
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk) => {
          output = `${output}${chunk}`.slice(-4_000);
        });
      child.on('error', (error) => {
        output += String(error);
      });
      for (let tries = 0; tries < 300; tries += 1) {
        if (child.exitCode !== null) break;
        if (await (typeof sign === 'number' ? accepts(sign) : sign())) return child.pid as number;
        await sleep(100);
      }
      throw new Error(`${program} does not start: ${output}`);
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      for (const server of own) server.close();
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
          const gone = once(child, 'exit');
          child.kill();
          await Promise.race([gone, sleep(5_000).then(() => child.kill('SIGKILL'))]);
        }),
      );
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** What a server may do wrong before it has said anything of use. */
export const faults: Readonly<Record<string, (socket: Socket) => void>> = {
  mute: () => {},
  'cut at once': (socket) => socket.destroy(),
  garbage: (socket) => socket.end(Buffer.from(Array.from({ length: 2_000 }, (_, index) => (index * 7919) % 251))),
  'a web server': (socket) => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
  'a slow drip': (socket) => {
    const timer = setInterval(() => socket.write('2'), 20);
    socket.once('close', () => clearInterval(timer));
  },
  endless: (socket) => {
    const chunk = Buffer.alloc(65_536, 'x');
    const pour = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour);
    pour();
  },
};
