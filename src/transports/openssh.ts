import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCommand } from './openssh/command.js';
import { control, endMaster, type Master, persistSeconds, startMaster } from './openssh/master.js';
import { openTunnel } from './openssh/tunnel.js';
import { type Connection, type Target, type Transport, TransportError } from './transport.js';
import { type AddedHostKey, TrustStore } from './trust/trust.js';

const tries = 3;

export interface OpensshTransport extends Transport {
  /** Host keys that accept-new wrote to a known_hosts file in this run. */
  readonly addedHostKeys: readonly AddedHostKey[];
}

/** The system's ssh, with one ControlMaster a host: certificates, hardware keys, Kerberos, post-quantum key exchange. */
export function createOpensshTransport(): OpensshTransport {
  const trust = new TrustStore();
  const open = new Set<Master>();
  let folder: string | undefined;
  let count = 0;
  const added: AddedHostKey[] = [];

  return {
    addedHostKeys: added,
    async open(target, signal) {
      refusePassword(target);
      refuseRevokedPin(target, trust);
      folder ??= mkdtempSync(join(shortTemporaryFolder(), 'opsctl-'));
      for (let attempt = 1; ; attempt++) {
        try {
          const master = await startMaster(target, () => join(String(folder), String(++count)), folder, signal);
          open.add(master);
          added.push(...addedKeys(target, master));
          return connectionOf(target, master, () => open.delete(master));
        } catch (error) {
          const transient = error instanceof TransportError && error.transient;
          if (!transient || attempt === tries || signal.aborted) throw error;
        }
        await sleep(attempt * (150 + Math.random() * 450));
      }
    },
    async dispose() {
      await Promise.all([...open].map(async (master) => endMaster(master)));
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

function addedKeys(target: Target, { learnt, hostKeys }: Master): readonly AddedHostKey[] {
  const [file] = target.knownHosts;
  const fingerprint = hostKeys.at(-1);
  return learnt && file !== undefined && fingerprint !== undefined ? [{ host: target.name, fingerprint, file }] : [];
}

function connectionOf(target: Target, master: Master, onClose: () => void): Connection {
  let execs = 0;
  const look = setInterval(() => void control(master, 'check'), (persistSeconds * 1000) / 3);
  look.unref();
  return {
    hostKeys: master.hostKeys,
    async exec(command, output) {
      if (command.includes('\0')) {
        throw new TransportError('transport-error', 'unreachable', 'a command cannot contain a NUL character');
      }
      return startCommand(target, master, `${master.socket}-${++execs}`, command, output);
    },
    dial: (to, signal) => openTunnel(target, master, to, signal),
    async close() {
      clearInterval(look);
      onClose();
      await endMaster(master);
    },
  };
}

/** A control socket's path must stay below about 100 characters. */
function shortTemporaryFolder(): string {
  const folder = tmpdir();
  return folder.length < 60 ? folder : '/tmp';
}

function refusePassword(target: Target): void {
  const withPassword = [...target.jump, target].find((hop) => hop.password !== undefined);
  if (!withPassword) return;
  throw new TransportError(
    'auth-failed',
    'refused',
    `${withPassword.name} has a password, which transport openssh cannot use`,
    { hint: 'use a key or an agent, or set transport: ssh' },
  );
}

function refuseRevokedPin(target: Target, trust: TrustStore): void {
  for (const hop of [...target.jump, target]) {
    const error = trust.revokedPin(hop);
    if (error) throw error;
  }
}
