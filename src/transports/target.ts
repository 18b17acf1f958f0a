import { existsSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { parseDuration } from '../documents/duration.js';
import { exitCode, type Place, type Problem, UserError } from '../errors.js';
import type { ConnectSettings, Host, SecretReference } from '../inventory/inventory.js';
import { defaultDeadlines } from './deadlines.js';
import { printable } from './printable.js';
import { type HostSettings, localUser, SshConfig } from './ssh-config.js';
import type { Deadlines, SecretLike, Target, TransportReason } from './transport.js';

/** What the targets of one run share. */
export interface TargetContext {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly cwd: string;
  /** The project's own known_hosts files, before the user's. */
  readonly knownHosts?: readonly string[];
  /** `strict` when absent. */
  readonly trust?: 'strict' | 'accept-new';
  secret(reference: SecretReference): SecretLike | Promise<SecretLike>;
  /** A host of the inventory by name, for jump hosts. */
  host?(name: string): Host | undefined;
  /** Share one between all targets: it remembers what it looked up. */
  readonly sshConfig?: SshConfig;
}

/** Adds what the inventory left open: ssh_config first, then the defaults. Rejects with a UserError. */
export async function resolveTarget(host: Host, context: TargetContext): Promise<Target> {
  const shared = context.sshConfig ? context : { ...context, sshConfig: new SshConfig({ env: context.env }) };
  return resolve(host, shared, []);
}

async function resolve(host: Host, context: TargetContext, via: readonly string[]): Promise<Target> {
  const { connect } = host;
  const asked = connect.address ?? host.name;
  // Finding a place reads the document again: only when there is something to say about it.
  const place = () => placeOf(host, connect.address === undefined ? undefined : 'address');
  const deadlines = readDeadlines(connect.deadlines);
  if (connect.transport === 'local') return localTarget(host.name, deadlines, context);
  refuseName(asked, 'E_HOSTNAME', 'host', place);

  const settings = (await context.sshConfig?.lookup(asked)) ?? new Map();
  const transport = connect.transport ?? 'ssh';
  const address = settings.get('hostname')?.[0] ?? asked;
  const user = connect.user ?? settings.get('user')?.[0] ?? localUser(context.env);
  const port = connect.port ?? Number(settings.get('port')?.[0] ?? 22);
  refuseName(address, 'E_HOSTNAME', 'address', place);
  refuseName(user, 'E_USERNAME', 'user', () => placeOf(host, 'user'));
  const home = context.env.HOME ?? homedir();
  const expand = (text: string) => expandTokens(text, { home, address, user, port, asked, env: context.env });

  const jump = await resolveJump(host, settings, context, [...via, host.name]);
  const proxyCommand = settings.get('proxycommand')?.[0];
  if (transport === 'ssh' && jump.length === 0 && proxyCommand !== undefined && proxyCommand !== 'none') {
    const where = place();
    throw new UserError({
      code: 'E_PROXY_COMMAND',
      what: `ssh_config sets a ProxyCommand for ${host.name}, which ssh2 cannot run`,
      hint: 'set jump, or transport: openssh',
      ...(where ? { place: where } : {}),
    });
  }
  const agent = agentOf(settings, context.env, expand);
  const alias = settings.get('hostkeyalias')?.[0];
  const [password, passphrase] = await Promise.all([
    connect.password && context.secret(connect.password),
    connect.passphrase && context.secret(connect.passphrase),
  ]);
  return {
    name: host.name,
    transport,
    address,
    port,
    user,
    ...identitiesOf(host, settings, context, home, expand),
    ...(agent === undefined ? {} : { agent }),
    ...(password ? { password } : {}),
    ...(passphrase ? { passphrase } : {}),
    jump,
    ...(connect.host_key === undefined ? {} : { hostKey: connect.host_key }),
    ...(alias === undefined ? {} : { hostKeyAlias: alias }),
    knownHosts: knownHostsOf(settings, context, home, expand),
    trust: context.trust ?? 'strict',
    deadlines,
  };
}

function localTarget(name: string, deadlines: Deadlines, context: TargetContext): Target {
  return {
    name,
    transport: 'local',
    address: 'localhost',
    port: 0,
    user: localUser(context.env),
    identities: [],
    identitiesOnly: true,
    jump: [],
    knownHosts: [],
    trust: context.trust ?? 'strict',
    deadlines,
  };
}

/** The chain to go through. The first hop brings its own chain; the others are reached from the one before. */
async function resolveJump(
  host: Host,
  settings: HostSettings,
  context: TargetContext,
  via: readonly string[],
): Promise<readonly Target[]> {
  const fromConfig = settings.get('proxyjump')?.[0];
  const wanted = host.connect.jump ?? (fromConfig === undefined || fromConfig === 'none' ? [] : fromConfig);
  const names = (typeof wanted === 'string' ? wanted.split(',') : [...wanted])
    .map((name) => name.trim())
    .filter(Boolean);
  const chain: Target[] = [];
  for (const name of names) {
    if (via.includes(name) || via.length > 8) {
      const place = placeOf(host, 'jump');
      throw new UserError({
        code: 'E_JUMP_CYCLE',
        what: `jump hosts go round in a circle: ${[...via, name].map((one) => printable(one)).join(' → ')}`,
        hint: 'set jump: none of these needs for itself',
        ...(place ? { place } : {}),
      });
    }
    const hop = await resolve(context.host?.(name) ?? parseAddress(name), context, via);
    if (chain.length === 0) chain.push(...hop.jump);
    chain.push({ ...hop, jump: [] });
  }
  return chain;
}

/** `[user@]host[:port]` as a host that is in no inventory. */
export function parseAddress(text: string): Host {
  const at = text.lastIndexOf('@');
  const user = at > 0 ? text.slice(0, at) : undefined;
  const rest = text.slice(at + 1);
  const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(rest) ?? /^([^:]+)(?::(\d+))?$/.exec(rest);
  const address = match?.[1] ?? rest;
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  if (address === '' || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new UserError({
      code: 'E_HOSTNAME',
      what: `"${printable(text)}" is no host`,
      hint: 'write [user@]host[:port], with port 1-65535',
    });
  }
  const connect: ConnectSettings = {
    address,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
  };
  return { name: text, groups: ['all'], vars: {}, connect, origins: new Map() };
}

const usualIdentities = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

function identitiesOf(
  host: Host,
  settings: HostSettings,
  context: TargetContext,
  home: string,
  expand: (text: string) => string,
): Pick<Target, 'identities' | 'identitiesOnly' | 'identitiesOptional'> {
  const { identity } = host.connect;
  if (identity !== undefined) {
    const paths = (typeof identity === 'string' ? [identity] : identity).map((path) => {
      const full = path.startsWith('~/') ? join(home, path.slice(2)) : path;
      return isAbsolute(full) ? full : join(folderOf(placeOf(host, 'identity'), context), full);
    });
    return { identities: paths, identitiesOnly: true };
  }
  const usual = usualIdentities.map((name) => join(home, '.ssh', name));
  const configured = (settings.get('identityfile') ?? []).map(expand);
  const named = configured.filter((path) => !/\.ssh\/id_(rsa|dsa|ecdsa|ed25519|xmss|ecdsa_sk|ed25519_sk)$/.test(path));
  const only = settings.get('identitiesonly')?.[0] === 'yes';
  if (named.length === 0) {
    return { identities: usual.filter((path) => existsSync(path)), identitiesOnly: only, identitiesOptional: true };
  }
  return { identities: configured.filter((path) => named.includes(path) || existsSync(path)), identitiesOnly: only };
}

/** Relative identity files are relative to the inventory that names them. */
function folderOf(place: Place | undefined, { cwd }: TargetContext): string {
  return place && place.file !== '' ? dirname(join(isAbsolute(place.file) ? '/' : cwd, place.file)) : cwd;
}

function agentOf(
  settings: HostSettings,
  env: Readonly<NodeJS.ProcessEnv>,
  expand: (text: string) => string,
): string | undefined {
  const wanted = settings.get('identityagent')?.[0] ?? 'SSH_AUTH_SOCK';
  if (wanted === 'none') return undefined;
  if (wanted === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK || undefined;
  return (wanted.startsWith('$') && !wanted.startsWith('${') ? env[wanted.slice(1)] : expand(wanted)) || undefined;
}

function knownHostsOf(
  settings: HostSettings,
  context: TargetContext,
  home: string,
  expand: (text: string) => string,
): readonly string[] {
  const list = (keyword: string, fallback: readonly string[]) => {
    const value = settings.get(keyword);
    if (value === undefined) return fallback;
    return value
      .flatMap((line) => line.split(/\s+/))
      .filter((path) => path !== '' && path !== 'none')
      .map(expand);
  };
  const user = list('userknownhostsfile', [join(home, '.ssh/known_hosts'), join(home, '.ssh/known_hosts2')]);
  const system = list('globalknownhostsfile', ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']);
  return [...new Set([...(context.knownHosts ?? []), ...user, ...system])];
}

interface Tokens {
  readonly home: string;
  readonly address: string;
  readonly asked: string;
  readonly user: string;
  readonly port: number;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** `~`, `${NAME}` and the percent tokens that paths use. */
function expandTokens(text: string, tokens: Tokens): string {
  const { home, address, asked, user, port, env } = tokens;
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    d: home,
    h: address,
    n: asked,
    r: user,
    p: String(port),
    u: localUser(env),
    i: String(process.getuid?.() ?? 0),
    l: hostname(),
  };
  return text
    .replace(/^~(?=\/)/, home)
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => env[name] ?? whole)
    .replace(/%(.)/g, (whole, token: string) => values[token] ?? whole);
}

function readDeadlines(settings: ConnectSettings['deadlines']): Deadlines {
  if (settings === undefined) return defaultDeadlines;
  const deadlines: Record<string, number> = { ...defaultDeadlines };
  for (const [name, value] of Object.entries(settings)) {
    if (!(name in defaultDeadlines) || name === 'keepaliveCount') {
      throw new UserError({
        code: 'E_KEY_UNKNOWN',
        what: `unknown deadline "${printable(name)}"`,
        hint: `use one of: ${Object.keys(defaultDeadlines)
          .filter((one) => one !== 'keepaliveCount')
          .join(', ')}`,
      });
    }
    deadlines[name] = parseDuration(value) * 1_000;
  }
  return deadlines as unknown as Deadlines;
}

function refuseName(
  text: string,
  code: 'E_HOSTNAME' | 'E_USERNAME',
  what: string,
  placeOfName: () => Place | undefined,
): void {
  const problem: Problem | undefined = text.startsWith('-')
    ? {
        code,
        what: `${what} "${printable(text)}" may not start with "-"`,
        hint: 'it would be read as an option of ssh',
      }
    : /[\s\p{Cc}\p{Cf}]/u.test(text)
      ? { code, what: `${what} "${printable(text)}" has a space or control character`, hint: 'remove it' }
      : undefined;
  if (!problem) return;
  const place = placeOfName();
  throw new UserError(place ? { ...problem, place } : problem);
}

function placeOf(host: Host, setting: keyof ConnectSettings | undefined): Place | undefined {
  return (setting && host.origins.get(`connect.${setting}`)?.at(-1)?.place) ?? host.place;
}

const identityProblems: Partial<Record<TransportReason, readonly [Problem['code'], 2 | 5]>> = {
  'key-permissions': ['E_KEY_PERMS', exitCode.refused],
  'key-encrypted': ['E_KEY_ENCRYPTED', exitCode.refused],
  'key-certificate': ['E_KEY_CERT', exitCode.usage],
  'key-unreadable': ['E_KEY_UNREADABLE', exitCode.usage],
};

function hasNamedIdentity({ transport, identities, identitiesOptional }: Target): boolean {
  return transport !== 'local' && !identitiesOptional && identities.length > 0;
}

/** Looks at every identity file of the targets and their jump hosts before any host is contacted. */
export async function checkIdentities(
  targets: readonly Target[],
  hostNamed: (name: string) => Host | undefined = () => undefined,
): Promise<readonly UserError[]> {
  const named = targets.flatMap((one) => [...one.jump, one]).filter(hasNamedIdentity);
  if (named.length === 0) return [];
  const { IdentityFiles } = await import('./ssh/keys.js');
  const files = new IdentityFiles();
  const errors = new Map<string, UserError>();
  for (const target of named) {
    for (const path of target.identities) {
      if (errors.has(path)) continue;
      const file = await files.load(path, target.passphrase);
      if (file.kind === 'key') continue;
      const { reason, message, hint } = file.error;
      // A locked key may be in the agent; certificates and hardware keys are what openssh is for.
      if (reason === 'key-encrypted' && (target.agent !== undefined || target.password !== undefined)) continue;
      if (reason === 'key-certificate' && target.transport === 'openssh') continue;
      const [known, exit] = identityProblems[reason] ?? ['E_KEY_UNREADABLE', exitCode.usage];
      const code = message.includes('public half') ? 'E_KEY_PUBLIC' : known;
      const place = hostNamed(target.name)?.origins.get('connect.identity')?.at(-1)?.place;
      const problem = { code, what: message, ...(hint === undefined ? {} : { hint }), ...(place && { place }) };
      errors.set(path, new UserError(problem, exit));
    }
  }
  return [...errors.values()];
}
