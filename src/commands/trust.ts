import { join, resolve as resolvePath } from 'node:path';
import type { Command } from 'commander';
import { loadProject, type Project } from '../documents/project.js';
import { type ExitCode, exitCode, UserError } from '../errors.js';
import type { InventoryScope } from '../inventory/scope.js';
import { printable } from '../transports/printable.js';
import type { ScannedKey } from '../transports/ssh/scan.js';
import { type Target, TransportError } from '../transports/transport.js';
import type { CommandContext } from './command.js';
import { append } from './run-flags.js';
import { type ResolveHost, resolveHost } from './trust-target.js';

export interface TrustAddOptions extends InventoryScope {
  readonly file?: string;
  readonly fingerprint?: string;
}

export interface TrustListOptions {
  readonly file?: readonly string[];
  readonly project?: string;
}

export function define(command: Command, context: CommandContext, resolve: ResolveHost = resolveHost): void {
  const scan = command
    .command('scan')
    .description('print the host keys that hosts show, as known_hosts lines to compare and commit')
    .argument('<host...>', 'inventory host or [user@]host[:port]');
  addScope(scan).action(async (hosts: string[], options: InventoryScope) =>
    runTrustScan(hosts, options, context, resolve),
  );
  const add = command
    .command('add')
    .description('trust the key of a host, after its fingerprint was compared')
    .argument('<host>', 'inventory host or [user@]host[:port]');
  addScope(add)
    .option('--file <path>', "known_hosts file to add to (default: the project's, else yours)")
    .option('--fingerprint <fingerprint>', 'SHA256:… as the host itself tells it')
    .action(async (host: string, options: TrustAddOptions) => runTrustAdd(host, options, context, resolve));
  command
    .command('list')
    .description('show the keys that are trusted, and where that is written')
    .option('--file <path...>', 'known_hosts files instead of the usual ones')
    .option('--project <folder>', 'project folder with opsctl.yaml')
    .action(async (options: TrustListOptions) => runTrustList(options, context));
}

/** Which inventory a name is looked up in. */
function addScope(command: Command): Command {
  return command
    .option('-i, --inventory <source>', 'inventory file, folder, program, or "host1,host2,"; several times', append)
    .option('--project <folder>', 'project folder with opsctl.yaml');
}

/** Prints what hosts show, sorted, so that two scans can be compared with diff. */
export async function runTrustScan(
  hosts: readonly string[],
  scope: InventoryScope,
  context: CommandContext,
  resolve: ResolveHost = resolveHost,
): Promise<void> {
  const project = await projectOf(scope, context);
  const targets = await Promise.all(hosts.map(async (host) => resolve(host, project, context)));
  const { trustedName } = await import('../transports/trust/trust.js');
  let worst: ExitCode = exitCode.ok;
  const lines: string[] = [];
  await withTransport(async (scan) => {
    for (const target of targets) {
      try {
        const keys = await scan(target, context.signal);
        lines.push(...keys.map(({ type, key, fingerprint }) => `${trustedName(target)} ${type} ${key} ${fingerprint}`));
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        worst = error.outcome === 'refused' ? exitCode.refused : worst === 0 ? exitCode.unreachable : worst;
        await context.terminal.err(`opsctl: ${codeOf(error)} ${error.message}${error.hint ? `; ${error.hint}` : ''}\n`);
      }
    }
  });
  await context.terminal.out(
    [...new Set(lines)]
      .sort()
      .map((line) => `${line}\n`)
      .join(''),
  );
  if (worst !== exitCode.ok) context.finish(worst);
}

/** Adds one key of a host to a known_hosts file. A person compares the fingerprint, or brings it along. */
export async function runTrustAdd(
  host: string,
  options: TrustAddOptions,
  context: CommandContext,
  resolve: ResolveHost = resolveHost,
): Promise<void> {
  const wanted = options.fingerprint === undefined ? undefined : readFingerprint(options.fingerprint);
  if (wanted === undefined && !(context.terminal.stdinIsTty && context.terminal.stdoutIsTty)) {
    throw new UserError(
      {
        code: 'E_NO_TTY',
        what: 'nobody is there to compare the fingerprint',
        hint: `ask the host's owner for it, then: opsctl trust add ${host} --fingerprint SHA256:…`,
      },
      exitCode.refused,
    );
  }
  const project = await projectOf(options, context);
  const target = await resolve(host, project, context);
  const file = fileFor(options, project, context);
  const keys = await withTransport(async (scan) => scan(target, context.signal)).catch((error: unknown) => {
    throw error instanceof TransportError ? userErrorOf(error) : error;
  });
  const key = wanted === undefined ? await askForKey(keys, target, context) : pick(keys, wanted, target);
  await write(key, target, file, context);
}

/** Prints every usable line of the known_hosts files. */
export async function runTrustList({ file = [], ...scope }: TrustListOptions, context: CommandContext): Promise<void> {
  const { readKnownHosts } = await import('../transports/trust/known-hosts.js');
  const { fingerprintOf } = await import('../transports/trust/trust.js');
  const project = await projectOf(scope, context);
  const named = file.map((path) => resolvePath(context.cwd, path));
  const files =
    named.length > 0 ? named : (await resolveHost('localhost', { ...project, inventory: [] }, context)).knownHosts;
  const rows: string[][] = [];
  for (const path of files) {
    const known = readKnownHosts(path);
    for (const warning of known.warnings) await context.terminal.err(`warning: ${printable(warning)}\n`);
    for (const { line, marker, type, key, hosts } of known.entries) {
      rows.push([
        printable(`${path}:${line}`),
        type,
        fingerprintOf(Buffer.from(key, 'base64')),
        `${marker ? `@${marker} ` : ''}${hosts.startsWith('|') ? '(hashed)' : printable(hosts)}`,
      ]);
    }
  }
  await context.terminal.out(rows.length === 0 ? 'no host keys are trusted yet\n' : columns(rows));
}

