import { lookup } from 'node:dns/promises';
import type { Dial } from '../../step.js';
import type { ClientCertificate } from '../client-certificate.js';
import { type ConnectionFailure, connectionFailure } from '../connection.js';
import { converse } from '../dialogue.js';
import type { TlsPeer } from '../peer.js';

/** One server, as it showed itself. */
export interface Handshake extends TlsPeer {
  readonly address: string;
  /** Why there was no handshake. */
  readonly failure: ConnectionFailure | null;
  /** Seconds until the handshake was done. */
  readonly seconds: number;
}

export interface TlsTarget {
  readonly address: string;
  readonly port: number;
  readonly servername: string;
  readonly ca: string | undefined;
  readonly identity: ClientCertificate | undefined;
  readonly seconds: number;
  /** How to connect, when not from here. */
  readonly dial?: Dial | undefined;
}

/** A TLS handshake that lets everything in, weak and untrusted, so that it can be described; nothing is sent over it. */
export async function handshake(target: TlsTarget, signal: AbortSignal): Promise<Handshake> {
  const { address, servername, ca, identity } = target;
  const { failure, value, seconds } = await converse(target, signal, (dialogue) =>
    dialogue.secure({ servername, ca, identity }),
  );
  return { address, failure, ...(value ?? noPeer), seconds };
}

/** The same with each address of the name, all at once. */
export async function everyHandshake(target: TlsTarget, signal: AbortSignal): Promise<readonly Handshake[]> {
  let addresses: readonly string[];
  try {
    addresses = await addressesOf(target.address);
  } catch (error) {
    return [{ address: target.address, failure: connectionFailure(error), ...noPeer, seconds: 0 }];
  }
  signal.throwIfAborted();
  return await handshakes(addresses, target, signal);
}

export async function handshakes(
  addresses: readonly string[],
  target: TlsTarget,
  signal: AbortSignal,
): Promise<readonly Handshake[]> {
  return await Promise.all(addresses.map((address) => handshake({ ...target, address }, signal)));
}

async function addressesOf(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return [...new Set(found.map(({ address }) => address))].sort();
}

const noPeer: TlsPeer = { protocol: null, cipher: null, untrusted: null, chain: [] };
