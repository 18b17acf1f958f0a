import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { shortEnvironment } from './local-environment.js';
import { classifyOpenssh, verifiedKeys } from './openssh/classify.js';
import { familiesOf, opensshConfig } from './openssh/config.js';
import { MasterLog } from './openssh/master-log.js';
import { processChannel } from './process-channel.js';
import {
  type Channel,
  type ChannelExit,
  type Connection,
  type OutputHandlers,
  type Target,
  type Transport,
  TransportError,
} from './transport.js';
import { type AddedHostKey, pinnedFingerprint, TrustStore } from './trust/trust.js';

const tries = 3;
/** A master that we lost sight of ends by itself; ours is looked at more often than that. */
const persistSeconds = 600;

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
          const master = await startPinned(target, () => join(String(folder), String(++count)), folder, signal);
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

/** A control socket that ssh listens on in the background, and what that ssh tells of its sessions. */
interface Master {
  readonly config: string;
  readonly socket: string;
  readonly host: string;
  readonly hostKeys: readonly string[];
  /** ssh wrote at least one key to a known_hosts file. */
  readonly learnt: boolean;
  readonly log: MasterLog;
}

/** A bare fingerprint does not tell its key type, so the types are tried in turn; nobody logs in before one fits. */
async function startPinned(
  target: Target,
  nextBase: () => string,
  folder: string,
  signal: AbortSignal,
): Promise<Master> {
  let refusal: unknown;
  for (const family of familiesOf(target.hostKey)) {
    try {
      return await startMaster(target, nextBase(), folder, signal, family);
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

function addedKeys(target: Target, { learnt, hostKeys }: Master): readonly AddedHostKey[] {
  const [file] = target.knownHosts;
  const fingerprint = hostKeys.at(-1);
  return learnt && file !== undefined && fingerprint !== undefined ? [{ host: target.name, fingerprint, file }] : [];
}

async function startMaster(
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
    const child = execa(
      'ssh',
      ['-vvv', '-E', log, '-F', config, '-M', '-N', '-f', '-S', base].concat(
        '-o',
        `ControlPersist=${persistSeconds}`,
        '--',
        host,
      ),
      // Any open descriptor works there; execa's types know only the standard three.
      { ...spawnOptions, stdio: ['ignore', 'ignore', hopLog as 2] },
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

const spawnOptions = {
  buffer: false,
  reject: false,
  detached: true,
  cleanup: false,
  extendEnv: false,
  env: { ...shortEnvironment(process.env), LC_ALL: 'C' },
} as const;

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

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
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
    async close() {
      clearInterval(look);
      onClose();
      await endMaster(master);
    },
  };
}

async function startCommand(
  target: Target,
  master: Master,
  log: string,
  command: string,
  output: OutputHandlers,
): Promise<Channel> {
  // Debug output goes to a file of its own: it alone tells a remote 255 from an ssh that failed.
  const child = execa(
    'ssh',
    // Without the master ssh would log in anew: the ProxyCommand makes that fail.
    [
      '-vv',
      '-E',
      log,
      '-F',
      master.config,
      '-S',
      master.socket,
      '-o',
      'ControlMaster=no',
      '-o',
      'ProxyJump=none',
      '-o',
      'ProxyCommand=exit 255',
      '--',
      master.host,
      command,
    ],
    { ...spawnOptions, stdin: 'pipe' },
  ) as unknown as ChildProcess;
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  let session: number | undefined;
  let told: ChannelExit | undefined;
  let lastWords: string | undefined;
  const channel = processChannel(child, output, {
    afterExit: target.deadlines.afterExit,
    held: true,
    async judge(exit) {
      lastWords = readLog(log);
      rmSync(log, { force: true });
      return judgeExit(target, master, exit, told, lastWords);
    },
    onEnd() {
      if (session !== undefined) master.log.forget(session);
      if (!ended && child.pid !== undefined) killGroup(child.pid);
    },
  });

  const end = performance.now() + target.deadlines.channel;
  for (;;) {
    // Looked at before the log: a short command may end between the two.
    const over = ended || child.pid === undefined;
    const said = lastWords ?? readLog(log);
    const id = /master session id: (\d+)/.exec(said)?.[1];
    if (id !== undefined) {
      session = Number(id);
      master.log.watch(session, (status) => {
        told = { status, signal: null };
        channel.exited(told);
      });
      // After the caller has the channel in hand.
      setImmediate(channel.release);
      return channel;
    }
    if (over) {
      channel.release();
      await channel.exit;
      throw child.pid === undefined ? missingSsh() : neverStarted(target, said);
    }
    if (performance.now() > end) {
      channel.kill();
      throw new TransportError('channel-timeout', 'unreachable', `${target.name} did not start the command in time`);
    }
    await sleep(8);
  }
}

function neverStarted(target: Target, said: string): TransportError {
  const refused = /Session open refused by peer|session request failed|mux_client_request_session: /i.test(said);
  return new TransportError(
    refused ? 'channel-refused' : 'connection-lost',
    'unreachable',
    refused
      ? `${target.name} refused to run a command`
      : `the connection to ${target.name} was lost before the command started`,
  );
}

/** ssh gives 255 for its own failures and for a command's 255: only the master's word counts. */
async function judgeExit(
  target: Target,
  master: Master,
  exit: ChannelExit,
  told: ChannelExit | undefined,
  said: string,
): Promise<ChannelExit> {
  const reported = /Received exit status from master (\d+)/.exec(said)?.[1] ?? told?.status ?? undefined;
  const truncated = exit.truncated ? { truncated: true } : {};
  if (reported !== undefined) return { status: Number(reported), signal: null, ...truncated };
  const alive = (await control(master, 'check')) === 0;
  const text = alive
    ? `${target.name}: the command ended without an exit status (ssh does not say by which signal)`
    : `the connection to ${target.name} was lost`;
  return { status: null, signal: null, lost: new TransportError('connection-lost', 'unknown', text), ...truncated };
}

async function control(master: Master, request: 'check' | 'exit'): Promise<number | undefined> {
  const result = await execa('ssh', ['-F', master.config, '-S', master.socket, '-O', request, '--', master.host], {
    ...spawnOptions,
    stdio: 'ignore',
    timeout: 1_000,
  });
  return result.exitCode;
}

async function endMaster(master: Master): Promise<void> {
  if (existsSync(master.socket)) await control(master, 'exit');
  master.log.close();
  rmSync(master.config, { force: true });
}

/** `ssh -G`: every setting that ssh would use for the name. `undefined` when ssh cannot say. */
export async function effectiveSettings(name: string, configFile?: string): Promise<string | undefined> {
  const file = configFile === undefined ? [] : ['-F', configFile];
  const result = await execa('ssh', ['-G', ...file, '--', name], {
    ...spawnOptions,
    buffer: true,
    stdin: 'ignore',
    stderr: 'ignore',
    timeout: 5_000,
  });
  return result.exitCode === 0 ? result.stdout : undefined;
}

function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
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

function missingSsh(): TransportError {
  return new TransportError('program-missing', 'unreachable', 'the program ssh cannot be started', {
    hint: 'install the OpenSSH client, or set transport: ssh',
  });
}
