import type { Dial } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { converse } from '../dialogue.js';
import type { TlsPeer } from '../peer.js';

export interface TlsData extends TlsPeer {
  readonly address: string;
  readonly port: number;
  readonly servername: string;
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
  readonly seconds: number;
  /** How to connect, when not from here. */
  readonly dial?: Dial | undefined;
}

/** A TLS handshake that lets everything in, weak and untrusted, so that it can be described; nothing is sent over it. */
export async function handshake(target: TlsTarget, signal: AbortSignal): Promise<TlsData> {
  const { address, port, servername, ca } = target;
  const { failure, value, seconds } = await converse(target, signal, (dialogue) => dialogue.secure({ servername, ca }));
  return { address, port, servername, failure, ...(value ?? noPeer), seconds };
}

const noPeer: TlsPeer = { protocol: null, cipher: null, untrusted: null, chain: [] };
