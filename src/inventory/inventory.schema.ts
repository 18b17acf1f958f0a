import type { JsonSchema } from '../documents/json-schema.js';

const secret = <const D extends string>(description: D) =>
  ({
    type: 'object',
    description,
    properties: {
      secret: {
        type: 'string',
        pattern: '^(env|file|exec):.+',
        description: 'Where the value is: `env:NAME`, `file:PATH` or `exec:COMMAND`.',
        examples: ['env:DB_PW', 'file:~/.config/opsctl/db-pw', 'exec:pass show db'],
      },
    },
    required: ['secret'],
    additionalProperties: false,
  }) as const;

const connectProperties = {
  transport: {
    enum: ['local', 'ssh', 'openssh'],
    description: 'How to reach the host: `ssh` (built in), `openssh` (the ssh program of this machine) or `local`.',
  },
  address: {
    type: 'string',
    minLength: 1,
    description: 'Name or address to connect to. The name of the host when absent.',
    examples: ['10.0.0.5', 'db1.internal', 'fe80::1%eth0'],
  },
  port: { type: 'integer', minimum: 1, maximum: 65535, description: 'SSH port.', examples: [22, 2222] },
  user: { type: 'string', minLength: 1, description: 'Login name.', examples: ['ops'] },
  identity: {
    type: ['string', 'array'],
    items: { type: 'string', minLength: 1 },
    minLength: 1,
    minItems: 1,
    description: 'Private key file, or several in the order to try.',
    examples: ['~/.ssh/ops_ed25519'],
  },
  jump: {
    type: ['string', 'array'],
    items: { type: 'string', minLength: 1 },
    minLength: 1,
    minItems: 1,
    description: 'Host to go through, or several, nearest first: a host of the inventory or `user@name:port`.',
    examples: ['bastion', ['bastion', 'inner']],
  },
  parents: {
    type: ['string', 'array'],
    items: { type: 'string', minLength: 1 },
    minLength: 1,
    description:
      'Hosts of the inventory that it is behind, such as a router: when they are unreachable, so is it, and that counts once. Several are ways beside each other.',
    examples: ['router1', ['router1', 'router2']],
  },
  sudo: {
    type: ['boolean', 'object'],
    description: 'Run steps as root through sudo; a map says more.',
    properties: {
      password: secret('Password of sudo.'),
      user: { type: 'string', minLength: 1, description: 'User to become. root when absent.' },
    },
    additionalProperties: false,
  },
  shell: {
    type: 'string',
    minLength: 1,
    description: 'POSIX shell that runs the steps.',
    examples: ['/bin/sh', '/bin/dash'],
  },
  host_key: {
    type: 'string',
    minLength: 1,
    description: 'The only host key to accept: `ssh-ed25519 AAAA…` or `SHA256:…`. Outranks known_hosts.',
  },
  password: secret('Login password.'),
  passphrase: secret('Passphrase of the private key.'),
  deadlines: {
    type: 'object',
    additionalProperties: { type: ['string', 'number'], format: 'duration', description: 'A duration such as `5s`.' },
    description: 'Longest waits of the connection, such as `connect: 5s`.',
    examples: [{ connect: '10s', login: '30s' }],
  },
} as const;

const vars = {
  type: 'object',
  description: 'Values for expressions: `vars.NAME`.',
  examples: [{ service: 'nginx' }],
} as const;

const connect = {
  type: 'object',
  description: 'How to reach the hosts.',
  properties: connectProperties,
  additionalProperties: false,
} as const;

const group = {
  type: ['object', 'null'],
  description: 'A group of hosts.',
  examples: [{ hosts: ['web1', 'web2'] }],
  properties: {
    hosts: {
      type: ['string', 'array'],
      items: { type: 'string', minLength: 1 },
      description: 'Its hosts. A range stands for many: `web[01:20]`, `db-[a:c]`.',
      examples: ['web[01:20].example.com', ['db1', 'db2']],
    },
    groups: {
      type: ['string', 'array'],
      items: { type: 'string', minLength: 1 },
      description: 'Groups that belong to it.',
      examples: [['web', 'db']],
    },
    vars,
    connect,
  },
  additionalProperties: false,
} as const;

const host = {
  type: ['object', 'null'],
  description: 'A host. Connection settings stand in it or under `connect`.',
  properties: { ...connectProperties, vars, connect },
  additionalProperties: false,
} as const;

/** opsctl's own inventory format. Ansible's formats are read by import/. */
export const inventorySchema = {
  $id: 'https://opsctl.dev/schemas/v1/inventory.schema.json',
  title: 'opsctl inventory',
  type: 'object',
  description: 'The hosts, their groups and variables, and how to reach them.',
  properties: {
    $schema: { type: 'string', description: 'Where this schema is, for editors.' },
    defaults: { ...connect, description: 'How to reach every host, unless a group or the host says otherwise.' },
    groups: {
      type: 'object',
      additionalProperties: group,
      description: 'Groups by name.',
      examples: [{ web: { hosts: ['web1', 'web2'] } }],
    },
    hosts: {
      type: 'object',
      additionalProperties: host,
      description: 'Hosts by name; a name may be a range. Hosts that only a group names need no entry.',
      examples: [{ web1: {}, web2: { port: 2222 } }],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

/** The settings of `connect`, in the order of the documentation. */
export const connectSettingNames = Object.keys(connectProperties) as (keyof typeof connectProperties)[];
