import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, rootCertificates, type TLSSocket } from 'node:tls';
import type { Dial } from '../step.js';
import type { ClientCertificate } from './client-certificate.js';
import { attemptTimeout, type ConnectionFailure, connectionFailure, lookupTimedOut } from './connection.js';
import { describePeer, type TlsPeer } from './peer.js';

export interface DialogueTarget {
  readonly address: string;
  readonly port: number;
  /** For all of it: name, connection, every answer. */
  readonly seconds: number;
  /** Most bytes that are read in all. */
  readonly limit?: number;
  /** How to connect, when not from here. */
  readonly dial?: Dial | undefined;
}

export interface Conversation<T> {
  readonly failure: ConnectionFailure | null;
  /** Seconds until the connection was there; null without one. */
  readonly connect: number | null;
  /** Seconds in all. */
  readonly seconds: number;
  /** What the talk gave; null after a failure. */
  readonly value: T | null;
}

/** What the server did wrong, thrown inside a talk. */
export class ServerFault extends Error {
  constructor(
    readonly reason: string,
    detail: string,
    /** False when it says nothing about the health of the server. */
    readonly proven = true,
  ) {
    super(detail);
  }
}

/** Connects and talks, within a time and an amount. Settles when `signal` aborts. */
export async function converse<T>(
  target: DialogueTarget,
  signal: AbortSignal,
  talk: (dialogue: Dialogue) => Promise<T>,
): Promise<Conversation<T>> {
  signal.throwIfAborted();
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  let connect: number | null = null;
  let dialogue: Dialogue | undefined;
  const late = new ServerFault('timeout', `no answer within ${target.seconds} s`);
  const over = new AbortController();
  const stop = (error: Error) => {
    over.abort(error);
    dialogue?.end(error);
  };
  const timer = setTimeout(() => stop(late), target.seconds * 1000);
  const abort = () => stop(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const dialled = await (target.dial ?? dialFromHere(target.seconds))(target, over.signal);
    connect = elapsed();
    dialogue = new Dialogue(dialled, target.limit ?? 65_536);
    over.signal.throwIfAborted();
    const value = await talk(dialogue);
    return { failure: null, connect, seconds: elapsed(), value };
  } catch (error) {
    signal.throwIfAborted();
    return { failure: failureOf(error), connect, seconds: elapsed(), value: null };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    dialogue?.end(new Error('the talk is over'));
  }
}

/** TCP connections from this machine, which may take so long. */
export const dialFromHere =
  (seconds: number): Dial =>
  ({ address, port }, signal) =>
    new Promise((resolve, reject) => {
      const socket = connectTcp({ host: address, port, autoSelectFamilyAttemptTimeout: attemptTimeout(seconds) });
      const fail = (error: unknown) => {
        socket.destroy();
        reject(error);
      };
      let found = isIP(address) !== 0;
      socket.once('lookup', () => {
        found = true;
      });
      const abort = () => fail(found ? signal.reason : lookupTimedOut());
      signal.addEventListener('abort', abort, { once: true });
      socket.once('error', fail);
      socket.once('connect', () => {
        signal.removeEventListener('abort', abort);
        socket.off('error', fail);
        resolve(socket);
      });
    });

function failureOf(error: unknown): ConnectionFailure {
  if (!(error instanceof ServerFault)) return connectionFailure(error);
  return { reason: error.reason, detail: error.message, proven: error.proven };
}

/** One connection. Everything that arrives counts against the limit, whether it is read or not. */
export class Dialogue {
  #socket: Duplex;
  #buffer: Buffer = Buffer.alloc(0);
  #received = 0;
  #closed = false;
  #error: Error | undefined;
  #wake: () => void = () => {};
  readonly #limit: number;

  constructor(socket: Duplex, limit: number) {
    this.#socket = socket;
    this.#limit = limit;
    this.#listen();
  }

  /** Address of this machine on the connection. */
  get localAddress(): string | undefined {
    return this.#socket instanceof Socket ? this.#socket.localAddress : undefined;
  }

  write(data: string | Buffer): void {
    this.#socket.write(data);
  }

