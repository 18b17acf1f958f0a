import { homedir } from 'node:os';
import { join } from 'node:path';
import { printable } from '../printable.js';
import { type Target, TransportError } from '../transport.js';
import { pinnedFingerprint } from '../trust/trust.js';

/** What is written to the private folder, and the name to give to ssh. */
export interface OpensshConfig {
  readonly host: string;
  readonly text: string;
  /** Scripts that print the pinned key when its fingerprint is right, by file name. */
  readonly pinScripts: ReadonlyMap<string, string>;
}

/**
 * An ssh_config of our own. In ssh the first value wins, so ours come first and the user's files after them
 * fill in what we do not set (certificates, PKCS#11, Kerberos).
 */
export function opensshConfig(target: Target, folder: string, family?: string): OpensshConfig {
  const pinScripts = new Map<string, string>();
  const hops = target.jump.map((hop, index) => ({ hop, alias: aliasOf(hop, `opsctl-hop-${index + 1}`) }));
  const host = aliasOf(target, 'opsctl-target');
  const taken = new Set([host]);
  const lines: string[] = [];
  const aliases: string[] = [];
  for (const [index, { hop, alias }] of hops.entries()) {
    const unique = taken.has(alias) ? `opsctl-hop-${index + 1}` : alias;
    taken.add(unique);
    aliases.push(unique);
    lines.push(...hostBlock(hop, unique, folder, pinScripts), '  ProxyJump none', '  ProxyCommand none');
    const before = aliases.slice(0, -1);
    if (before.length > 0) lines.splice(-2, 2, `  ProxyJump ${before.at(-1)}`);
  }
  lines.push(...hostBlock(target, host, folder, pinScripts));
  if (family !== undefined) lines.push(`  HostKeyAlgorithms ${family}`);
  if (aliases.length > 0) lines.push(`  ProxyJump ${aliases.at(-1)}`);
  lines.push(
    'Host *',
    '  BatchMode yes',
    '  CheckHostIP no',
    '  UpdateHostKeys no',
    '  VerifyHostKeyDNS no',
    '  ForwardAgent no',
    '  ForwardX11 no',
    '  ClearAllForwardings yes',
    '  PermitLocalCommand no',
    '  RemoteCommand none',
    '  RequestTTY no',
    '  EscapeChar none',
    '  ControlPath none',
    '  GlobalKnownHostsFile /dev/null',
    `  Include ${quoted(join(homedir(), '.ssh/config'))}`,
    '  Include /etc/ssh/ssh_config',
    '',
  );
  return { host, text: lines.join('\n'), pinScripts };
}

/** Host key algorithms to offer one after the other while a bare fingerprint is not found. */
export const keyFamilies: readonly string[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521',
  'rsa-sha2-512,rsa-sha2-256',
];

/** The families that a pin may be of: one for a whole key, all for a bare fingerprint. */
export function familiesOf(pin: string | undefined): readonly (string | undefined)[] {
  if (pin === undefined) return [undefined];
  const type = pin.trim().split(/\s/)[0] ?? '';
  if (type.startsWith('SHA256:')) return keyFamilies;
  const family = keyFamilies.find((names) => names.includes(type.replace('ssh-rsa', 'rsa-')));
  return [family];
}

function hostBlock(target: Target, alias: string, folder: string, pinScripts: Map<string, string>): string[] {
  if (!/^[A-Za-z0-9_.:%-]+$/.test(target.address) || target.address.startsWith('-')) {
    throw refusedName(`the address ${printable(target.address)}`);
  }
  if (!/^[^\s"'\\`$;&<>|(){}]+$/.test(target.user) || target.user.startsWith('-')) {
    throw refusedName(`the user name ${printable(target.user)}`);
  }
  const { deadlines } = target;
  const lines = [
    `Host ${alias}`,
    `  HostName ${target.address.replaceAll('%', '%%')}`,
    `  Port ${target.port}`,
    `  User ${target.user}`,
    `  ConnectTimeout ${wholeSeconds(deadlines.connect)}`,
    `  ServerAliveInterval ${wholeSeconds(deadlines.keepaliveInterval)}`,
    `  ServerAliveCountMax ${deadlines.keepaliveCount}`,
    `  StrictHostKeyChecking ${target.trust === 'accept-new' && target.hostKey === undefined ? 'accept-new' : 'yes'}`,
    `  IdentitiesOnly ${target.identitiesOnly ? 'yes' : 'no'}`,
    `  IdentityAgent ${target.agent ? quoted(target.agent) : 'none'}`,
    ...target.identities.map((path) => `  IdentityFile ${quoted(path)}`),
  ];
  if (target.hostKeyAlias !== undefined) lines.push(`  HostKeyAlias ${quoted(target.hostKeyAlias)}`);
  if (target.hostKey === undefined) {
    lines.push(`  UserKnownHostsFile ${target.knownHosts.map(quoted).join(' ') || '/dev/null'}`);
    return lines;
  }
  const pin = pinnedFingerprint(target.hostKey);
  if (pin === undefined) {
    throw new TransportError(
      'host-key-mismatch',
      'refused',
      `the host_key of ${target.name} is neither a public key nor SHA256:…`,
    );
  }
  const script = `pin-${alias}`;
  pinScripts.set(script, `if [ "$4" = '${pin}' ]; then printf '%s %s %s\\n' "$1" "$2" "$3"; fi\n`);
  lines.push(
    '  UserKnownHostsFile /dev/null',
    `  KnownHostsCommand /bin/sh ${quoted(join(folder, script))} %H %t %K %f`,
  );
  return lines;
}

/** The inventory name, so that Host blocks of the user's own ssh_config apply, where ssh can take it. */
function aliasOf(target: Target, fallback: string): string {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(target.name) ? target.name : fallback;
}

function quoted(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would start another setting
  if (/["\u0000-\u001f\u007f]/.test(path)) throw refusedName(`the path ${printable(path)}`);
  return `"${path.replaceAll('%', '%%')}"`;
}

function refusedName(what: string): TransportError {
  return new TransportError('transport-error', 'refused', `${what} cannot be given to ssh safely`);
}

function wholeSeconds(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds / 1000));
}
