import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/command.js';
import { runTrustAdd, runTrustList, runTrustScan } from '../../src/commands/trust.js';
import type { UserError } from '../../src/errors.js';
import { describeWith } from '../support/needs.js';
import { type Sshd, startSshd } from '../support/sshd.js';

describeWith('opsctl trust', ['sshd', 'ssh', 'root'], () => {
  let sshd: Sshd;
  let host: string;
  let folder: string;
  let texts: { out: string; err: string; code: number };

  beforeAll(async () => {
    sshd = await startSshd({ hostKeys: ['ed25519', 'rsa'] });
    host = `127.0.0.1:${sshd.port}`;
  });
  afterAll(async () => sshd?.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-trust-'));
    texts = { out: '', err: '', code: 0 };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Without a terminal, in a folder and home of its own. */
  const context = (): CommandContext =>
    ({
      terminal: {
        stdinIsTty: false,
        stdoutIsTty: false,
        stderrIsTty: false,
        out: async (text: string) => {
          texts.out += text;
        },
        err: async (text: string) => {
          texts.err += text;
        },
      },
      cwd: folder,
      env: { HOME: folder, PATH: process.env.PATH },
      user: { name: 'test', uid: process.getuid?.(), home: folder },
      finish: (code: number) => {
        texts.code = code;
      },
      signal: new AbortController().signal,
    }) as unknown as CommandContext;

  const scannedFingerprint = async (): Promise<string> => {
    await runTrustScan([host], { inventory: [] }, context());
    const fingerprint = /ssh-ed25519 \S+ (SHA256:\S+)/.exec(texts.out)?.[1] ?? '';
    texts.out = '';
    return fingerprint;
  };
  const failure = async (promise: Promise<void>): Promise<UserError> =>
    promise.then(
      () => {
        throw new Error('it worked');
      },
      (error: UserError) => error,
    );

  it('scans hosts into sorted known_hosts lines', async () => {
    await runTrustScan([`127.0.0.2:${sshd.port}`, host], {}, context());

    const lines = texts.out.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      `[127.0.0.1]:${sshd.port} ssh-ed25519`,
      `[127.0.0.1]:${sshd.port} ssh-rsa`,
      `[127.0.0.2]:${sshd.port} ssh-ed25519`,
      `[127.0.0.2]:${sshd.port} ssh-rsa`,
    ]);
    expect(texts.code).toBe(0);
  });

  it('takes hosts from the inventory of the project', async () => {
    writeFileSync(join(folder, 'opsctl.yaml'), 'inventory: hosts.yaml\nknown_hosts: trusted\n');
    writeFileSync(join(folder, 'hosts.yaml'), `hosts:\n  web1: { address: 127.0.0.9, port: ${sshd.port} }\n`);

    await runTrustScan(['web1'], {}, context());

    expect(texts.out).toContain(`[127.0.0.9]:${sshd.port} ssh-ed25519`);
  });

  it('takes hosts from the inventory that is named, in place of that of the project', async () => {
    writeFileSync(join(folder, 'opsctl.yaml'), 'inventory: none.yaml\nknown_hosts: trusted\n');
    writeFileSync(join(folder, 'hosts.yaml'), `hosts:\n  web1: { address: 127.0.0.9, port: ${sshd.port} }\n`);
    const fingerprint = await scannedFingerprint();

    await runTrustAdd('web1', { inventory: ['hosts.yaml'], fingerprint }, context());
    await runTrustScan(['web1'], { inventory: ['hosts.yaml'] }, context());

    expect(texts.out).toContain(`[127.0.0.9]:${sshd.port} ssh-ed25519`);
    expect(readFileSync(join(folder, 'trusted'), 'utf8')).toContain(`[127.0.0.9]:${sshd.port} ssh-ed25519`);
  });

  it('goes on after a host that cannot be reached, and ends with 4', async () => {
    await runTrustScan(['127.0.0.1:1', host], {}, context());

    expect(texts.err).toContain('E_CONNECT_REFUSED');
    expect(texts.out).toContain('ssh-ed25519');
    expect(texts.code).toBe(4);
  });

  it('adds nothing without a terminal and without a fingerprint', async () => {
    const error = await failure(runTrustAdd(host, {}, context()));

    expect(error.exit).toBe(5);
    expect(error.problems[0]?.code).toBe('E_NO_TTY');
  });

  it('adds the key with the fingerprint, once', async () => {
    const fingerprint = await scannedFingerprint();

    await runTrustAdd(host, { file: 'known_hosts', fingerprint }, context());
    await runTrustAdd(host, { file: 'known_hosts', fingerprint }, context());

    expect(readFileSync(join(folder, 'known_hosts'), 'utf8')).toBe(`[127.0.0.1]:${sshd.port} ${sshd.hostKeys[0]}\n`);
    expect(texts.out).toContain('is already trusted');
  });

  it('adds to your own known_hosts when no project has one', async () => {
    await runTrustAdd(host, { fingerprint: await scannedFingerprint() }, context());

    expect(readFileSync(join(folder, '.ssh/known_hosts'), 'utf8')).toContain('ssh-ed25519');
  });

  it('refuses a fingerprint that the host does not have', async () => {
    const error = await failure(runTrustAdd(host, { fingerprint: `SHA256:${'A'.repeat(43)}` }, context()));

    expect(error.exit).toBe(5);
    expect(error.problems[0]?.code).toBe('E_TRUST_MISMATCH');
  });

  it('refuses what is no fingerprint before it contacts anyone', async () => {
    const error = await failure(runTrustAdd('nowhere.invalid', { fingerprint: 'MD5:aa' }, context()));

    expect(error.exit).toBe(2);
  });

  it('does not add beside another key of the same type, nor a revoked one', async () => {
    const fingerprint = await scannedFingerprint();
    const other = readFileSync(`${sshd.makeKey('stranger')}.pub`, 'utf8').trim();
    writeFileSync(join(folder, 'other'), `[127.0.0.1]:${sshd.port} ${other}\n`);
    writeFileSync(join(folder, 'revoked'), `@revoked * ${sshd.hostKeys[0]}\n`);

    const mismatch = await failure(runTrustAdd(host, { file: 'other', fingerprint }, context()));
    const revoked = await failure(runTrustAdd(host, { file: 'revoked', fingerprint }, context()));

    expect(mismatch.message).toContain('other:1');
    expect(revoked.problems[0]?.code).toBe('E_TRUST_REVOKED');
  });

  it('lists keys with their place, and warns about broken lines', async () => {
    writeFileSync(join(folder, 'known_hosts'), `${sshd.hostKeyLine}\nbroken\n`);

    await runTrustList({ file: ['known_hosts'] }, context());

    expect(texts.out).toMatch(/known_hosts:1 {2}ssh-ed25519 {2}SHA256:\S+ {2}127\.\*/);
    expect(texts.err).toContain('known_hosts:3');
  });
});