  /**
   * Gives what `parse` makes of the bytes so far, again with each that arrive, until it gives something.
   * `closed` says that no more will come; undefined is a failure then.
   */
  async read<T>(parse: (bytes: Buffer, closed: boolean) => { value: T; used: number } | undefined): Promise<T> {
    while (true) {
      const found = parse(this.#buffer, this.#closed);
      if (found) {
        this.#buffer = this.#buffer.subarray(found.used);
        return found.value;
      }
      // After what came before it: many servers say why and then cut the connection.
      if (this.#error) throw this.#error;
      if (this.#closed) throw new ServerFault('connection-reset', 'the server closed the connection');
      await this.#news();
    }
  }

  /** A line without its end. */
  async line(longest = 4_096): Promise<string> {
    return await this.read((bytes) => {
      const end = bytes.indexOf(10);
      if (end === -1 && bytes.length <= longest) return undefined;
      if (end === -1 || end > longest) throw new ServerFault('protocol-error', 'the answer is not a line of text');
      return { value: bytes.toString('utf8', 0, end).replace(/\r$/, ''), used: end + 1 };
    });
  }

  async bytes(count: number): Promise<Buffer> {
    return await this.read((bytes) =>
      bytes.length < count ? undefined : { value: Buffer.from(bytes.subarray(0, count)), used: count },
    );
  }

  /**
   * Goes on under TLS. Weak and untrusted servers are let in, so that they can be described: look at `untrusted`
   * before anything secret is sent, or use `verified`.
   */
  async secure({
    servername,
    ca,
    identity,
  }: {
    readonly servername: string;
    readonly ca?: string | undefined;
    readonly identity?: ClientCertificate | undefined;
  }): Promise<TlsPeer> {
    // What came in the clear after the promise of TLS could have been put there by anyone.
    if (this.#buffer.length > 0) throw new ServerFault('protocol-error', 'the server talks on in the clear before TLS');
    const ours = ca === undefined ? undefined : await readFile(ca, 'utf8');
    if (this.#error) throw this.#error;
    this.#socket.removeAllListeners('data').removeAllListeners('end');
    const plain = this.#socket;
    const secured = connectTls({
      socket: plain,
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
      ...(ours !== undefined && { ca: [...rootCertificates, ours] }),
      ...identity,
      // Literal addresses are no server names (RFC 6066).
      ...(isIP(servername) === 0 && { servername }),
      checkServerIdentity: () => undefined,
    });
    this.#socket = secured;
    this.#listen();
    let peer: TlsPeer | undefined;
    secured.once('secureConnect', () => {
      try {
        peer = describePeer(secured, servername, ours);
        this.#wake();
      } catch (error) {
        const detail = `shows a certificate that cannot be read: ${(error as Error).message}`;
        this.end(new ServerFault('bad-certificate', detail));
      }
    });
    while (!peer) {
      if (this.#error) throw this.#error;
      if (this.#closed)
        throw new ServerFault('tls-failed', 'the server closed the connection during the TLS handshake');
      await this.#news();
    }
    if (identity) await this.#verdict(secured);
    return peer;
  }

  /**
   * In TLS 1.3 the server judges our certificate after the handshake is done here. One that takes it sends a ticket;
   * one that has nothing to send is given a second to refuse.
   */
  async #verdict(secured: TLSSocket): Promise<void> {
    let waits = true;
    const end = () => {
      waits = false;
      this.#wake();
    };
    const timer = setTimeout(end, 1_000);
    secured.once('session', end);
    while (waits && this.#buffer.length === 0 && !this.#error && !this.#closed) await this.#news();
    clearTimeout(timer);
    if (this.#error) throw this.#error;
    if (this.#closed)
      throw new ServerFault('client-certificate', 'the server closed the connection after our certificate');
  }

  /** Goes on under TLS with a server that is the right one, and current enough to be told a secret. */
  async verified(options: { readonly servername: string; readonly ca?: string | undefined }): Promise<TlsPeer> {
    const peer = await this.secure(options);
    if (peer.untrusted) throw new ServerFault(peer.untrusted.reason, `is not trusted: ${peer.untrusted.detail}`);
    if (peer.protocol !== 'TLSv1.2' && peer.protocol !== 'TLSv1.3')
      throw new ServerFault('old-protocol', `offers ${peer.protocol ?? 'an unknown protocol'} at best`);
    return peer;
  }

  /** Ends the connection at once; whoever waits gets `error`. */
  end(error: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
    this.#wake();
  }

  #listen(): void {
    const socket = this.#socket;
    const close = () => {
      this.#closed = true;
      this.#wake();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      if (this.#received > this.#limit)
        return this.end(new ServerFault('too-large', `more than ${this.#limit} bytes came`));
      this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
      this.#wake();
    });
    socket.on('error', (error) => this.end(error));
    socket.on('end', close);
    socket.on('close', close);
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Text of a server as one short line of a summary. */
export function shownText(text: string, longest = 80): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must go
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest)} …` : line;
}
