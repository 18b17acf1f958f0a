import { defaultDeadlines } from '../../src/transports/deadlines.js';
import { createLocalTransport } from '../../src/transports/local.js';
import { createOpensshTransport } from '../../src/transports/openssh.js';
import { createSshTransport } from '../../src/transports/ssh.js';
import {
  type ChannelExit,
  type Connection,
  type SecretLike,
  type Target,
  type Transport,
  TransportError,
} from '../../src/transports/transport.js';
import type { Sshd, SshdUser } from '../support/sshd.js';

export const factories: Readonly<Record<Target['transport'], () => Transport>> = {
  local: createLocalTransport,
  ssh: createSshTransport,
  openssh: createOpensshTransport,
};

export const never = new AbortController().signal;

/** A target on the test's sshd, trusted and logged in to with the helper's key unless told otherwise. */
export function targetOn(sshd: Sshd, user: SshdUser, change: Partial<Target> = {}): Target {
  return {
    name: 'host1',
    transport: 'ssh',
    address: sshd.address,
    port: sshd.port,
    user: user.name,
    identities: [sshd.identity],
    identitiesOnly: true,
    jump: [],
    knownHosts: [sshd.knownHostsFile],
    trust: 'strict',
    deadlines: defaultDeadlines,
    ...change,
  };
}

/** A target for servers that never get as far as a login. */
export function bareTarget(port: number, change: Partial<Target> = {}): Target {
  return {
    name: 'odd',
    transport: 'ssh',
    address: '127.0.0.1',
    port,
    user: 'nobody',
    identities: [],
    identitiesOnly: true,
    password: secret('x'),
    jump: [],
    knownHosts: [],
    trust: 'strict',
    deadlines: defaultDeadlines,
    ...change,
  };
}

export function secret(value: string): SecretLike {
  return { name: 'test', reveal: (use) => use(value) };
}

export interface Run {
  readonly exit: ChannelExit;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export async function run(connection: Connection, command: string, stdin?: string | Buffer): Promise<Run> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const channel = await connection.exec(command, {
    onStdout: (chunk) => out.push(chunk),
    onStderr: (chunk) => err.push(chunk),
  });
  if (stdin !== undefined) await channel.write(stdin);
  channel.end();
  const exit = await channel.exit;
  return { exit, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

/** Opens, runs one command, closes. */
export async function runOnce(target: Target, command: string, stdin?: string): Promise<Run> {
  const transport = factories[target.transport]();
  try {
    const connection = await transport.open(target, never);
    const result = await run(connection, command, stdin);
    await connection.close();
    return result;
  } finally {
    await transport.dispose();
  }
}

/** The TransportError that opening ends with; fails when it opens. */
export async function refusal(target: Target, transport?: Transport): Promise<TransportError> {
  const used = transport ?? factories[target.transport]();
  try {
    const connection = await used.open(target, never);
    await connection.close();
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  } finally {
    if (!transport) await used.dispose();
  }
  throw new Error(`${target.name} was let in`);
}
