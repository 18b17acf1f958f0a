import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UserError } from '../errors.js';
import type { ConnectSettings, Host } from '../inventory/inventory.js';
import { SshConfig } from './ssh-config.js';
import { parseAddress, resolveTarget, type TargetContext } from './target.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'opsctl-home-'));
  mkdirSync(join(home, '.ssh'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const host = (name: string, connect: ConnectSettings = {}): Host => ({
  name,
  groups: ['all'],
  vars: {},
  connect,
  origins: new Map(),
});

/** With an own ssh_config; `PATH` empty means that there is no OpenSSH and the package has to answer. */
function context(config = '', change: Partial<TargetContext> & { path?: string } = {}): TargetContext {
  const userFile = join(home, '.ssh/config');
  writeFileSync(userFile, config);
  const env = { HOME: home, PATH: change.path ?? process.env.PATH, SSH_AUTH_SOCK: '/run/agent' };
  return {
    env,
    cwd: home,
    secret: ({ secret }) => ({ name: secret, reveal: (use) => use('value') }),
    sshConfig: new SshConfig({ env, userFile }),
    ...change,
  };
}

const problem = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (caught: UserError) => caught,
  );
  return error?.message ?? 'no error';
};

it('fills the gaps with defaults', async () => {
  writeFileSync(join(home, '.ssh/id_ed25519'), '');

  const target = await resolveTarget(host('web1'), context());

  expect(target).toMatchObject({
    name: 'web1',
    transport: 'ssh',
    address: 'web1',
    port: 22,
    identities: [join(home, '.ssh/id_ed25519')],
    identitiesOnly: false,
    identitiesOptional: true,
    agent: '/run/agent',
    jump: [],
    trust: 'strict',
    deadlines: { connect: 5_000 },
  });
  expect(target.knownHosts[0]).toBe(join(home, '.ssh/known_hosts'));
});

it('lets the inventory win over ssh_config', async () => {
  const connect = { address: 'real.lan', user: 'ops', port: 2200, identity: 'keys/one', host_key: 'SHA256:x' };

  const target = await resolveTarget(host('web1', connect), context('Host *\n  User other\n  Port 1\n'));

  expect(target).toMatchObject({
    address: 'real.lan',
    user: 'ops',
    port: 2200,
    hostKey: 'SHA256:x',
    identities: [join(home, 'keys/one')],
    identitiesOnly: true,
  });
});

describe.each([
  ['ssh -G', undefined],
  ['the ssh-config package', ''],
])('ssh_config through %s', (_what, path) => {
  const from = (config: string, change: Partial<TargetContext> = {}) =>
    context(config, { ...change, ...(path === undefined ? {} : { path }) });

  it('reads a block for the host', async () => {
    const config =
      'Host web*\n  HostName %h.lan\n  User deploy\n  Port 2222\n  IdentityFile ~/.ssh/deploy\n  IdentitiesOnly yes\n';

    expect(await resolveTarget(host('web1'), from(config))).toMatchObject({
      address: 'web1.lan',
      user: 'deploy',
      port: 2222,
      identities: [join(home, '.ssh/deploy')],
      identitiesOnly: true,
    });
  });

  it('leaves other hosts alone', async () => {
    const target = await resolveTarget(host('db1'), from('Host web*\n  Port 2222\n'));

    expect(target).toMatchObject({ address: 'db1', port: 22 });
  });

  it('reads settings for all hosts', async () => {
    const shared = from('Host *\n  User everyone\n');

    const [one, two] = await Promise.all([resolveTarget(host('a'), shared), resolveTarget(host('b'), shared)]);

    expect([one.address, one.user, two.address, two.user]).toEqual(['a', 'everyone', 'b', 'everyone']);
  });

  it('follows Include', async () => {
    mkdirSync(join(home, '.ssh/conf.d'));
    writeFileSync(join(home, '.ssh/conf.d/one.conf'), 'Host web1\n  Port 2022\n');

    const target = await resolveTarget(host('web1'), from(`Include ${home}/.ssh/conf.d/*.conf\n`));

    expect(target.port).toBe(2022);
  });

  it('goes through ProxyJump', async () => {
    const target = await resolveTarget(host('web1'), from('Host web1\n  ProxyJump ops@gate:2222,inner\n'));

    expect(target.jump.map(({ address, port, user }) => [address, port, user])).toEqual([
      ['gate', 2222, 'ops'],
      ['inner', 22, expect.any(String)],
    ]);
  });

  it('refuses a ProxyCommand, which only openssh can run', async () => {
    const message = await problem(resolveTarget(host('web1'), from('Host web1\n  ProxyCommand nc %h %p\n')));

    expect(message).toContain('E_PROXY_COMMAND');
    expect(message).toContain('transport: openssh');
  });
});

