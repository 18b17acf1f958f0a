import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import type { Host, Inventory } from '../../src/inventory/inventory.js';
import { loadInventory } from '../../src/inventory/load.js';
import { type Folder, inventoryFolder } from './folder.js';

const folders: Folder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function folderOf(files: Readonly<Record<string, string>>): Folder {
  const folder = inventoryFolder(files);
  folders.push(folder);
  return folder;
}

async function load(files: Readonly<Record<string, string>>): Promise<Inventory> {
  const [first = ''] = Object.keys(files);
  return folderOf(files).load(first);
}

function hostOf(inventory: Inventory, name: string): Host {
  const host = inventory.hosts.get(name);
  if (!host) throw new Error(`no host ${name}`);
  return host;
}

const own = `defaults: { user: ops, sudo: true }
groups:
  web:  { hosts: "web[01:20].example.com", vars: { service: nginx } }
  db:   { hosts: [db1, db2], connect: { jump: bastion } }
  prod: { groups: [web, db], vars: { stage: prod, role: any } }
hosts:
  db1: { address: 10.0.0.5, vars: { role: primary }, connect: { port: 2222 } }
`;

describe('an inventory of opsctl', () => {
  it('gives hosts, groups, variables and settings', async () => {
    const inventory = await load({ 'hosts.yaml': own });
    const db1 = hostOf(inventory, 'db1');

    expect(inventory.hosts.size).toBe(22);
    expect(db1.groups).toEqual(['all', 'prod', 'db']);
    expect(db1.vars).toEqual({ stage: 'prod', role: 'primary' });
    expect(db1.connect).toEqual({ user: 'ops', sudo: true, jump: 'bastion', address: '10.0.0.5', port: 2222 });
    expect(hostOf(inventory, 'web07.example.com').vars).toEqual({ stage: 'prod', role: 'any', service: 'nginx' });
    expect(inventory.groups.get('prod')).toEqual({ name: 'prod', hosts: [], groups: ['web', 'db'] });
  });

  it('is the same in JSON', async () => {
    const yaml = await load({ 'hosts.yaml': 'groups:\n  web: { hosts: [w1], vars: { a: 1 } }\n' });
    const json = await load({ 'hosts.json': '{"groups": {"web": {"hosts": ["w1"], "vars": {"a": 1}}}}' });

    expect(hostOf(json, 'w1').vars).toEqual(hostOf(yaml, 'w1').vars);
    expect(hostOf(json, 'w1').origins.get('vars.a')?.[0]?.place).toMatchObject({ line: 1, column: 52 });
  });

  it('knows every place that set a value, the winner last', async () => {
    const inventory = await load({ 'hosts.yaml': own });

    const origins = hostOf(inventory, 'db1').origins.get('vars.role') ?? [];

    expect(origins.map(({ source, value, place }) => [source, value, place.line, place.column])).toEqual([
      ['group prod', 'any', 5, 57],
      ['host db1', 'primary', 7, 43],
    ]);
  });

  it('fills in ${{ }} with what holds for each host', async () => {
    const inventory = await load({
      'hosts.yaml':
        'groups:\n  web: { hosts: "w[1:2]", vars: { url: "https://${{ host.name }}.${{ vars.domain }}", domain: a.example } }\nhosts:\n  w2: { vars: { domain: b.example } }\n',
    });

    expect(hostOf(inventory, 'w1').vars.url).toBe('https://w1.a.example');
    expect(hostOf(inventory, 'w2').vars.url).toBe('https://w2.b.example');
  });

  it('a spread copy of a host keeps its values', async () => {
    const inventory = await load({ 'hosts.yaml': own });

    const copy = { ...hostOf(inventory, 'db1') };

    expect(copy.vars).toEqual({ stage: 'prod', role: 'primary' });
    expect(JSON.parse(JSON.stringify(copy)).connect.port).toBe(2222);
  });

  it('tells all mistakes at once, in order', async () => {
    const problems = await problemsOf({ 'hosts.yaml': 'hosts:\n  a: { port: 0 }\n  "-b": {}\n  c: { usr: x }\n' });

    expect(problems).toEqual(['E_RANGE 2:14', 'E_HOSTNAME 3:3', 'E_KEY_UNKNOWN 4:8']);
  });
});