async function projectOf(scope: InventoryScope, { cwd, user }: CommandContext): Promise<Project> {
  const project = await loadProject({
    cwd,
    ...(scope.project === undefined ? {} : { explicit: scope.project }),
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.home === undefined ? {} : { home: user.home }),
  });
  return scope.inventory === undefined ? project : { ...project, inventory: scope.inventory };
}

type Scan = (target: Target, signal: AbortSignal) => Promise<readonly ScannedKey[]>;

async function withTransport<T>(use: (scan: Scan) => Promise<T>): Promise<T> {
  const { createSshTransport } = await import('../transports/ssh.js');
  const transport = createSshTransport();
  try {
    return await use(async (target, signal) => {
      const keys = await transport.scan(target, signal);
      if (keys.length > 0) return keys;
      throw new TransportError('transport-error', 'unreachable', `${target.name} shows no host key that we can check`);
    });
  } finally {
    await transport.dispose();
  }
}

function readFingerprint(text: string): string {
  const fingerprint = text.trim().replace(/=$/, '');
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(fingerprint)) return fingerprint;
  throw new UserError({
    code: 'E_FINGERPRINT',
    what: `"${printable(text, 80)}" is no fingerprint`,
    hint: 'write SHA256: and 43 characters, as ssh-keygen -lf prints it on the host',
  });
}

function pick(keys: readonly ScannedKey[], wanted: string, target: Target): ScannedKey {
  const key = keys.find(({ fingerprint }) => fingerprint === wanted);
  if (key) return key;
  throw new UserError(
    {
      code: 'E_TRUST_MISMATCH',
      what: `${target.name} has no key ${wanted}; it shows ${keys.map(({ type, fingerprint }) => `${fingerprint} (${type})`).join(', ')}`,
      hint: 'do not trust it before you know why',
    },
    exitCode.refused,
  );
}

/** Typing part of the fingerprint makes sure that somebody looked at it. */
async function askForKey(keys: readonly ScannedKey[], target: Target, context: CommandContext): Promise<ScannedKey> {
  const key = keys.find(({ type }) => type === 'ssh-ed25519') ?? keys[0];
  if (!key) throw new Error('a scan without keys is an error before this');
  await context.terminal.err(
    `${target.name} shows the key\n  ${key.fingerprint} (${key.type})\n` +
      'Compare it with the one that the host itself tells: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n',
  );
  const { askText } = await import('./trust-prompt.js');
  const typed = await askText('The last 8 characters of the fingerprint, to trust it:');
  if (typed.trim() === key.fingerprint.slice(-8)) return key;
  throw new UserError(
    { code: 'E_TRUST_UNKNOWN', what: `the key of ${target.name} was not confirmed; nothing was written` },
    exitCode.refused,
  );
}

async function write(key: ScannedKey, target: Target, file: string, { terminal }: CommandContext): Promise<void> {
  const { readKnownHosts } = await import('../transports/trust/known-hosts.js');
  const { appendKnownHost } = await import('../transports/trust/append.js');
  const { fingerprintOf, trustedName } = await import('../transports/trust/trust.js');
  const name = trustedName(target);
  for (const path of new Set([file, ...target.knownHosts])) {
    const revoked = readKnownHosts(path).findKey(name, key.key, 'revoked');
    if (!revoked) continue;
    throw new UserError(
      { code: 'E_TRUST_REVOKED', what: `${key.fingerprint} is revoked; ${path}:${revoked.line}` },
      exitCode.refused,
    );
  }
  const entries = readKnownHosts(file).find(name);
  if (entries.some((entry) => entry.marker === undefined && entry.key === key.key)) {
    await terminal.out(`${name} ${key.fingerprint} (${key.type}) is already trusted: ${file}\n`);
    return;
  }
  const other = entries.find((entry) => entry.marker === undefined && entry.type === key.type);
  if (other) {
    throw new UserError(
      {
        code: 'E_TRUST_MISMATCH',
        what: `${name} is known with another key: expected ${fingerprintOf(Buffer.from(other.key, 'base64'))}, got ${key.fingerprint}; ${file}:${other.line}`,
        hint: 'if the host was installed anew, remove that line first',
      },
      exitCode.refused,
    );
  }
  try {
    await appendKnownHost(file, `${name} ${key.type} ${key.key}`);
  } catch (error) {
    throw new UserError(
      { code: 'E_OUTPUT', what: `${file} cannot be written: ${printable((error as Error).message)}` },
      exitCode.output,
      { cause: error },
    );
  }
  await terminal.out(`${name} ${key.fingerprint} (${key.type}) added to ${file}\n`);
}

function fileFor(options: TrustAddOptions, project: Project, { cwd, env, user }: CommandContext): string {
  if (options.file !== undefined) return resolvePath(cwd, options.file);
  return project.knownHosts[0] ?? join(user.home ?? env.HOME ?? cwd, '.ssh/known_hosts');
}

function codeOf({ reason }: TransportError): `E_${string}` {
  return `E_${reason
    .replace(/^host-key-/, 'trust-')
    .replaceAll('-', '_')
    .toUpperCase()}`;
}

function userErrorOf(error: TransportError): UserError {
  return new UserError(
    { code: codeOf(error), what: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) },
    error.outcome === 'refused' ? exitCode.refused : exitCode.unreachable,
    { cause: error },
  );
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
