import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../src/inventory/inventory.js';
import { checkIdentities } from '../../src/transports/target.js';
import { describeWith } from '../support/needs.js';
import { publicKey, type Sshd, type SshdUser, startSshd } from '../support/sshd.js';
import { refusal, runOnce, secret, targetOn } from './connect.js';

describeWith('login', ['sshd', 'ssh', 'root'], () => {
  let sshd: Sshd;
  let user: SshdUser;
  let agent: { readonly socket: string; readonly pid: number };

  beforeAll(async () => {
    sshd = await startSshd();
    const files = ['key-ed25519', 'key-rsa', 'key-ecdsa', 'key-locked', 'key-agent', 'key-open'];
    for (const file of files) {
      sshd.makeKey(
        file,
        file === 'key-rsa' ? 'rsa' : file === 'key-ecdsa' ? 'ecdsa' : 'ed25519',
        file === 'key-locked' ? 'open sesame' : '',
      );
    }
    user = sshd.addUser({
      password: 'correct horse',
      authorizedKeys: files.map((file) => publicKey(join(sshd.folder, file))),
    });
    const socket = join(sshd.folder, 'agent');
    const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    agent = { socket, pid: child.pid ?? 0 };
    for (let tries = 0; tries < 100; tries++) {
      try {
        execFileSync('ssh-add', ['-q', join(sshd.folder, 'key-agent')], {
          env: { ...process.env, SSH_AUTH_SOCK: socket },
          stdio: 'ignore',
        });
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  });
  afterAll(async () => {
    if (agent?.pid) process.kill(agent.pid);
    await sshd?.stop();
  });

  const key = (name: string) => join(sshd.folder, name);

  for (const transport of ['ssh', 'openssh'] as const) {
    describe(`over ${transport}`, () => {
      it.each(['key-ed25519', 'key-rsa', 'key-ecdsa'])('takes %s', async (name) => {
        const { out } = await runOnce(targetOn(sshd, user, { transport, identities: [key(name)] }), 'id -un');

        expect(out.trim()).toBe(user.name);
      });

      it('takes a key from the agent', async () => {
        const target = targetOn(sshd, user, { transport, identities: [], identitiesOnly: false, agent: agent.socket });

        expect((await runOnce(target, 'id -un')).out.trim()).toBe(user.name);
      });

      it('names the user and the methods when the login is refused', async () => {
        const error = await refusal(targetOn(sshd, user, { transport }));

        expect(error).toMatchObject({ reason: 'auth-failed', outcome: 'refused', transient: false });
        expect(error.message).toContain('publickey');
      });

      it('does not use a private key that others can read', async () => {
        copyFileSync(key('key-ed25519'), key(`key-open-${transport}`));
        chmodSync(key(`key-open-${transport}`), 0o644);

        const error = await refusal(targetOn(sshd, user, { transport, identities: [key(`key-open-${transport}`)] }));

        expect(error).toMatchObject({ reason: 'key-permissions', outcome: 'refused' });
      });
    });
  }

  it('opens a locked key with its passphrase', async () => {
    const target = targetOn(sshd, user, { identities: [key('key-locked')], passphrase: secret('open sesame') });

    expect((await runOnce(target, 'id -un')).out.trim()).toBe(user.name);
  });

  it('asks for a passphrase by name when a locked key has none', async () => {
    const error = await refusal(targetOn(sshd, user, { identities: [key('key-locked')] }));

    expect(error).toMatchObject({ reason: 'key-encrypted', outcome: 'refused' });
    expect(error.hint).toContain('ssh-add');
  });

  it('tells a wrong passphrase from a missing one', async () => {
    const error = await refusal(targetOn(sshd, user, { identities: [key('key-locked')], passphrase: secret('no') }));

    expect(error.reason).toBe('key-encrypted');
    expect(error.message).toContain('does not open');
  });

  it('takes the public half for what it is', async () => {
    const error = await refusal(targetOn(sshd, user, { identities: [`${key('key-ed25519')}.pub`] }));

    expect(error).toMatchObject({ reason: 'key-unreadable', outcome: 'refused' });
    expect(error.hint).toContain('private half');
  });

  it('points to openssh for hardware keys and certificates', async () => {
    writeFileSync(key('key-sk'), 'sk-ssh-ed25519@openssh.com AAAAGnNr hardware\n', { mode: 0o600 });

    const error = await refusal(targetOn(sshd, user, { identities: [key('key-sk')] }));

    expect(error).toMatchObject({ reason: 'key-certificate', hint: 'set transport: openssh' });
  });

  it('says when a key file is missing', async () => {
    const error = await refusal(targetOn(sshd, user, { identities: [key('nothing-here')] }));

    expect(error).toMatchObject({ reason: 'key-unreadable', outcome: 'refused' });
  });

  it('passes over usual keys that are of no use', async () => {
    const target = targetOn(sshd, user, {
      identities: [key('nothing-here'), key('key-locked'), key('key-ed25519')],
      identitiesOptional: true,
    });

    expect((await runOnce(target, 'id -un')).out.trim()).toBe(user.name);
  });

  it('offers only the named key when the agent holds others', async () => {
    const target = targetOn(sshd, user, { identities: [sshd.identity], agent: agent.socket });

    const error = await refusal(target);

    expect(error.message).not.toContain('1 key');
  });

  it('goes on without an agent that is gone', async () => {
    const target = targetOn(sshd, user, {
      identities: [key('key-ed25519')],
      identitiesOnly: false,
      agent: key('no-agent'),
    });

    expect((await runOnce(target, 'id -un')).out.trim()).toBe(user.name);
  });

  it('says that the agent is gone when there is nothing else', async () => {
    const error = await refusal(
      targetOn(sshd, user, { identities: [], identitiesOnly: false, agent: key('no-agent') }),
    );

    expect(error).toMatchObject({ reason: 'agent-unavailable', outcome: 'refused' });
  });

  it('logs in with a password', async () => {
    const target = targetOn(sshd, user, { identities: [], password: secret('correct horse') });

    expect((await runOnce(target, 'id -un')).out.trim()).toBe(user.name);
  });

  it('refuses a wrong password without telling it', async () => {
    const error = await refusal(targetOn(sshd, user, { identities: [], password: secret('tr0ub4dor') }));

    expect(error).toMatchObject({ reason: 'auth-failed', outcome: 'refused' });
    expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain('tr0ub4dor');
  });

  it('says that openssh cannot use passwords', async () => {
    const error = await refusal(targetOn(sshd, user, { transport: 'openssh', password: secret('correct horse') }));

    expect(error).toMatchObject({ reason: 'auth-failed', outcome: 'refused' });
    expect(error.message).toContain('password');
  });

  it('logs in with a certificate over openssh, and ssh says that it cannot', async () => {
    const authority = sshd.makeKey('user-ca');
    const certified = sshd.makeKey('key-certified');
    const guest = sshd.addUser({ authorizedKeys: [`cert-authority ${publicKey(authority)}`] });
    execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'test', '-n', guest.name, `${certified}.pub`]);

    const { out } = await runOnce(targetOn(sshd, guest, { transport: 'openssh', identities: [certified] }), 'id -un');
    const error = await refusal(targetOn(sshd, guest, { identities: [certified] }));

    expect(out.trim()).toBe(guest.name);
    expect(error.reason).toBe('auth-failed');
    expect(error.hint).toContain('transport: openssh');
  });

  it('finds every unusable key before any host is contacted', async () => {
    copyFileSync(key('key-ed25519'), key('key-wide'));
    chmodSync(key('key-wide'), 0o640);
    const identities = ['key-wide', 'key-locked', 'key-ed25519.pub', 'key-sk', 'nothing-here', 'key-rsa'].map(key);

    const place = { file: 'hosts.yaml', line: 3 };
    const origins = new Map([['connect.identity', [{ place, source: 'host web1', value: identities }]]]);
    const host: Host = { name: 'web1', groups: ['all'], vars: {}, connect: {}, origins };
    const errors = await checkIdentities([targetOn(sshd, user, { identities })], () => host);

    expect(errors.map(({ exit, problems }) => [problems[0]?.code, exit])).toEqual([
      ['E_KEY_PERMS', 5],
      ['E_KEY_ENCRYPTED', 5],
      ['E_KEY_PUBLIC', 2],
      ['E_KEY_CERT', 2],
      ['E_KEY_UNREADABLE', 2],
    ]);
    expect(errors.every(({ problems }) => problems[0]?.place === place)).toBe(true);
    expect(readFileSync(key('key-wide'), 'utf8')).toContain('PRIVATE KEY');
  });
});