describe('big inventories', () => {
  it('a map of 50,000 hosts is read', { timeout: 120_000 }, async () => {
    const lines = Array.from({ length: 50_000 }, (_, at) => `  web${at}.example.com: {}\n`);

    const inventory = await load({ 'hosts.yaml': `hosts:\n${lines.join('')}` });

    expect(inventory.hosts.size).toBe(50_000);
  });

  it.each([
    ['downward', (at: number) => at + 1],
    ['upward', (at: number) => at - 1],
  ])('a chain of 20,000 groups %s is refused, and is no crash', { timeout: 120_000 }, async (_, next) => {
    const groups = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, at) => [
        `g${at}`,
        { hosts: ['h'], groups: next(at) >= 0 && next(at) < 20_000 ? [`g${next(at)}`] : [] },
      ]),
    );

    await expect(load({ 'hosts.json': JSON.stringify({ groups }) })).rejects.toThrow('is nested deeper than 64 levels');
  });

  it('a circle of 20,000 groups is named', { timeout: 120_000 }, async () => {
    const groups = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, at) => [`g${at}`, { hosts: ['h'], groups: [`g${(at + 1) % 20_000}`] }]),
    );

    await expect(load({ 'hosts.json': JSON.stringify({ groups }) })).rejects.toThrow(
      'groups contain each other: g0 → g1',
    );
  });
});

describe('sources', () => {
  it('none is this machine', async () => {
    const inventory = await loadInventory([], { cwd: '/', env: {} });

    expect([...inventory.hosts.keys()]).toEqual(['local']);
    expect(hostOf(inventory, 'local').connect).toEqual({ transport: 'local' });
  });

  it('may be of different kinds, the later one outranks', async () => {
    const folder = folderOf({
      'a.ini.hosts': '[web]\nw1 ansible_host=10.0.0.1 x=1\n',
      'b.yaml': 'hosts:\n  w1: { vars: { x: 2 }, user: ops }\n',
    });

    const w1 = hostOf(await folder.load('a.ini.hosts', 'b.yaml'), 'w1');

    expect(w1.vars).toEqual({ ansible_host: '10.0.0.1', x: 2 });
    expect(w1.connect).toEqual({ address: '10.0.0.1', user: 'ops' });
  });

  it('a list of hosts takes ranges and ports', async () => {
    const inventory = await folderOf({}).load('web[1:2],[::1]:2200,');

    expect([...inventory.hosts.keys()]).toEqual(['web1', 'web2', '::1']);
    expect(hostOf(inventory, '::1').connect).toEqual({ port: 2200 });
  });

  it('a group may contain one of a later source', async () => {
    const folder = folderOf({
      'a.yaml': 'groups:\n  prod: { groups: [web] }\n',
      'b.yaml': 'groups:\n  web: { hosts: w1 }\n',
    });

    expect(hostOf(await folder.load('a.yaml', 'b.yaml'), 'w1').groups).toEqual(['all', 'prod', 'web']);
    await expect(folder.load('a.yaml')).rejects.toThrow('E_INV_REF a.yaml:2:20 group "web" is not in the inventory');
  });

  it('a missing file is an error that names it', async () => {
    await expect(folderOf({ 'hosts.yaml': own }).load('host.yaml')).rejects.toThrow('did you mean `hosts.yaml`?');
  });

  it('a mistake in one file does not hide those in another', async () => {
    const folder = folderOf({ 'a.yaml': 'hosts: { a: { port: 0 } }\n', 'b.yaml': 'hosts: { "-b": {} }\n' });

    await expect(folder.load('a.yaml', 'b.yaml')).rejects.toThrow(/E_RANGE a\.yaml[\s\S]*E_HOSTNAME b\.yaml/);
  });
});

