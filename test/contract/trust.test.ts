import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOpensshTransport } from '../../src/transports/openssh.js';
import { createSshTransport } from '../../src/transports/ssh.js';
import type { Target } from '../../src/transports/transport.js';
import { describeWith } from '../support/needs.js';
import { publicKey, type Sshd, type SshdUser, startSshd } from '../support/sshd.js';
import { factories, never, refusal, runOnce, targetOn } from './connect.js';

describeWith('host trust', ['sshd', 'ssh', 'root'], () => {
  let sshd: Sshd;
  let user: SshdUser;
  let name: string;
  let other: string;
  let files = 0;

  beforeAll(async () => {
    sshd = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'], log: true });
    user = sshd.addUser();
    name = `[127.0.0.1]:${sshd.port}`;
    other = publicKey(sshd.makeKey('other'));
  });
  afterAll(async () => sshd?.stop());

  const knownHosts = (...lines: string[]): string => {
    const path = join(sshd.folder, `trust-${files++}`);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    return path;
  };
  const hashed = (...lines: string[]): string => {
    const path = knownHosts(...lines);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'ignore' });
    return path;
  };
  const fingerprint = (line: string) => {
    const [, hash = ''] = execFileSync('ssh-keygen', ['-lf', '-'], { input: `${line}\n`, encoding: 'utf8' }).split(' ');
    return hash;
  };

  for (const transport of ['ssh', 'openssh'] as const) {
    describe(`over ${transport}`, () => {
      const target = (change: Partial<Target>) => targetOn(sshd, user, { transport, ...change });
      const letsIn = async (change: Partial<Target>) => {
        const { out } = await runOnce(target(change), 'echo in');
        expect(out).toBe('in\n');
      };

      it('lets a known key in', async () => letsIn({ knownHosts: [knownHosts(`${name} ${sshd.hostKeys[0]}`)] }));

      it.each([0, 1, 2])('lets the host in when only key %i of three is known', async (index) =>
        letsIn({ knownHosts: [knownHosts(`${name} ${sshd.hostKeys[index]}`)] }),
      );

      it('lets a hashed name in', async () => letsIn({ knownHosts: [hashed(`${name} ${sshd.hostKeys[0]}`)] }));

      it('reads later files, CRLF, comments and patterns', async () =>
        letsIn({
          knownHosts: [
            join(sshd.folder, 'absent'),
            knownHosts('# comment', `unrelated ${other}`, ''),
            knownHosts(`!10.*,[127.0.0.?]:* ${sshd.hostKeys[0]} comment\r`),
          ],
        }));

      it('refuses an unknown host', async () => {
        const error = await refusal(target({ knownHosts: [knownHosts(`unrelated ${sshd.hostKeys[0]}`)] }));

        expect(error).toMatchObject({ reason: 'host-key-unknown', outcome: 'refused', transient: false });
        expect(error.message).toContain('SHA256:');
        expect(error.hint).toContain('opsctl trust add');
      });

      it('refuses the key that is known for another port', async () => {
        const error = await refusal(target({ knownHosts: [knownHosts(`[127.0.0.1]:1 ${sshd.hostKeys[0]}`)] }));

        expect(error.reason).toBe('host-key-unknown');
      });

      it('refuses a name that a pattern excludes', async () => {
        const error = await refusal(
          target({ knownHosts: [knownHosts(`![127.0.0.1]:${sshd.port},[127.*]:* ${sshd.hostKeys[0]}`)] }),
        );

        expect(error.reason).toBe('host-key-unknown');
      });

      it('refuses a changed key and tells where the old one is', async () => {
        const file = knownHosts('# one', `${name} ${other}`);

        const error = await refusal(target({ knownHosts: [file] }));

        expect(error).toMatchObject({ reason: 'host-key-mismatch', outcome: 'refused' });
        expect(error.message).toContain(`${file}:2`);
        expect(error.message).toContain('not retried');
      });

      it('refuses a revoked key even where it is also trusted', async () => {
        const key = sshd.hostKeys[0];
        const error = await refusal(
          target({ knownHosts: [knownHosts(`${name} ${key}`), knownHosts(`@revoked * ${key}`)] }),
        );

        expect(error).toMatchObject({ reason: 'host-key-revoked', outcome: 'refused' });
      });

      it('lets a pinned key in that no file knows', async () =>
        letsIn({ knownHosts: [], hostKey: sshd.hostKeys[0] ?? '' }));

      it.each([0, 1])('lets the pinned fingerprint of key %i in', async (index) =>
        letsIn({ knownHosts: [], hostKey: fingerprint(sshd.hostKeys[index] ?? '') }),
      );

      it('refuses a key that is known but not the pinned one', async () => {
        const error = await refusal(target({ hostKey: fingerprint(other) }));

        expect(error).toMatchObject({ reason: 'host-key-mismatch', outcome: 'refused' });
      });

      it('writes a new key down when told to, and knows it from then on', async () => {
        const file = join(sshd.folder, `new-${transport}`, 'known_hosts');
        if (transport === 'openssh') execFileSync('mkdir', ['-p', join(file, '..')]);

        await letsIn({ knownHosts: [file], trust: 'accept-new' });
        await letsIn({ knownHosts: [file] });

        expect(existsSync(file)).toBe(true);
      });

      it('does not let a changed key in when told to accept new ones', async () => {
        const error = await refusal(target({ knownHosts: [knownHosts(`${name} ${other}`)], trust: 'accept-new' }));

        expect(error.reason).toBe('host-key-mismatch');
      });

      it('tells what was verified', async () => {
        const used = factories[transport]();
        const connection = await used.open(target({}), never);
        await connection.close();
        await used.dispose();

        expect(connection.hostKeys).toEqual([expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/)]);
        expect(sshd.hostKeys.map(fingerprint)).toContain(connection.hostKeys[0]);
      });
    });
  }

  it('shows expected and actual fingerprint of a changed key', async () => {
    const error = await refusal(targetOn(sshd, user, { knownHosts: [knownHosts(`${name} ${other}`)] }));

    expect(error.message).toContain(`expected ${fingerprint(other)}, got ${fingerprint(sshd.hostKeys[0] ?? '')}`);
  });

  it('never asks to add a host that a certificate authority vouches for', async () => {
    const file = knownHosts(`@cert-authority * ${other}`);

    const error = await refusal(targetOn(sshd, user, { knownHosts: [file] }));

    expect(error).toMatchObject({ reason: 'host-key-certificate', hint: 'set transport: openssh' });
  });

  it('trusts a certificate authority over openssh', async () => {
    const authority = sshd.makeKey('host-ca');
    const certified = await startSshd({ config: [`HostCertificate ${join(sshd.folder, 'certified-cert.pub')}`] });
    try {
      const hostKey = join(certified.folder, 'host_ed25519.pub');
      writeFileSync(join(sshd.folder, 'certified.pub'), readFileSync(hostKey));
      execFileSync('ssh-keygen', [
        '-q',
        '-s',
        authority,
        '-h',
        '-I',
        'host',
        '-n',
        '127.0.0.1',
        join(sshd.folder, 'certified.pub'),
      ]);
      const guest = certified.addUser();
      const file = knownHosts(`@cert-authority * ${publicKey(authority)}`);

      const target = targetOn(certified, guest, { transport: 'openssh', knownHosts: [file] });

      expect((await runOnce(target, 'echo in')).out).toBe('in\n');
    } finally {
      await certified.stop();
    }
  });

  it('finds a key among many hashed lines without trying each of them first', async () => {
    const many = Array.from({ length: 200 }, (_, index) => `host${index} ${other}`);
    const file = hashed(...many, `${name} ${sshd.hostKeys[2]}`);

    const { out } = await runOnce(targetOn(sshd, user, { knownHosts: [file] }), 'echo in');

    expect(out).toBe('in\n');
  });

  it('keeps the first key of a run, whatever the files say later', async () => {
    const file = knownHosts();
    const transport = createSshTransport();
    try {
      await (await transport.open(targetOn(sshd, user, { hostKey: sshd.hostKeys[0] ?? '' }), never)).close();

      const error = await refusal(
        targetOn(sshd, user, { hostKey: sshd.hostKeys[1] ?? '', knownHosts: [file] }),
        transport,
      );

      expect(error.reason).toBe('host-key-mismatch');
      expect(error.message).toContain('changed during this run');
    } finally {
      await transport.dispose();
    }
  });

  it('reports the keys that it wrote down', async () => {
    const file = join(sshd.folder, 'reported');
    writeFileSync(file, 'no line end');
    const transport = createSshTransport();
    const targets = [1, 2, 3].map((index) =>
      targetOn(sshd, user, {
        name: `h${index}`,
        address: sshd.addressOf(index),
        knownHosts: [file],
        trust: 'accept-new',
      }),
    );
    await Promise.all(targets.map(async (target) => (await transport.open(target, never)).close()));
    await transport.dispose();

    expect(transport.addedHostKeys.map(({ host }) => host).sort()).toEqual(['h1', 'h2', 'h3']);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(5);
    expect(
      execFileSync('ssh-keygen', ['-F', `[${sshd.addressOf(2)}]:${sshd.port}`, '-f', file], { encoding: 'utf8' }),
    ).toContain('ssh-ed25519');
  });

  it('reports the key that openssh wrote down, once', async () => {
    const file = join(sshd.folder, 'reported-openssh');
    const transport = createOpensshTransport();
    const target = targetOn(sshd, user, { transport: 'openssh', knownHosts: [file], trust: 'accept-new' });
    await (await transport.open(target, never)).close();
    await (await transport.open(target, never)).close();
    await transport.dispose();

    expect(transport.addedHostKeys).toEqual([
      { host: 'host1', fingerprint: fingerprint(sshd.hostKeys[0] ?? ''), file },
    ]);
  });

  it('warns about lines that it cannot use', async () => {
    const file = knownHosts('broken', `${name} ${sshd.hostKeys[0]}`);
    const transport = createSshTransport();
    await (await transport.open(targetOn(sshd, user, { knownHosts: [file] }), never)).close();
    await transport.dispose();

    expect(transport.warnings).toEqual([`${file}:1: the key is missing; the line is not used`]);
  });

  it('sends no login before the key is accepted', async () => {
    const before = sshd.log().length;
    await refusal(targetOn(sshd, user, { knownHosts: [] }));

    expect(sshd.log().slice(before)).not.toContain('userauth');
  });

  it('scans all key types and trusts none', async () => {
    const transport = createSshTransport();
    const keys = await transport.scan(targetOn(sshd, user, { knownHosts: [], identities: [] }), never);
    await transport.dispose();

    expect(keys.map(({ type, key }) => `${type} ${key}`)).toEqual([...sshd.hostKeys].sort());
  });
});
