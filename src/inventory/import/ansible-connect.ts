import type { Place, Problem } from '../../errors.js';
import { refuseHop } from '../connect.js';
import type { Draft, Values } from '../draft.js';
import type { ConnectSettings } from '../inventory.js';
import { readPort, refuseHostName, refuseUserName } from '../names.js';
import { splitShellWords } from './shell-words.js';

type PlaceOf = (name: string) => Place;

/** Later names win, as they are the newer spelling. */
const settings: Readonly<Record<string, (value: unknown, note: Note) => ConnectSettings>> = {
  ansible_ssh_host: (value, note) => note.text(value, 'address', (text) => refuseHostName(text, 'address')),
  ansible_host: (value, note) => note.text(value, 'address', (text) => refuseHostName(text, 'address')),
  ansible_ssh_port: (value, note) => note.port(value),
  ansible_port: (value, note) => note.port(value),
  ansible_ssh_user: (value, note) => note.text(value, 'user', refuseUserName),
  ansible_user: (value, note) => note.text(value, 'user', refuseUserName),
  ansible_private_key_file: (value, note) => note.text(value, 'identity'),
  ansible_ssh_private_key_file: (value, note) => note.text(value, 'identity'),
  ansible_connection: (value, note) => connection(value, note),
  ansible_sudo: (value) => ({ sudo: truth(value) }),
  ansible_become: (value) => ({ sudo: truth(value) }),
  ansible_become_method: (value, note) => {
    if (value !== 'sudo') note.warn(`ansible_become_method=${String(value)} is not supported, only sudo`);
    return {};
  },
  ansible_ssh_args: (value, note) => sshArguments(value, note),
  ansible_ssh_common_args: (value, note) => sshArguments(value, note),
  ansible_ssh_extra_args: (value, note) => sshArguments(value, note),
};

const secretNames = new Set([
  'ansible_password',
  'ansible_ssh_pass',
  'ansible_ssh_password',
  'ansible_become_pass',
  'ansible_become_password',
  'ansible_sudo_pass',
  'ansible_ssh_private_key_passphrase',
  'ansible_private_key_passphrase',
]);

interface Note {
  text(
    value: unknown,
    setting: 'address' | 'user' | 'identity',
    refuse?: (text: string) => Omit<Problem, 'place'> | undefined,
  ): ConnectSettings;
  port(value: unknown): ConnectSettings;
  problem(problem: Omit<Problem, 'place'>): void;
  warn(text: string): void;
}

/** Connection settings that variables such as `ansible_host` stand for. Most variables are none. */
export function ansibleConnect(vars: Values, placeOf: PlaceOf, draft: Draft): ConnectSettings {
  let connect: ConnectSettings = {};
  let become: string | undefined;
  for (const name in vars) {
    if (!name.startsWith('ansible_')) continue;
    if (secretNames.has(name)) refuseSecret(name, vars[name], placeOf, draft);
    if (name === 'ansible_become_user' || name === 'ansible_sudo_user') become = String(vars[name]);
  }
  for (const name in settings) {
    if (!(name in vars) || vars[name] === null || vars[name] === '') continue;
    connect = { ...connect, ...settings[name]?.(vars[name], noteFor(name, placeOf, draft)) };
  }
  if (become !== undefined && become !== 'root' && connect.sudo === true)
    connect = { ...connect, sudo: { user: become } };
  return connect;
}

function noteFor(name: string, placeOf: PlaceOf, draft: Draft): Note {
  const problem = (found: Omit<Problem, 'place'>) => {
    draft.problems.push({ ...found, place: placeOf(name) });
  };
  return {
    problem,
    text(value, setting, refuse) {
      const text = String(value);
      const refusal = refuse?.(text);
      if (refusal) problem(refusal);
      return { [setting]: text };
    },
    port(value) {
      const port = readPort(value, true);
      if (typeof port === 'number') return { port };
      problem(port);
      return {};
    },
    warn(text) {
      const { file, line } = placeOf(name);
      draft.warnings.add(`${line === undefined ? file : `${file}:${line}`}: ${text}`);
    },
  };
}

function refuseSecret(name: string, value: unknown, placeOf: PlaceOf, draft: Draft): void {
  if (value === null || value === '' || typeof value === 'object') return;
  draft.problems.push({
    code: 'E_SECRET_LITERAL',
    what: `\`${name}\` is written out`,
    hint: 'remove it here, and give it in an opsctl inventory beside this one: { secret: "env:NAME" }',
    place: placeOf(name),
  });
}

function connection(value: unknown, note: Note): ConnectSettings {
  if (value === 'local') return { transport: 'local' };
  if (value !== 'ssh' && value !== 'smart' && value !== 'paramiko' && value !== 'paramiko_ssh')
    note.warn(`ansible_connection=${String(value)} is not supported; the host is reached with ssh`);
  return {};
}

/** Ansible's idea of true, for values that an INI line may have left as text. */
function truth(value: unknown): boolean {
  return ['true', 'yes', 'on', 'y', 't', '1', '1.0'].includes(String(value).toLowerCase());
}

/** `-J bastion`, `-o ProxyJump=bastion` and `-o ProxyCommand="ssh -W %h:%p bastion"` are jumps; the rest is told. */
function sshArguments(value: unknown, note: Note): ConnectSettings {
  const words = safeWords(String(value), note);
  const jumps: string[] = [];
  const ignored: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const taken = /^-[oJ]$/.test(word) ? [word, words[++at] ?? ''] : [word.slice(0, 2), word.slice(2)];
    const [flag, argument = ''] = taken;
    if (flag === '-J') jumps.push(...argument.split(','));
    else if (flag === '-o') {
      const jump = jumpOption(argument);
      if (jump) jumps.push(...jump);
      else ignored.push(`-o ${argument}`);
    } else ignored.push(word);
  }
  if (ignored.length > 0) note.warn(`ssh options are not used: ${ignored.join(' ')}; put them in ~/.ssh/config`);
  for (const problem of jumps.flatMap(refuseHop)) note.problem(problem);
  return jumps.length === 0 ? {} : { jump: jumps.length === 1 ? (jumps[0] ?? '') : jumps };
}

function jumpOption(option: string): string[] | undefined {
  const [, name = '', value = ''] = /^(\w+)\s*[=\s]\s*(.*)$/.exec(option) ?? [];
  if (name.toLowerCase() === 'proxyjump') return value === 'none' ? [] : value.split(',');
  if (name.toLowerCase() !== 'proxycommand') return undefined;
  const rest = value
    .replace(/^"(.*)"$/, '$1')
    .replace(/\s-q(?=\s|$)/g, '')
    .replace(/\s-W\s*%h:%p(?=\s|$)/, '');
  const [, port, host] = /^ssh(?:\s+-p\s*(\d+))?\s+([^\s-]\S*)$/.exec(rest) ?? [];
  if (host === undefined || rest === value) return undefined;
  return [port === undefined ? host : `${host}:${port}`];
}

function safeWords(text: string, note: Note): string[] {
  try {
    return splitShellWords(text);
  } catch (error) {
    note.warn(`ssh options cannot be read: ${(error as Error).message}`);
    return [];
  }
}
