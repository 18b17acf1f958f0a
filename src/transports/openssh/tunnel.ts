import type { ChildProcess } from 'node:child_process';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { failedDial, refusedDial } from '../dial-error.js';
import { printable } from '../printable.js';
import { type Target, TransportError } from '../transport.js';
import { control, type Master, throughMaster } from './master.js';
import { killGroup, missingSsh, startSsh } from './program.js';

/** A TCP connection from the host, by `ssh -W` through the master. */
export async function openTunnel(
  target: Target,
  master: Master,
  { address, port }: { readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  // ssh would read a path, a port or an option out of other text; no name has such characters.
  if (!/^[A-Za-z0-9_.:%-]+$/.test(address))
    throw Object.assign(new Error(`${printable(address)} is not a name`), { code: 'ENOTFOUND' });
  const destination = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const child = startSsh([...throughMaster(master), '-W', destination, '--', master.host], {
    stdio: 'pipe',
  }) as unknown as ChildProcess;
  const { stdin, stdout, stderr } = child as ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable };
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killGroup(child.pid);
  };
  // Held back until someone reads the tunnel.
  stdout.pause();
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});

  await new Promise<void>((resolve, reject) => {
    let said = '';
    const finish = (settle: () => void) => {
      signal.removeEventListener('abort', onAbort);
      stderr.off('data', onData).resume();
      settle();
    };
    const onAbort = () => {
      kill();
      finish(() => reject(signal.reason));
    };
    const onData = (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (/master session id: \d/.test(said)) finish(resolve);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    stderr.on('data', onData);
    child.once('error', () => finish(() => reject(missingSsh())));
    stderr.once('close', () => finish(() => reject(noTunnel(target, master, destination, said))));
  });
  return tunnelStream(stdin, stdout, kill, async () => (await control(master, 'check')) === 0, target);
}

/** ssh itself says only that it came to nothing; the master knows what the host said. */
function noTunnel(target: Target, master: Master, destination: string, said: string): Error {
  const text = master.log.takeRefusal(destination.replace(/^\[(.*)\](:\d+)$/, '$1$2'));
  const tried = /^connect failed: (.*)$/.exec(text ?? '')?.[1];
  if (tried !== undefined) return failedDial(tried);
  if (text !== undefined) return refusedDial(target.name, text);
  return /forwarding (request )?failed/i.test(said)
    ? refusedDial(target.name, 'ssh does not say why')
    : new TransportError('connection-lost', 'unknown', `the connection to ${target.name} was lost`);
}

function tunnelStream(
  stdin: Writable,
  stdout: Readable,
  kill: () => void,
  alive: () => Promise<boolean>,
  target: Target,
): Duplex {
  const tunnel = new Duplex({
    read: () => void stdout.resume(),
    // What the far side no longer takes is dropped, as by a socket of the host.
    write: (chunk: Buffer, _, taken) => void stdin.write(chunk, () => taken()),
    final: (done) => void stdin.end(() => done()),
    destroy(error, done) {
      kill();
      for (const stream of [stdin, stdout]) stream.destroy();
      done(error);
    },
  });
  tunnel.on('error', () => {});
  stdout.on('data', (chunk: Buffer) => {
    if (!tunnel.push(chunk)) stdout.pause();
  });
  stdout.once('end', async () => {
    // It ends the same way when the link to the host is lost, which says nothing of the server.
    if (await alive()) tunnel.push(null);
    else tunnel.destroy(new TransportError('connection-lost', 'unknown', `the connection to ${target.name} was lost`));
  });
  return tunnel;
}
