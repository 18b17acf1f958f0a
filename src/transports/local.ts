import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { shortEnvironment } from './local-environment.js';
import { printable } from './printable.js';
import { processChannel } from './process-channel.js';
import {
  type Channel,
  type Connection,
  type OutputHandlers,
  type Target,
  type Transport,
  TransportError,
} from './transport.js';

/** This machine. Commands run under /bin/sh in a process group of their own, with a short environment. */
export function createLocalTransport(): Transport {
  return {
    async open(target, signal) {
      if (signal.aborted) throw new TransportError('aborted', 'unreachable', `${target.name} was called off`);
      return openLocal(target);
    },
    async dispose() {},
  };
}

function openLocal(target: Target): Connection {
  const running = new Set<Channel>();
  return {
    hostKeys: [],
    async exec(command, output) {
      const channel = await startShell(target, command, output);
      running.add(channel);
      void channel.exit.then(() => running.delete(channel));
      return channel;
    },
    async close() {
      for (const channel of running) channel.kill();
    },
  };
}

async function startShell(target: Target, command: string, output: OutputHandlers): Promise<Channel> {
  if (command.includes('\0')) {
    throw new TransportError('transport-error', 'unreachable', 'a command cannot contain a NUL character');
  }
  const child = spawn('/bin/sh', ['-c', command], {
    // An own group, so that the whole of it can be killed and Ctrl-C does not reach it before we decide.
    detached: true,
    env: shortEnvironment(process.env),
  });
  if (child.pid === undefined) {
    const [{ code, message }] = (await once(child, 'error')) as [NodeJS.ErrnoException];
    const reason = printable(code ?? message);
    throw new TransportError('program-missing', 'unreachable', `/bin/sh cannot be started: ${reason}`);
  }
  return processChannel(child, output, { afterExit: target.deadlines.afterExit });
}