describe('settings in Ansible inventories', () => {
  it('become connection settings and stay variables', async () => {
    const inventory = await load({
      hosts:
        "[web]\nw1 ansible_host=10.0.0.1 ansible_port='2222' ansible_user=ops ansible_ssh_private_key_file=~/.ssh/k ansible_become=yes ansible_become_user=app\nw2 ansible_connection=local\n",
    });
    const w1 = hostOf(inventory, 'w1');

    expect(w1.connect).toEqual({
      address: '10.0.0.1',
      port: 2222,
      user: 'ops',
      identity: '~/.ssh/k',
      sudo: { user: 'app' },
    });
    expect(w1.vars.ansible_host).toBe('10.0.0.1');
    expect(hostOf(inventory, 'w2').connect).toEqual({ transport: 'local' });
  });

  it.each<[string, unknown]>([
    ['-o ProxyJump=ops@bastion:2222', 'ops@bastion:2222'],
    ['-oProxyJump=a,b', ['a', 'b']],
    ['-J a,b', ['a', 'b']],
    ['-o "ProxyCommand=ssh -W %h:%p -q ops@bastion"', 'ops@bastion'],
    ['-o ProxyCommand="ssh -p 2222 -W %h:%p bastion"', 'bastion:2222'],
  ])('ansible_ssh_common_args: %s is a jump', async (args, jump) => {
    const inventory = await load({
      'hosts.yml': `all:\n  hosts: { w1: { ansible_ssh_common_args: ${JSON.stringify(args)} } }\n`,
    });

    expect(hostOf(inventory, 'w1').connect.jump).toEqual(jump);
    expect(inventory.warnings).toEqual([]);
  });

  it('what ssh would do otherwise is told with its line', async () => {
    const inventory = await load({
      hosts: "[web]\nw1 ansible_ssh_common_args='-J b -o StrictHostKeyChecking=no -C'\nw2 ansible_connection=winrm\n",
    });

    expect(inventory.warnings).toEqual([
      'hosts:2: ssh options are not used: -o StrictHostKeyChecking=no -C; put them in ~/.ssh/config',
      'hosts:3: ansible_connection=winrm is not supported; the host is reached with ssh',
    ]);
  });

  it('origins point at the variable behind a setting', async () => {
    const inventory = await load({ hosts: 'w1\n', 'group_vars/all.yml': 'a: 1\nansible_user: ops\n' });

    const place = hostOf(inventory, 'w1').origins.get('connect.user')?.at(-1)?.place;

    expect(place).toMatchObject({ file: 'group_vars/all.yml', line: 2 });
  });

  it('text marked !unsafe is plain text', async () => {
    const inventory = await load({
      'hosts.yml': 'all:\n  hosts: { w1: { a: !unsafe "{{ b }}", c: [!unsafe "{% d %}"] } }\n',
    });

    expect(hostOf(inventory, 'w1').vars).toEqual({ a: '{{ b }}', c: ['{% d %}'] });
  });

  it('variables of groups that are not there are not read', async () => {
    const inventory = await load({ hosts: '[web]\nw1\n', 'group_vars/other.yml': '{{ broken' });

    expect([...inventory.hosts.keys()]).toEqual(['w1']);
  });
});

describe('inventory programs', () => {
  it('are not run when anybody may rewrite them', async () => {
    const folder = folderOf({ 'hosts.sh': '#!/bin/sh\necho "{}"; touch ran\n' });
    chmodSync(join(folder.path, 'hosts.sh'), 0o777);

    await expect(folder.load('hosts.sh')).rejects.toThrow('anybody may rewrite the inventory program');
  });

  it('get no standard input and no shell', async () => {
    const inventory = await load({
      'hosts.sh': '#!/bin/sh\nread line || echo \'{"web": ["w1"], "_meta": {"hostvars": {}}}\'\n',
    });

    expect([...inventory.hosts.keys()]).toEqual(['w1']);
  });

  it('are stopped by the signal of the command', async () => {
    const folder = folderOf({ 'hosts.sh': '#!/bin/sh\nexec sleep 60\n' });
    const signal = AbortSignal.timeout(200);

    const loading = loadInventory(['hosts.sh'], { cwd: folder.path, env: process.env, signal });

    await expect(loading).rejects.toThrow('the inventory program was stopped');
  });

  it('a data file that is executable by accident is data', async () => {
    const folder = folderOf({ hosts: '[web]\nw1\n' });
    chmodSync(join(folder.path, 'hosts'), 0o755);

    expect([...(await folder.load('hosts')).hosts.keys()]).toEqual(['w1']);
  });

  it('cannot reach a prototype', async () => {
    const program =
      '#!/bin/sh\necho \'{"web": {"hosts": ["w1"], "vars": {"a": {"__proto__": {"b": 1}}}}, "_meta": {"hostvars": {}}}\'\n';

    await expect(load({ 'hosts.sh': program })).rejects.toThrow('E_INV_PROGRAM');
  });
});

async function problemsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  try {
    await load(files);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ code, place }) => `${code} ${place?.line}:${place?.column}`);
  }
}
