import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import kind from '../../src/steps/check/certificate/step.js';
import { makeCertificate, type TestCertificate } from '../support/certificates.js';
import { describeWith } from '../support/needs.js';
import { judgeOutput, runProbe, shells } from '../support/probe.js';

describeWith('keystores of check.certificate', ['openssl', 'keytool', 'dash', 'bash', 'busybox'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl keystores-'));
  const file = (name: string) => join(folder, name);
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let certificate: TestCertificate;

  beforeAll(() => {
    certificate = makeCertificate();
    const { certFile, keyFile } = certificate;
    const pkcs12 = (name: string, password: string, ...more: readonly string[]) =>
      run('openssl', 'pkcs12', '-export', '-in', certFile, '-passout', `pass:${password}`, '-out', file(name), ...more);
    const withKey = ['-inkey', keyFile, '-name', 'site'];
    pkcs12('a.p12', 'hunter2', ...withKey);
    pkcs12('other.p12', 'other-one', ...withKey);
    pkcs12('old.p12', 'hunter2', '-legacy', ...withKey);
    pkcs12('none.p12', '', '-nokeys', '-keypbe', 'NONE', '-certpbe', 'NONE', '-nomac');
    run('openssl', 'x509', '-in', certFile, '-outform', 'der', '-out', file('cert.der'));
    for (const form of ['pem', 'der'])
      run('openssl', 'crl2pkcs7', '-nocrl', '-certfile', certFile, '-outform', form, '-out', file(`chain-${form}.p7b`));
    run('openssl', 'pkcs8', '-topk8', '-nocrypt', '-in', keyFile, '-outform', 'der', '-out', file('key.der'));
    const from = ['-srckeystore', file('a.p12'), '-srcstorepass', 'hunter2', '-deststorepass', 'hunter2'];
    for (const type of ['JKS', 'JCEKS'])
      run(
        'keytool',
        '-importkeystore',
        ...from,
        '-destkeystore',
        file(`a.${type.toLowerCase()}`),
        '-deststoretype',
        type,
      );
    const trust = ['-keystore', file('trust.p12'), '-storetype', 'PKCS12', '-storepass', 'hunter2'];
    run('keytool', '-importcert', '-noprompt', '-alias', 'site', '-file', certFile, ...trust);
  });

  afterAll(() => {
    certificate.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const chains = ['chain-der.p7b', 'chain-pem.p7b'];
  const all = { paths: [`${folder}/*`] };
  const found = (given: object, shell?: string) => kind.parse(runProbe(kind, given, shell), {} as never);
  const names = (files: readonly string[]) => files.map((path) => path.slice(folder.length + 1));

  it.each(Object.keys(shells))('opens what the password opens with %s, and sends no key', (shell) => {
    const output = runProbe(kind, { ...all, password: 'hunter2' }, shell);
    const data = kind.parse(output, {} as never);

    expect(data.certificates.map((one) => `${names([one.file])} ${one.subject}`)).toEqual(
      ['a.jceks', 'a.jks', 'a.p12', 'cert.der', ...chains, 'none.p12', 'old.p12', 'trust.p12'].map(
        (name) => `${name} www.test`,
      ),
    );
    expect(names(data.locked)).toEqual(['other.p12']);
    expect(names(data.empty)).toEqual(['key.der']);
    expect(String(output.stdout)).not.toMatch(/PRIVATE|ENCRYPTED|hunter2/);
    expect(String(output.stderr)).toBe('');
  });

  it('lists a Java keystore without its password, and opens no PKCS #12 with a key', () => {
    expect(names(found(all).certificates.map((one) => one.file))).toEqual([
      'a.jceks',
      'a.jks',
      'cert.der',
      ...chains,
      'none.p12',
    ]);
    expect(names(found(all).locked)).toEqual(['a.p12', 'old.p12', 'other.p12', 'trust.p12']);
    const opened = judgeOutput(kind, runProbe(kind, { paths: [file('a.jks')], password: 'hunter3' }), {
      paths: ['/a'],
      password: 'hunter3',
    });
    expect(opened).toMatchObject({ outcome: 'unknown', reason: 'keystore-locked' });
  });

  it('gives the password to no process as an argument', () => {
    const seen = file('seen');
    const bin = file('bin');
    mkdirSync(bin);
    for (const tool of ['openssl', 'keytool']) {
      const real = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
      writeFileSync(
        join(bin, tool),
        `#!/bin/sh\nprintf '%s\\n' "$0 $*" >>'${seen}'\nenv >>'${seen}'\nexec ${real} "$@"\n`,
      );
      chmodSync(join(bin, tool), 0o755);
    }
    const path = process.env.PATH;
    try {
      process.env.PATH = `${bin}:${path}`;
      expect(found({ paths: [file('a.*')], password: 'hunter2' }).certificates).toHaveLength(3);
    } finally {
      process.env.PATH = path;
    }
    const told = execFileSync('cat', [seen], { encoding: 'utf8' });
    expect(told).toMatch(/openssl pkcs12/);
    expect(told).toMatch(/keytool .*-list/);
    expect(told).not.toContain('hunter2');
    rmSync(bin, { recursive: true });
    rmSync(seen);
  });

  it('says which program it lacks', () => {
    const bin = mkdtempSync(join(tmpdir(), 'opsctl-bin-'));
    for (const tool of ['sed', 'od', 'tr']) symlinkSync(`/usr/bin/${tool}`, join(bin, tool));
    try {
      const script = ['-c', kind.probe.text, 'sh', 'hunter2', file('a.p12'), file('cert.der')];
      const output = execFileSync('/bin/dash', script, { env: { PATH: bin, LC_ALL: 'C' } });

      expect(kind.parse({ stdout: output, stderr: Buffer.alloc(0), exitStatus: 0 }, {} as never).lacking).toEqual([
        { file: file('a.p12'), tool: 'openssl' },
        { file: file('cert.der'), tool: 'openssl' },
      ]);
    } finally {
      rmSync(bin, { recursive: true });
    }
  });
});
