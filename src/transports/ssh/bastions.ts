import { type Target, TransportError } from '../transport.js';
import type { Session } from './session.js';

/** A jump host that is logged in to, as the hosts behind it see it. */
export interface Hop {
  /** Tells apart the same private address behind different jump hosts. */
  readonly key: string;
  readonly name: string;
  readonly session: Session;
  /** Fingerprints up to and including this hop. */
  readonly hostKeys: readonly string[];
  /** Called once by each user; the last one lets the connection go. */
  leave(): void;
}

type Login = (target: Target, via: Hop | undefined, signal: AbortSignal) => Promise<Session>;

interface Shared {
  readonly opening: Promise<Hop>;
  readonly controller: AbortController;
  users: number;
  refused?: true;
  linger?: NodeJS.Timeout;
}

/** How long a jump host stays connected after its last user: the next batch of hosts is usually near. */
const lingerTime = 2_000;

/** Jump hosts: one connection for all hosts behind it, kept while someone uses it. */
export class Bastions {
  readonly #login: Login;
  readonly #shared = new Map<string, Shared>();
  readonly #closing = new Set<Promise<void>>();

  constructor(login: Login) {
    this.#login = login;
  }

  /** Connects through a chain of jump hosts, nearest first. Each is verified under its own name. */
  async enter(chain: readonly Target[], signal: AbortSignal): Promise<Hop> {
    const last = chain.at(-1);
    if (!last) throw new Error('a jump chain has at least one host');
    const key = chain.map(identityOf).join('>');
    const shared = this.#shared.get(key) ?? this.#open(key, chain, last);
    shared.users++;
    clearTimeout(shared.linger);
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      this.#leave(key, shared);
    };
    try {
      const hop = await untilAborted(shared.opening, signal);
      return { ...hop, leave };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const [key, shared] of [...this.#shared].reverse()) await this.#end(key, shared);
    await Promise.all(this.#closing);
  }

  #open(key: string, chain: readonly Target[], last: Target): Shared {
    // The login serves everyone who waits for it, so one waiter's abort must not end it.
    const controller = new AbortController();
    const opening = this.#connect(key, chain, last, controller.signal);
    const shared: Shared = { opening, controller, users: 0 };
    this.#shared.set(key, shared);
    opening.then(
      (hop) => hop.session.onLost(() => this.#forget(key, shared)),
      (error: unknown) => {
        // A refused login or key is final: the hosts behind get the same answer, not another try each.
        if (error instanceof TransportError && error.outcome === 'refused') shared.refused = true;
        else this.#forget(key, shared);
      },
    );
    return shared;
  }

  async #connect(key: string, chain: readonly Target[], last: Target, signal: AbortSignal): Promise<Hop> {
    const before = chain.length > 1 ? await this.enter(chain.slice(0, -1), signal) : undefined;
    try {
      const session = await this.#login(last, before, signal);
      if (before) session.onLost(before.leave);
      const hostKeys = [...(before?.hostKeys ?? []), session.fingerprint];
      return { key, name: last.name, session, hostKeys, leave: () => {} };
    } catch (error) {
      before?.leave();
      throw error instanceof TransportError ? atHop(error, last.name) : error;
    }
  }

  #leave(key: string, shared: Shared): void {
    shared.users--;
    if (shared.users > 0 || shared.refused) return;
    shared.linger = setTimeout(() => {
      if (shared.users === 0) void this.#end(key, shared);
    }, lingerTime);
    shared.linger.unref();
  }

  async #end(key: string, shared: Shared): Promise<void> {
    this.#forget(key, shared);
    clearTimeout(shared.linger);
    shared.controller.abort(new Error('disposed'));
    const closing = shared.opening.then(
      async (hop) => hop.session.close(),
      () => {},
    );
    this.#closing.add(closing);
    await closing;
    this.#closing.delete(closing);
  }

  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }
}

function identityOf(target: Target): string {
  const { user, address, port, identities, identitiesOnly, hostKey, hostKeyAlias, knownHosts, trust } = target;
  return JSON.stringify([user, address, port, identities, identitiesOnly, hostKey, hostKeyAlias, knownHosts, trust]);
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function atHop(error: TransportError, hop: string): TransportError {
  const { reason, outcome, message, transient, hint, cause } = error;
  return new TransportError(reason, outcome, message, { transient, hop, cause, ...(hint !== undefined && { hint }) });
}
