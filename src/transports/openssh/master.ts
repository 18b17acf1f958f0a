import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Target, TransportError } from '../transport.js';
import { pinnedFingerprint } from '../trust/trust.js';
import { classifyOpenssh, verifiedKeys } from './classify.js';
import { familiesOf, opensshConfig } from './config.js';
import { MasterLog } from './master-log.js';
import { killGroup, missingSsh, readLog, startSsh } from './program.js';

/** A master that we lost sight of ends by itself; ours is looked at more often than that. */
export const persistSeconds = 600;

/** A control socket that ssh listens on in the background, and what that ssh tells of its sessions. */
export interface Master {
  readonly config: string;
  readonly socket: string;
  readonly host: string;
  readonly hostKeys: readonly string[];
  /** ssh wrote at least one key to a known_hosts file. */
  readonly learnt: boolean;
  readonly log: MasterLog;
}

/** A bare fingerprint does not tell its key type, so the types are tried in turn; nobody logs in before one fits. */
export async function startMaster(
  target: Target,
  nextBase: () => string,
  folder: string,
  signal: AbortSignal,
): Promise<Master> {
  let refusal: unknown;
  for (const family of familiesOf(target.hostKey)) {
    try {
      return await startWith(target, nextBase(), folder, signal, family);
    } catch (error) {
      const otherKey =
        error instanceof TransportError &&
        (error.reason.startsWith('host-key-') || /no matching host key/.test(error.message));
      if (family === undefined || !otherKey) throw error;
      refusal ??= pinMismatch(target, error);
    }
  }
  throw refusal;
}

function pinMismatch(target: Target, error: TransportError): TransportError {
  const got = /SHA256:[A-Za-z0-9+/]{43}/.exec(error.message)?.[0];
  const expected = pinnedFingerprint(target.hostKey ?? '');
  return new TransportError(
    'host-key-mismatch',
    'refused',
    `the host key of ${target.name} is not the pinned one: expected ${expected}, got ${got ?? 'none of that type'}; host_key in the inventory; not retried`,
    { hint: 'if the host was installed anew, compare the fingerprint and change host_key', cause: error },
  );
}

async function startWith(
  target: Target,
  base: string,
  folder: string,
  signal: AbortSignal,
  family: string | undefined,
): Promise<Master> {
  const config = `${base}.conf`;
  const { host, text, pinScripts } = opensshConfig(target, folder, family);
  writeFileSync(config, text, { mode: 0o600 });
  for (const [name, script] of pinScripts) writeFileSync(join(folder, name), script, { mode: 0o600 });
  const log = `${base}.log`;
  const hopLog = openSync(`${base}.hops`, 'ax', 0o600);
  try {
    // The log is where the master tells how sessions end. The ssh of a jump host writes to stderr instead.
    const child = startSsh(
      ['-vvv', '-E', log, '-F', config, '-M', '-N', '-f', '-S', base].concat(
        '-o',
        `ControlPersist=${persistSeconds}`,
        '--',
        host,
      ),
      // Any open descriptor works there; execa's types know only the standard three.
      { stdio: ['ignore', 'ignore', hopLog as 2] },
    );
    const status = await endOf(child as unknown as ChildProcess, target, signal);
    const said = readLog(`${base}.hops`) + readLog(log);
    if (status === 0)
      return {
        config,
        socket: base,
        host,
        hostKeys: verifiedKeys(said),
        learnt: /Permanently added /.test(said),
        log: new MasterLog(log),
      };
    rmSync(log, { force: true });
    if (status === 'timeout') throw masterTimeout(target, said);
    throw classifyOpenssh(target, said, status);
  } finally {
    closeSync(hopLog);
    rmSync(`${base}.hops`, { force: true });
  }
}

/** Waits for the foreground part of ssh, which ends when the master is up or has failed. */
async function endOf(child: ChildProcess, target: Target, signal: AbortSignal): Promise<number | null | 'timeout'> {
  const { connect, banner, login } = target.deadlines;
  const hops = target.jump.length + 1;
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const end = (settle: () => void) => {
      if (child.pid !== undefined) killGroup(child.pid);
      finish(settle);
    };
    const onAbort = () =>
      end(() =>
        reject(new TransportError('aborted', 'unreachable', `the connection to ${target.name} was called off`)),
      );
    const timer = setTimeout(() => end(() => resolve('timeout')), hops * (connect + banner + login));
    signal.addEventListener('abort', onAbort, { once: true });
    child.once('error', () => finish(() => reject(missingSsh())));
    child.once('exit', (code) => finish(() => resolve(code)));
    if (signal.aborted) onAbort();
  });
}

function masterTimeout(target: Target, said: string): TransportError {
  const [reason, text]: readonly ['login-timeout' | 'banner-timeout' | 'connect-timeout', string] =
    /^debug1: Remote protocol version/m.test(said)
      ? ['login-timeout', 'did not log us in in time']
      : /^debug1: Connection established/m.test(said)
        ? ['banner-timeout', 'is connected but sent no SSH greeting in time']
        : ['connect-timeout', 'did not answer in time'];
  return new TransportError(reason, 'unreachable', `${target.name} ${text}`);
}

/** Arguments of an ssh that talks to the master, and tells how that goes. */
export function throughMaster({ config, socket }: Master): readonly string[] {
  const alone = ['-o', 'ControlMaster=no', '-o', 'ProxyJump=none'];
  // Without the master ssh would log in anew: the ProxyCommand makes that fail.
  return ['-vv', '-F', config, '-S', socket, ...alone, '-o', 'ProxyCommand=exit 255'];
}

/** Asks the master, or tells it to end; gives the status. */
export async function control(master: Master, request: 'check' | 'exit'): Promise<number | undefined> {
  const result = await startSsh(['-F', master.config, '-S', master.socket, '-O', request, '--', master.host], {
    stdio: 'ignore',
    timeout: 1_000,
  });
  return result.exitCode;
}

export async function endMaster(master: Master): Promise<void> {
  if (existsSync(master.socket)) await control(master, 'exit');
  master.log.close();
  rmSync(master.config, { force: true });
}
