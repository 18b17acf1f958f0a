import { UnreadableOutput } from '../../step.js';
import { readAddress } from '../address.js';
import type { Facts } from './facts.js';
import type { ResourceType } from './goss.schema.js';
import { CutText } from './match.js';
import type { Matcher } from './matcher.js';
import { addrTarget, dnsQuestion, portSocket } from './names.js';

/** A resource of a goss file with its tests, the one that decides whether the others make sense first. */
export interface Resource {
  readonly type: ResourceType;
  /** As the goss file names it. */
  readonly id: string;
  /** What it is called on the host. */
  readonly name: string;
  readonly title?: string;
  readonly skip: boolean;
  /** Attributes that are no tests. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly tests: readonly { readonly attribute: string; readonly matcher: Matcher }[];
}

/** The value of an attribute, or why it has none: `fails` is proven, `unknown` is not. */
export type Found = { readonly value: unknown } | { readonly unknown: string } | { readonly fails: string };

interface Type {
  /** Attribute that names it on the host; the key does when it is absent. */
  readonly name?: string;
  /** Attributes that are no tests. */
  readonly options?: readonly string[];
  /** When it fails or is false, the other tests are skipped. */
  readonly gate?: string;
  /** Attributes whose lists are patterns. */
  readonly texts?: readonly string[];
  /** Kind and values of the probe's question. */
  question?(resource: Resource): readonly string[];
  find(attribute: string, facts: Facts, resource: Resource): Found;
}

const value = (found: unknown): Found => ({ value: found });

/** What is absent has no other attributes. */
const presence =
  (attribute: string, find: Type['find']): Type['find'] =>
  (asked, facts, resource) => {
    if (asked === attribute) return value(!facts.has('absent'));
    return facts.has('absent') ? { fails: 'it does not exist' } : find(asked, facts, resource);
  };

export const resourceTypes: Readonly<Record<ResourceType, Type>> = {
  addr: {
    name: 'address',
    options: ['local-address', 'timeout'],
    question({ name, options }) {
      const { host, port } = addrTarget(name) ?? { host: '', port: '' };
      return ['addr', host, port, String(options['local-address'] ?? ''), seconds(options, 500)];
    },
    find: (_, facts) => value(facts.value('reachable') === 'yes'),
  },
  command: {
    name: 'exec',
    options: ['timeout'],
    texts: ['stdout', 'stderr'],
    question: ({ name, options }) => ['command', name, seconds(options, 10_000)],
    find(attribute, facts, { options }) {
      const [status, took] = numbers(facts.value('ended'), 2) as [number, number];
      const limit = Number(seconds(options, 10_000));
      // What `timeout` says by itself, once the time was up.
      if ([124, 137, 143].includes(status) && took >= limit) return { fails: `it did not end within ${limit} s` };
      return value(attribute === 'exit-status' ? status : facts.text(attribute));
    },
  },
  dns: {
    name: 'resolve',
    options: ['server', 'timeout'],
    gate: 'resolvable',
    question({ name, options }) {
      const { host, types, server, port } = dnsQuestion(name, options.server as string | undefined);
      return ['dns', host, server, port, seconds(options, 500), types.join(' ')];
    },
    find(attribute, facts, { name, options }) {
      const { types } = dnsQuestion(name, options.server as string | undefined);
      const records = options.server === undefined ? hostAddresses(facts) : types.map((type) => recordsOf(facts, type));
      const broken = records.find((found) => typeof found === 'string');
      if (broken !== undefined) return { unknown: `the name server answers ${broken}` };
      const found = [...new Set(records.flat())].sort();
      return value(attribute === 'resolvable' ? found.length > 0 : found);
    },
  },
  file: {
    name: 'path',
    gate: 'exists',
    texts: ['contents', 'contains'],
    question({ name, tests }) {
      const wanted = tests.flatMap(({ attribute }) => fileQuestions[attribute] ?? []);
      return ['file', name, [...new Set(wanted)].join(' ')];
    },
    find: presence('exists', fileAttribute),
  },
  group: {
    name: 'groupname',
    gate: 'exists',
    question: ({ name }) => ['group', name],
    find: presence('exists', (_, facts) => value(numbers(facts.value('group').split(':')[2], 1)[0])),
  },
  http: {
    name: 'url',
    options: [
      'method',
      'allow-insecure',
      'no-follow-redirects',
      'timeout',
      'request-headers',
      'request-body',
      'username',
      'password',
      'ca-file',
      'cert-file',
      'key-file',
      'proxy',
    ],
    gate: 'status',
    texts: ['headers', 'body'],
    question({ name, options }) {
      const flags = [
        ...(options['allow-insecure'] ? ['insecure'] : []),
        ...(options['no-follow-redirects'] ? [] : ['follow']),
      ];
      const text = (option: string) => String(options[option] ?? '');
      const limit = Number(options.timeout || 5_000) / 1_000;
      const headers = ((options['request-headers'] ?? []) as string[]).join('\n');
      const files = ['username', 'ca-file', 'cert-file', 'key-file', 'proxy'].map(text);
      return [
        'http',
        name,
        text('method') || 'GET',
        flags.join(' '),
        String(limit),
        headers,
        text('request-body'),
        ...files,
      ];
    },
    find: httpAttribute,
  },
  interface: {
    name: 'name',
    gate: 'exists',
    question: ({ name, tests }) => [
      'interface',
      name,
      tests.some(({ attribute }) => attribute === 'addrs') ? 'addrs' : '',
    ],
    find: presence('exists', (attribute, facts) =>
      attribute === 'mtu'
        ? value(numbers(facts.value('mtu'), 1)[0])
        : value(facts.values('address').flatMap(interfaceAddress)),
    ),
  },
  'kernel-param': {
    name: 'name',
    question: ({ name }) => ['parameter', name.includes('/') ? name : name.replaceAll('.', '/')],
    find(_, facts) {
      if (facts.has('absent')) return { fails: 'the kernel has no such parameter' };
      if (facts.has('folder')) return { fails: 'it is a group of parameters' };
      return value(whole(facts.text('value')).trim());
    },
  },
  matching: {
    options: ['content', 'as-reader'],
    find: (_, __, { options }) => value(options.content),
  },
  mount: {
    name: 'mountpoint',
    options: ['timeout'],
    gate: 'exists',
    question({ name, tests }) {
      const path = name.replace(/(?<=.)\/+$/, '');
      // The kernel writes white space and backslash as octal.
      const written = path.replace(
        /[ \t\n\\]/g,
        (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
      );
      return ['mount', written, path, tests.some(({ attribute }) => attribute === 'usage') ? 'usage' : ''];
    },
    find: presence('exists', mountAttribute),
  },
  package: {
    name: 'name',
    gate: 'installed',
    question: ({ name }) => ['package', name],
    find(attribute, facts, { name }) {
      const versions = facts.has('packages')
        ? packageVersions(whole(facts.text('packages')), facts.value('manager'), name)
        : [];
      return value(attribute === 'installed' ? versions.length > 0 : versions);
    },
  },
  port: {
    name: 'port',
    gate: 'listening',
    question({ name }) {
      const { table, port } = portSocket(name) ?? { table: 'tcp', port: 0 };
      return ['port', table, port.toString(16).toUpperCase().padStart(4, '0')];
    },
    find(attribute, facts) {
      const sockets = [...new Set(facts.values('socket').map((hex) => readAddress(hex, facts.bigEndian)))];
      return value(attribute === 'listening' ? sockets.length > 0 : sockets);
    },
  },
  process: {
    name: 'comm',
    question: ({ name }) => ['process', name],
    find: (_, facts) => value(facts.has('process')),
  },
  service: {
    name: 'name',
    question: ({ name }) => ['service', name],
    find: serviceAttribute,
  },
  user: {
    name: 'username',
    gate: 'exists',
    question: ({ name }) => ['user', name],
    find: presence('exists', userAttribute),
  },
};

const fileQuestions: Readonly<Record<string, string>> = {
  'linked-to': 'link',
  contents: 'contents',
  contains: 'contents',
  md5: 'md5',
  sha256: 'sha256',
  sha512: 'sha512',
};

const fileTypes: Readonly<Record<number, string>> = {
  1: 'pipe',
  2: 'character-device',
  4: 'directory',
  6: 'block-device',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};

function fileAttribute(attribute: string, facts: Facts): Found {
  const [hex = '', uid, gid, size, owner, group] = facts.value('state').split(' ');
  const mode = Number.parseInt(hex, 16);
  const wanted = fileQuestions[attribute];
  if (wanted !== undefined && facts.values('irregular').includes(wanted)) return { fails: 'it is no regular file' };
  switch (attribute) {
    case 'mode':
      return value((mode & 0o7777).toString(8).padStart(4, '0'));
    case 'filetype':
      return value(fileTypes[mode >> 12] ?? 'file');
    // A number that nobody has as a name stands for itself.
    case 'owner':
      return value(owner === 'UNKNOWN' ? uid : owner);
    case 'group':
      return value(group === 'UNKNOWN' ? gid : group);
    case 'uid':
    case 'gid':
    case 'size':
      return value(numbers({ uid, gid, size }[attribute], 1)[0]);
    case 'linked-to':
      return facts.has('link')
        ? value(whole(facts.text('link')).replace(/\n$/, ''))
        : { fails: 'it is no symbolic link' };
    case 'contents':
    case 'contains':
      return value(facts.text('contents'));
    default:
      return value(facts.value(attribute));
  }
}

function userAttribute(attribute: string, facts: Facts, { name }: Resource): Found {
  const [, , uid, gid, , home, shell] = facts.value('user').split(':');
  switch (attribute) {
    case 'uid':
    case 'gid':
      return value(numbers({ uid, gid }[attribute], 1)[0]);
    case 'home':
      return value(home);
    case 'shell':
      return value(shell);
    default: {
      const groups = facts.values('group').map((line) => line.split(':'));
      const own = groups.filter(([, , id, members = '']) => id === gid || members.split(',').includes(name));
      return value(own.map(([group]) => group).sort());
    }
  }
}

function mountAttribute(attribute: string, facts: Facts): Found {
  const [before = '', after = ''] = facts.value('mount').split(/ - (.*)/s);
  const [type, source, superOptions] = after.split(' ');
  if (!type || source === undefined || !superOptions) throw new UnreadableOutput('not a mount');
  switch (attribute) {
    case 'opts':
      return value([...new Set(before.split(' ')[0]?.split(','))]);
    case 'vfs-opts':
      return value(superOptions.split(','));
    case 'source':
      return value(
        source.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
      );
    case 'filesystem':
      return value(type);
    default: {
      const [blocks, free] = numbers(facts.value('blocks'), 2) as [number, number];
      return blocks === 0 ? { fails: 'the file system has no blocks' } : value(Math.round((1 - free / blocks) * 100));
    }
  }
}

function serviceAttribute(attribute: string, facts: Facts): Found {
  const systemd = facts.value('manager') === 'systemd';
  const running = facts.values('running')[0]?.split(' ')[0];
  switch (attribute) {
    case 'running':
      return value(running === '0');
    case 'enabled':
      return value(systemd ? facts.value('enabled').startsWith('0 ') : facts.has('level'));
    default:
      return systemd ? { unknown: 'systemd has no run levels' } : value([...facts.values('level')].sort());
  }
}

function httpAttribute(attribute: string, facts: Facts): Found {
  const [status] = numbers(facts.value('ended'), 1);
  const lines = whole(facts.text('headers')).split(/\r?\n/);
  if (status !== 0) {
    // 23: the body was longer than what is looked at. Anything else is no answer.
    const said = lines.findLast((line) => line.startsWith('curl: ')) ?? `curl ended with status ${status}`;
    return { fails: `no answer: ${said.replace(/^curl: (\(\d+\) )?/, '')}` };
  }
  const start = lines.findLastIndex((line) => /^HTTP\/[\d.]+ \d{3}/.test(line));
  const end = lines.indexOf('', start);
  if (start === -1) throw new UnreadableOutput('the answer has no status');
  if (attribute === 'status') return value(Number(lines[start]?.split(' ')[1]));
  if (attribute === 'body') return value(facts.text('body'));
  return value(
    lines
      .slice(start + 1, end === -1 ? undefined : end)
      .map(headerLine)
      .join('\n'),
  );
}

/** The name as Go writes it: HTTP/2 has small letters only. */
function headerLine(line: string): string {
  return line.replace(/^[^:]+/, (name) => name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()));
}

function packageVersions(said: string, manager: string, name: string): string[] {
  const lines = said.split('\n').filter((line) => line !== '');
  switch (manager) {
    case 'dpkg':
      return lines.flatMap((line) => /^(?:install|hold) ok installed\t(.+)$/.exec(line)?.[1] ?? []);
    case 'apk':
      return lines.flatMap((line) => (line.startsWith(`${name}-`) ? [line.slice(name.length + 1)] : []));
    case 'pacman':
      return lines.flatMap((line) => line.split(' ')[1] ?? []);
    default:
      return lines;
  }
}

function interfaceAddress(line: string): string[] {
  const [, address = '', , peer] = /\sinet6?\s+(\S+)(\s+peer\s+(\S+))?/.exec(line) ?? [];
  if (address === '') return [];
  return [address.includes('/') || !peer ? address : `${address}/${peer.split('/')[1]}`];
}

function hostAddresses(facts: Facts): readonly string[][] {
  if (facts.has('absent')) return [];
  return [
    whole(facts.text('hosts'))
      .split('\n')
      .flatMap((line) => /^\S+/.exec(line)?.[0] ?? []),
  ];
}

/** Records of an answer of dig, or the status of an answer that says nothing about the name. */
function recordsOf(facts: Facts, type: string): string[] | string {
  const said = whole(facts.text(type));
  const status = /status: ([A-Z]+)/.exec(said)?.[1];
  if (status === undefined) throw new UnreadableOutput('the answer of dig has no status');
  if (status !== 'NOERROR' && status !== 'NXDOMAIN') return status;
  return said.split('\n').flatMap((line) => {
    const [, kind, data = ''] = /^[^;\s]\S*\s+\d+\s+IN\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (kind !== type) return [];
    if (type === 'TXT') return (data.match(/"(?:[^"\\]|\\.)*"/g) ?? []).map((part) => unescapeText(part.slice(1, -1)));
    return type === 'CAA' ? data.replace(/"(.*)"$/, '$1') : data;
  });
}

function unescapeText(text: string): string {
  return text.replace(/\\(\d{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number(code)) : code,
  );
}

function whole(text: string | CutText): string {
  if (text instanceof CutText) throw new UnreadableOutput('an answer is longer than expected');
  return text;
}

function numbers(text: string | undefined, count: number): number[] {
  const found = text?.split(' ') ?? [];
  if (found.length !== count || !found.every((part) => /^\d+$/.test(part)))
    throw new UnreadableOutput(`not a number: ${String(text).slice(0, 80)}`);
  return found.map(Number);
}

/** Whole seconds, since not every `timeout` takes parts of one. */
function seconds({ timeout }: Resource['options'], preset: number): string {
  return String(Math.ceil((Number(timeout) || preset) / 1_000));
}
