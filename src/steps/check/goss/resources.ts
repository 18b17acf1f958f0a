import { readAddress } from '../address.js';
import {
  type Found,
  fileAttribute,
  fileQuestions,
  hostAddresses,
  httpAttribute,
  interfaceAddress,
  mountAttribute,
  numbers,
  packageVersions,
  recordsOf,
  serviceAttribute,
  userAttribute,
  value,
  whole,
} from './attributes.js';
import type { Facts } from './facts.js';
import type { ResourceType } from './goss.schema.js';
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
    question: ({ name, options, tests }) => [
      'command',
      name,
      seconds(options, 10_000),
      tests.map(({ attribute }) => attribute).join(' '),
    ],
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
    question({ name, options, tests }) {
      const flags = [
        ...(options['allow-insecure'] ? ['insecure'] : []),
        ...(options['no-follow-redirects'] ? [] : ['follow']),
        ...(tests.some(({ attribute }) => attribute === 'body') ? ['body'] : []),
      ];
      const text = (option: string) => String(options[option] ?? '');
      const limit = Number(options.timeout || 5_000) / 1_000;
      // curl takes a header that ends in a colon out, and sends one that ends in a semicolon without a value.
      const headers = ((options['request-headers'] ?? []) as string[])
        .map((header) => header.replace(/^([^:]+):\s*$/, '$1;'))
        .join('\n');
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

/** Whole seconds, since not every `timeout` takes parts of one. */
function seconds({ timeout }: Resource['options'], preset: number): string {
  return String(Math.ceil((Number(timeout) || preset) / 1_000));
}
