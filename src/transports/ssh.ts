import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentListing } from './ssh/agent.js';
import { Bastions, type Hop } from './ssh/bastions.js';
import { openConnection } from './ssh/connection.js';
import { gatherCredentials } from './ssh/credentials.js';
import { Gate } from './ssh/gate.js';
import { IdentityFiles } from './ssh/keys.js';
import { abortError, dial, dialThrough } from './ssh/link.js';
import { type ScannedKey, scanHostKeys } from './ssh/scan.js';
import { OtherKeyTypes, type Session, startSession } from './ssh/session.js';
import { type Connection, type Target, type Transport, TransportError } from './transport.js';
import { type AddedHostKey, TrustStore } from './trust/trust.js';

/** Logins at one address at a time: sshd's MaxStartups drops what comes above ten. */
const loginsPerAddress = 4;
/**
 * Handshakes in this process at a time. They are CPU work for the event loop, and too many at once make every
 * host look slow; but far hosts mostly wait, so that a much smaller figure would hold them up.
 */
const handshakesAtOnce = 64;
const tries = 3;

/** SSH through npm ssh2, in this process. What it cannot do is in docs/ssh.md. */
export interface SshTransport extends Transport {
  /** Host keys that accept-new wrote to a known_hosts file in this run. */
  readonly addedHostKeys: readonly AddedHostKey[];
  /** Lines of known_hosts files that could not be used, with their place. */
  readonly warnings: readonly string[];
  /** All host keys that the host shows, one handshake for each family. Nothing is trusted, nobody logs in. */
  scan(target: Target, signal: AbortSignal): Promise<readonly ScannedKey[]>;
}

export function createSshTransport(): SshTransport {
  const trust = new TrustStore();
  const files = new IdentityFiles();
  const agents = new AgentListing();
  const handshakes = new Gate(handshakesAtOnce);
  const addresses = new Map<string, Gate>();

  /** One handshake, between the two gates; its timers start when it is let in. */
  async function login(target: Target, via: Hop | undefined, signal: AbortSignal): Promise<Session> {
    const credentials = await gatherCredentials(target, files, agents);
    const address = `${via?.key ?? ''}>${target.address}:${target.port}`;
    let gate = addresses.get(address);
    if (!gate) {
      gate = new Gate(loginsPerAddress);
      addresses.set(address, gate);
    }
    const leaveAddress = await gate.enter(signal);
    try {
      const leave = await handshakes.enter(signal);
      try {
        const connect = async (): Promise<Duplex> =>
          via ? dialThrough(via.session.client, via.name, target, signal) : dial(target, signal);
        const types = trust.typesFor(target);
        try {
          return await startSession(await connect(), target, types, credentials, trust, signal);
        } catch (error) {
          if (!(error instanceof OtherKeyTypes)) throw error;
          const again = await startSession(await connect(), target, error.types, credentials, trust, signal).catch(
            (second: unknown) => {
              throw second instanceof OtherKeyTypes || isKeyMismatch(second) ? error.refusal : second;
            },
          );
          return again;
        }
      } finally {
        leave();
      }
    } finally {
      leaveAddress();
      if (gate.idle) addresses.delete(address);
    }
  }

  /** A refused greeting is worth another try, with jitter so that many do not come back at once. */
  async function loginPatiently(target: Target, via: Hop | undefined, signal: AbortSignal): Promise<Session> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await login(target, via, signal);
      } catch (error) {
        if (signal.aborted) throw abortError(target);
        const transient = error instanceof TransportError && error.transient;
        if (!transient || attempt === tries || via?.session.lost) throw error;
      }
      await sleep(attempt * (150 + Math.random() * 450), undefined, { signal }).catch(() => {
        throw abortError(target);
      });
    }
  }

  const bastions = new Bastions(async (target, via, signal) => loginPatiently(target, via, signal));

  return {
    get addedHostKeys() {
      return trust.added;
    },
    get warnings() {
      return trust.warnings;
    },
    async open(target, signal): Promise<Connection> {
      const via = target.jump.length > 0 ? await bastions.enter(target.jump, signal) : undefined;
      let session: Session;
      try {
        session = await loginPatiently(target, via, signal);
      } catch (error) {
        via?.leave();
        throw error;
      }
      try {
        await trust.flush();
      } catch (error) {
        await session.close();
        via?.leave();
        throw new TransportError('host-key-unknown', 'refused', `the new host key could not be written down`, {
          cause: error,
        });
      }
      return openConnection(target, session, via);
    },
    async scan(target, signal) {
      const via = target.jump.length > 0 ? await bastions.enter(target.jump, signal) : undefined;
      try {
        return await scanHostKeys(target, signal, async () =>
          via ? dialThrough(via.session.client, via.name, target, signal) : dial(target, signal),
        );
      } finally {
        via?.leave();
      }
    },
    async dispose() {
      await bastions.close();
    },
  };
}

function isKeyMismatch(error: unknown): boolean {
  return error instanceof TransportError && error.reason === 'host-key-mismatch';
}
