import type { ChildProcess } from 'node:child_process';
import { execa } from 'execa';
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
  const child = execa('/bin/sh', ['-c', command], {
    stdin: 'pipe',
    buffer: false,
    reject: false,
    // An own group, so that the whole of it can be killed and Ctrl-C does not reach it before we decide.
    detached: true,
    cleanup: false,
    extendEnv: false,
    env: shortEnvironment(process.env),
  });
  if (child.pid === undefined) {
    const result = await child;
    throw new TransportError(
      'program-missing',
      'unreachable',
      `/bin/sh cannot be started: ${printable(result.code ?? result.originalMessage ?? 'unknown')}`,
    );
  }
  return processChannel(child as unknown as ChildProcess, output, { afterExit: target.deadlines.afterExit });
}
