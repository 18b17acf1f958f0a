import type { JsonSchema } from '../../../documents/json-schema.js';

/** A value, a list, or a matcher such as `{ gt: 50 }`; matcher.ts reads it. */
const matcher = (description: string) => ({ description }) as const;
const text = (description: string) => ({ type: 'string', minLength: 1, description }) as const;
const truth = (description: string) => ({ type: 'boolean', description }) as const;

const common = {
  title: { type: 'string', description: 'What the test is about.' },
  meta: { type: 'object', description: 'Anything; it is not looked at.' },
  skip: truth('Leave the tests of this resource out.'),
} as const;

const timeout = { type: 'integer', minimum: 0, description: 'Milliseconds that it may take.' } as const;

/** All resources of one type, by name; none where a template has left them all out. */
const resources = (
  description: string,
  properties: Readonly<Record<string, object>>,
  required: readonly string[] = [],
) =>
  ({
    type: ['object', 'null'],
    description,
    additionalProperties: {
      type: 'object',
      properties: { ...common, ...properties },
      required,
      additionalProperties: false,
    },
  }) as const;

/** What a goss file may hold. */
export const gossSchema = {
  $id: 'https://opsctl.dev/schemas/v1/goss.schema.json',
  title: 'Goss file, as check.goss reads it',
  type: 'object',
  description: 'Tests of a host. Wherever a value is expected, a matcher can stand.',
  properties: {
    addr: resources(
      'Addresses that can be connected to from the host.',
      {
        reachable: matcher('Whether a connection is accepted.'),
        address: text('Address, when the name is not it: `tcp://host:port`.'),
        'local-address': text('Address of the host to connect from.'),
        timeout,
      },
      ['reachable'],
    ),
    command: resources(
      'Commands that run on the host.',
      {
        'exit-status': matcher('How it ends.'),
        exec: text('The command, when the name is not it.'),
        stdout: matcher('Patterns of its standard output, or a matcher.'),
        stderr: matcher('Patterns of its standard error, or a matcher.'),
        timeout,
      },
      ['exit-status'],
    ),
    dns: resources(
      'Names that the host can resolve.',
      {
        resolvable: matcher('Whether it has an address or record.'),
        resolve: text('What to look up, when the name is not it: `host` or `TYPE:host`.'),
        addrs: matcher('Addresses or records that it has.'),
        server: text('Name server to ask, `host` or `host:port`.'),
        timeout,
      },
      ['resolvable'],
    ),
    file: resources(
      'Files, folders, sockets and links.',
      {
        exists: matcher('Whether it is there.'),
        path: text('Path, when the name is not it.'),
        mode: matcher('Permission bits as text of four octal digits: `"0644"`.'),
        size: matcher('Bytes.'),
        owner: matcher('User that owns it.'),
        uid: matcher('Number of that user.'),
        group: matcher('Group that owns it.'),
        gid: matcher('Number of that group.'),
        filetype: matcher('file, directory, symlink, socket, pipe, character-device or block-device.'),
        'linked-to': matcher('What a symbolic link holds.'),
        contents: matcher('Patterns of its contents, or a matcher.'),
        contains: matcher('Older name of `contents`.'),
        md5: matcher('MD5 of its contents.'),
        sha256: matcher('SHA-256 of its contents.'),
        sha512: matcher('SHA-512 of its contents.'),
      },
      ['exists'],
    ),
    gossfile: resources('Goss files to include, by name or pattern.', {
      file: text('Name or pattern, when the key is not it.'),
    }),
    group: resources(
      'Groups in /etc/group.',
      {
        exists: matcher('Whether it is there.'),
        groupname: text('Name, when the key is not it.'),
        gid: matcher('Its number.'),
      },
      ['exists'],
    ),
    http: resources(
      'Answers to requests that the host makes.',
      {
        status: matcher('Status of the answer.'),
        url: text('URL, when the name is not it.'),
        method: {
          enum: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'],
          description: 'Method of the request.',
        },
        'allow-insecure': truth('Take any certificate.'),
        'no-follow-redirects': truth('Judge a redirect itself.'),
        timeout,
        'request-headers': {
          type: 'array',
          items: { type: 'string', pattern: '^[^:\\s]+: ' },
          description: 'Headers to send, as `Name: value`.',
        },
        'request-body': { type: 'string', description: 'Body to send.' },
        headers: matcher('Patterns of the headers of the answer, or a matcher.'),
        body: matcher('Patterns of its body, or a matcher.'),
        username: { type: 'string', description: 'User for basic authentication.' },
        password: { type: 'string', description: 'Refused: no plain text secrets; see the README of check.goss.' },
        'ca-file': { type: 'string', description: 'Authorities to trust, a PEM file on the host.' },
        'cert-file': { type: 'string', description: 'Client certificate, a file on the host.' },
        'key-file': { type: 'string', description: 'Its private key, a file on the host.' },
        proxy: { type: 'string', description: 'Proxy to go through.' },
      },
      ['status'],
    ),
    interface: resources(
      'Network interfaces.',
      {
        exists: matcher('Whether it is there.'),
        name: text('Name, when the key is not it.'),
        addrs: matcher('Its addresses as `address/bits`.'),
        mtu: matcher('Largest packet in bytes.'),
      },
      ['exists'],
    ),
    'kernel-param': resources(
      'Parameters of the kernel (sysctl).',
      { value: matcher('Its value.'), name: text('Name, when the key is not it.') },
      ['value'],
    ),
    matching: resources(
      'Values of the goss file itself, for use with templates.',
      {
        content: { description: 'Any value.' },
        'as-reader': truth('Take text as the lines of a file.'),
        matches: matcher('What it should be.'),
      },
      ['content', 'matches'],
    ),
    mount: resources(
      'Mounts.',
      {
        exists: matcher('Whether something is mounted there.'),
        mountpoint: text('Path, when the key is not it.'),
        opts: matcher('Options of the mount.'),
        'vfs-opts': matcher('Options of its file system.'),
        source: matcher('What is mounted.'),
        filesystem: matcher('Type of the file system.'),
        usage: matcher('Used blocks in per cent.'),
        timeout,
      },
      ['exists'],
    ),
    package: resources(
      'Installed packages.',
      {
        installed: matcher('Whether it is installed.'),
        name: text('Name, when the key is not it.'),
        versions: matcher('Versions that are installed.'),
      },
      ['installed'],
    ),
    port: resources(
      'Ports that something listens on.',
      {
        listening: matcher('Whether something listens.'),
        port: { type: ['string', 'integer'], description: 'Port, when the key is not it: `tcp:22`, `udp6:53`.' },
        ip: matcher('Addresses that it listens on.'),
      },
      ['listening'],
    ),
    process: resources(
      'Processes by the name of their program.',
      { running: matcher('Whether one runs.'), comm: text('Name, when the key is not it.') },
      ['running'],
    ),
    service: resources('Services of systemd, OpenRC or System V.', {
      name: text('Name, when the key is not it.'),
      enabled: matcher('Whether it starts with the host.'),
      running: matcher('Whether it runs.'),
      runlevels: matcher('Run levels that it is in; not with systemd.'),
    }),
    user: resources(
      'Users in /etc/passwd.',
      {
        exists: matcher('Whether it is there.'),
        username: text('Name, when the key is not it.'),
        uid: matcher('Its number.'),
        gid: matcher('Number of its group.'),
        groups: matcher('Names of all its groups.'),
        home: matcher('Its home folder.'),
        shell: matcher('Its login shell.'),
      },
      ['exists'],
    ),
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export type ResourceType = Exclude<keyof typeof gossSchema.properties, 'gossfile'>;
