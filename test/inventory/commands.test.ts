import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/command.js';
import { runGraph, runList, runShow } from '../../src/commands/inventory.js';
import { runWhy } from '../../src/commands/why.js';
import { fakeTerminal } from '../support/terminal.js';
import { type Folder, inventoryFolder } from './folder.js';

const own = `defaults: { user: ops }
groups:
  web:  { hosts: "web[1:2]", vars: { service: nginx } }
  db:   { hosts: [db1], connect: { jump: bastion, port: 22 } }
  prod: { groups: [web, db], vars: { role: any } }
hosts:
  db1: { address: 10.0.0.5, vars: { role: primary }, port: 2222 }
`;
const ansible = '[web]\nw1 api_token=hunter2 ansible_connection=winrm note="a\\\\x1b]0;x"\n';

describe('inventory commands', () => {
  let folder: Folder;
  beforeAll(() => {
    folder = inventoryFolder({ 'hosts.yaml': own, hosts: ansible, 'opsctl.yaml': 'inventory: hosts.yaml\n' });
  });
  afterAll(() => folder.remove());

  /** A context that keeps what was printed. */
  function contextOf(
    isTty = false,
  ): CommandContext & { readonly printed: { readonly out: string; readonly err: string } } {
    const terminal = fakeTerminal({ stdoutIsTty: isTty, stderrIsTty: isTty });
    return {
      printed: {
        get out() {
          return terminal.stdout();
        },
        get err() {
          return terminal.stderr();
        },
      },
      terminal,
      argv: [],
      program: [],
      cwd: folder.path,
      env: process.env,
      version: 'test',
      user: { name: 'test', uid: process.getuid?.(), home: undefined, pid: process.pid },
      removeVariable() {},
      finish() {},
      signal: new AbortController().signal,
    };
  }

  it('list prints one name a line for programs', async () => {
    const context = contextOf();

    await runList({ inventory: ['hosts.yaml'], hosts: 'prod,!web1' }, context);

    expect(context.printed.out).toBe('web2\ndb1\n');
  });

  it('list prints a table on a screen', async () => {
    const context = contextOf(true);

    await runList({ inventory: ['hosts.yaml'], hosts: 'db' }, context);

    expect(context.printed.out.replace(/ +$/gm, '')).toBe(
      'host  connect to         groups\ndb1   ops@10.0.0.5:2222  prod, db\n',
    );
  });

  it('list --json is the same hosts with everything', async () => {
    const context = contextOf();

    await runList({ inventory: ['hosts.yaml'], hosts: 'db1', json: true }, context);

    expect(JSON.parse(context.printed.out)).toEqual([
      {
        name: 'db1',
        groups: ['all', 'prod', 'db'],
        connect: { user: 'ops', jump: 'bastion', port: 2222, address: '10.0.0.5' },
        vars: { role: 'primary' },
      },
    ]);
  });

  it('takes the inventory of the project when none is named', async () => {
    const context = contextOf();

    await runList({}, context);

    expect(context.printed.out).toBe('web1\nweb2\ndb1\n');
  });

  it('graph prints the tree of the selected hosts', async () => {
    const context = contextOf();

    await runGraph({ inventory: ['hosts.yaml'], hosts: 'web1,db' }, context);

    expect(context.printed.out).toBe(
      'all (2 hosts)\n└─ prod (2 hosts)\n   ├─ web (1 host)\n   │  └─ web1\n   └─ db (1 host)\n      └─ db1\n',
    );
  });

  it('show prints values with the place that set them', async () => {
    const context = contextOf();

    await runShow('db1', { inventory: ['hosts.yaml'] }, context);

    expect(context.printed.out).toContain('groups: all, prod, db');
    expect(context.printed.out).toMatch(/port +2222 +host db1 {2}hosts\.yaml:7:60/);
    expect(context.printed.out).toMatch(/role +"primary" +host db1 {2}hosts\.yaml:7:43/);
  });

  it('hides what is secret by its name, escapes the rest, and warns on stderr', async () => {
    const context = contextOf();

    await runShow('w1', { inventory: ['hosts'] }, context);

    expect(context.printed.out).not.toContain('hunter2');
    expect(context.printed.out).toMatch(/api_token +"\*\*\*"/);
    expect(context.printed.err).toBe(
      'opsctl: warning: hosts:2: ansible_connection=winrm is not supported; the host is reached with ssh\n',
    );
  });

  it('why prints every place in order, and which one won', async () => {
    const context = contextOf();

    await runWhy({ inventory: ['hosts.yaml'], host: 'db1', name: 'role' }, context);

    expect(context.printed.out.replace(/ +$/gm, '')).toBe(
      [
        'vars.role of db1 is "primary"',
        '      place            set by      value',
        '      hosts.yaml:5:44  group prod  "any"',
        'wins  hosts.yaml:7:43  host db1    "primary"',
        '',
      ].join('\n'),
    );
  });

  it('why knows connection settings, also those that nothing sets', async () => {
    const set = contextOf();
    const unset = contextOf();

    await runWhy({ inventory: ['hosts.yaml'], host: 'db1', name: 'port', json: true }, set);
    await runWhy({ inventory: ['hosts.yaml'], host: 'web1', name: 'port' }, unset);

    expect(JSON.parse(set.printed.out)[0]).toMatchObject({
      name: 'connect.port',
      value: 2222,
      origins: [
        { value: 22, wins: false },
        { value: 2222, wins: true },
      ],
    });
    expect(unset.printed.out).toBe('port is not set for web1; ssh_config and the defaults decide\n');
  });

  it('why and show refuse what is not there', async () => {
    await expect(runWhy({ inventory: ['hosts.yaml'], host: 'db1', name: 'rloe' }, contextOf())).rejects.toThrow(
      '"db1" has no variable or setting "rloe"; did you mean "role"?',
    );
    await expect(runShow('bd1', { inventory: ['hosts.yaml'] }, contextOf())).rejects.toThrow(
      'no host is named "bd1"; did you mean "db1"?',
    );
  });
});