it('starts no process for hosts that no block is about', async () => {
  const config = new SshConfig({ env: { HOME: home, PATH: join(home, 'no-ssh-here') } });
  writeFileSync(join(home, '.ssh/config'), 'Host *\n  SendEnv LANG\n');

  expect((await config.lookup('web1')).size).toBe(0);
});

it('takes jump hosts from the inventory first, with their own', async () => {
  const inventory: Record<string, Host> = {
    gate: host('gate', { address: '10.0.0.1', user: 'jumper' }),
    inner: host('inner', { address: '10.0.0.2', jump: 'gate' }),
  };

  const target = await resolveTarget(host('web1', { jump: 'inner' }), context('', { host: (name) => inventory[name] }));

  expect(target.jump.map(({ name, address }) => [name, address])).toEqual([
    ['gate', '10.0.0.1'],
    ['inner', '10.0.0.2'],
  ]);
});

it('refuses jump hosts that go round in a circle', async () => {
  const inventory: Record<string, Host> = { a: host('a', { jump: 'b' }), b: host('b', { jump: 'a' }) };

  expect(
    await problem(resolveTarget(inventory.a ?? host('a'), context('', { host: (name) => inventory[name] }))),
  ).toContain('a → b → a');
});

it.each([
  [{ address: '-oProxyCommand=x' }, 'E_HOSTNAME'],
  [{ user: '-l' }, 'E_USERNAME'],
  [{ user: 'root\n' }, 'E_USERNAME'],
  [{ deadlines: { conect: '5s' } }, 'E_KEY_UNKNOWN'],
])('refuses %j', async (connect, code) => {
  expect(await problem(resolveTarget(host('web1', connect), context()))).toContain(code);
});

it('reads deadlines', async () => {
  const target = await resolveTarget(host('web1', { deadlines: { connect: '1500ms', login: '1m' } }), context());

  expect(target.deadlines).toMatchObject({ connect: 1_500, login: 60_000, banner: 10_000 });
});

it('resolves secrets by their reference', async () => {
  const target = await resolveTarget(host('web1', { password: { secret: 'env:PW' } }), context());

  expect(target.password?.name).toBe('env:PW');
});

it('puts the known_hosts of the project first', async () => {
  const target = await resolveTarget(host('web1'), context('', { knownHosts: ['/project/known_hosts'] }));

  expect(target.knownHosts[0]).toBe('/project/known_hosts');
});

it.each([
  ['web1', 'web1', undefined, undefined],
  ['ops@web1:2222', 'web1', 2222, 'ops'],
  ['[::1]:2222', '::1', 2222, undefined],
  ['fe80::1', 'fe80::1', undefined, undefined],
])('reads the address %s', (text, address, port, user) => {
  const { connect } = parseAddress(text);

  expect([connect.address, connect.port, connect.user]).toEqual([address, port, user]);
});

it('refuses an address without a host or with a bad port', async () => {
  expect(() => parseAddress('ops@')).toThrow('E_HOSTNAME');
  expect(() => parseAddress('web1:70000')).toThrow('E_HOSTNAME');
});
