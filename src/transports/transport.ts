/**
 * How a payload reaches a host. A transport knows nothing of steps, frames or sudo: it opens one
 * connection and runs commands on it, bytes in and bytes out. All transports pass test/contract.
 */

import type { Duplex } from 'node:stream';

/** Where and as whom to connect, fully resolved (inventory, then ssh_config, then defaults). */
export interface Target {
  /** Inventory name, for messages. */
  readonly name: string;
  readonly transport: 'local' | 'ssh' | 'openssh';
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Private key files to offer, in order. Only these are offered when `identitiesOnly`. */
  readonly identities: readonly string[];
  readonly identitiesOnly: boolean;
  /** The identities are the usual ones, not named by anyone: those of no use are passed over in silence. */
  readonly identitiesOptional?: boolean;
  /** Agent socket, `undefined` for none. */
  readonly agent?: string;
  readonly password?: SecretLike;
  readonly passphrase?: SecretLike;
  /** Hosts to go through, nearest first. Each is verified and logged in to on its own. */
  readonly jump: readonly Target[];
  /** Pinned host key, `ssh-ed25519 AAAA…` or `SHA256:…`; outranks every known_hosts file. */
  readonly hostKey?: string;
  /** Name to look the host key up under instead of the address (ssh_config's HostKeyAlias). */
  readonly hostKeyAlias?: string;
  /** known_hosts files in order of preference: project, user, system. */
  readonly knownHosts: readonly string[];
  readonly trust: 'strict' | 'accept-new';
  readonly deadlines: Deadlines;
}

/** A secret as transports see it (see secrets/secret.ts). */
export interface SecretLike {
  readonly name: string;
  reveal<T>(use: (value: string) => T): T;
}

/** Every wait of a connection, in milliseconds. Defaults are in transports/deadlines.ts, and only there. */
export interface Deadlines {
  readonly connect: number;
  readonly banner: number;
  readonly login: number;
  readonly channel: number;
  readonly keepaliveInterval: number;
  readonly keepaliveCount: number;
  /** After the exit status: how long to wait for the streams to end. */
  readonly afterExit: number;
}

export interface Transport {
  /**
   * Opens a connection. Rejects with a {@link TransportError}: `unreachable` when nothing was started and
   * another try is safe, `refused` when trust or login failed (final, never retried).
   */
  open(target: Target, signal: AbortSignal): Promise<Connection>;
  /** Host keys that accept-new wrote to a known_hosts file in this run. */
  readonly addedHostKeys?: readonly { readonly host: string; readonly fingerprint: string; readonly file: string }[];
  /** What should be said once: broken lines of known_hosts files. */
  readonly warnings?: readonly string[];
  /** Frees what the transport shares between connections (bastions, agents, parsed keys). */
  dispose(): Promise<void>;
}

export interface Connection {
  /** What was verified: `SHA256:…` per hop, target last. Empty for `local`. */
  readonly hostKeys: readonly string[];
  /**
   * Starts `command`. Resolves when the far side has accepted it; rejects with a TransportError
   * `unreachable` (reason `channel-timeout`, …) when it was never started.
   */
  exec(command: string, output: OutputHandlers): Promise<Channel>;
  /**
   * Opens a TCP connection from the far side, which looks the name up, too. Rejects with the `code` of `net.connect`
   * (`ECONNREFUSED` …) where the far side tells it, with a TransportError when it forwards nothing.
   */
  dial?(to: { readonly address: string; readonly port: number }, signal: AbortSignal): Promise<Duplex>;
  /** Ends the connection. Never rejects, never takes longer than a second. */
  close(): Promise<void>;
}

/** Both streams are always drained; chunks are raw bytes in the order they arrived. */
export interface OutputHandlers {
  onStdout(chunk: Buffer): void;
  onStderr(chunk: Buffer): void;
}

export interface Channel {
  /** Resolves when the bytes were taken (back-pressure). Writing after the far side ended is not an error. */
  write(data: string | Buffer): Promise<void>;
  /** Closes stdin. */
  end(): void;
  /** Ends the remote process as far as the transport can; `exit` still settles. */
  kill(): void;
  /**
   * The caller has all it needs (its end frame arrived): settle `exit` as soon as the exit status is
   * known, without waiting for streams that a left-over process may hold open.
   */
  complete(): void;
  /** Settles exactly once, never rejects. */
  readonly exit: Promise<ChannelExit>;
}

/** How a command ended. `status` and `signal` both null: the end is not proven (link lost, no exit status). */
export interface ChannelExit {
  readonly status: number | null;
  readonly signal: string | null;
  /** Set when the connection was lost or a timer ended the wait. */
  readonly lost?: TransportError;
  /** `true` when the streams were cut after the grace period: output may be incomplete. */
  readonly truncated?: boolean;
}

/** Stable reason codes of a connection that failed. README.md lists them with what to do. */
export type TransportReason =
  | 'name-not-found'
  | 'connect-refused'
  | 'connect-timeout'
  | 'no-route'
  | 'connection-reset'
  | 'banner-timeout'
  | 'not-ssh'
  | 'login-timeout'
  | 'channel-refused'
  | 'channel-timeout'
  | 'connection-lost'
  | 'keepalive-timeout'
  | 'host-key-unknown'
  | 'host-key-mismatch'
  | 'host-key-revoked'
  | 'host-key-certificate'
  | 'auth-failed'
  | 'key-encrypted'
  | 'key-unreadable'
  | 'key-permissions'
  | 'key-certificate'
  | 'agent-unavailable'
  | 'program-missing'
  | 'aborted'
  | 'transport-error';

export class TransportError extends Error {
  readonly reason: TransportReason;
  /** `unreachable`: nothing started, safe to retry. `refused`: trust or login, final. `unknown`: lost after a start. */
  readonly outcome: 'unreachable' | 'refused' | 'unknown';
  /** True for faults that a second try may cure (refused banner, MaxStartups). */
  readonly transient: boolean;
  readonly hint?: string;
  /** The jump host that failed, where it was not the target. */
  readonly hop?: string;

  constructor(
    reason: TransportReason,
    outcome: TransportError['outcome'],
    message: string,
    details: {
      readonly transient?: boolean;
      readonly hint?: string;
      readonly hop?: string;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TransportError';
    this.reason = reason;
    this.outcome = outcome;
    this.transient = details.transient ?? false;
    if (details.hint !== undefined) this.hint = details.hint;
    if (details.hop !== undefined) this.hop = details.hop;
  }
}
