import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, say, shells, withDefaults } from '../../../../test/support/probe.js';
import { readFound } from './found.js';
import kind from './step.js';

const given = { paths: ['/etc/site/*.pem'] };
const bundle = fixture('bundle.txt', import.meta.url);
const folder = fixture('folder.txt', import.meta.url);

describe('check.certificate', () => {
  it('reads every certificate of a bundle', () => {
    const { certificates } = readFound(outputOf(bundle));

    expect(certificates.map(({ subject, authority }) => [subject, authority])).toEqual([
      ['www.example.com', false],
      ['Example Root', true],
    ]);
    expect(certificates[0]).toMatchObject({ issuer: 'Example Root', notAfter: '2026-03-01T00:00:00.000Z' });
    expect(judgeOutput(kind, bundle, given)).toMatchObject({
      outcome: 'ok',
      summary: '2 certificates, www.example.com expires in 57.9 d first',
    });
  });

  it('names what has expired, expires soon, is not valid yet, or is not there', () => {
    const { outcome, reason, summary } = judgeOutput(kind, folder, given);

    expect({ outcome, reason }).toEqual({ outcome: 'failed', reason: 'file-absent' });
    expect(summary).toBe(
      '/etc/site/nope* does not exist; old.example.com in /etc/site/old.pem expired 3.13 d ago; soon.example.com in /etc/site/with key.pem expires in 4.87 d, at least 11.2 d; and 2 more',
    );
  });

  it('never carries a key', () => {
    expect(folder).not.toContain('PRIVATE');
  });

  it('reads a trusted certificate of OpenSSL', () => {
    const trusted = readFound(outputOf(folder)).certificates.find(({ file }) => file === '/etc/site/trusted.pem');

    expect(trusted?.subject).toBe('www.example.com');
  });

  it('takes limits in days', () => {
    expect(judgeOutput(kind, bundle, { ...given, warning: '60:', critical: '30d:' })).toMatchObject({
      outcome: 'warning',
      reason: 'below-warning',
    });
    expect(kind.validate?.(withDefaults(kind, { ...given, warning: '30' }))).toMatchObject([{ path: ['warning'] }]);
  });

  it('is unknown for a file without a certificate, and for one that cannot be read', () => {
    const empty = 'file /a.pem\nend\n';
    const broken = 'file /a.pem\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\nend\n';

    expect(judgeOutput(kind, empty, given)).toMatchObject({ outcome: 'unknown', reason: 'no-certificate' });
    expect(judgeOutput(kind, broken, given)).toMatchObject({ outcome: 'unknown', reason: 'certificate-unreadable' });
  });

  it('is unknown for a keystore that does not open, and where no program reads it', () => {
    const stores = 'file /a.p12\nlocked\nfile /b.jks\nlacks keytool\nend\n';

    expect(judgeOutput(kind, stores, given)).toMatchObject({
      outcome: 'unknown',
      reason: 'tool-missing',
      summary: '/b.jks needs keytool, which is not there; /a.p12 does not open without a password',
    });
    expect(judgeOutput(kind, stores, { ...given, password: 'x' }).summary).toContain('wrong password, or damaged');
  });

  it('reads keystores', () => {
    const { certificates, locked, empty } = readFound(outputOf(fixture('keystores.txt', import.meta.url)));

    expect(certificates.map(({ file, subject }) => `${file} ${subject}`)).toEqual(
      ['a.jceks', 'a.jks', 'a.p12', 'cert.der', 'none.p12', 'old.p12', 'trust.p12'].map(
        (file) => `/etc/site/${file} www.test`,
      ),
    );
    expect(locked).toEqual(['/etc/site/other.p12']);
    expect(empty).toEqual(['/etc/site/key.der']);
  });

  it('is unknown for a certificate without its end, whatever the others are', () => {
    const cut = bundle.replace(/-----END CERTIFICATE-----\nend\n$/, 'end\n');

    expect(cut).not.toBe(bundle);
    expect(judgeOutput(kind, cut, given)).toMatchObject({ outcome: 'unknown', reason: 'certificate-unreadable' });
  });

  it.each(Object.keys(shells))(
    'never takes a folder, a pipe or a dead link for good certificates, with %s',
    (shell) => {
      const root = mkdtempSync(join(tmpdir(), 'opsctl-certificate-'));
      try {
        say('mkfifo', join(root, 'pipe.pem'));
        symlinkSync('nowhere', join(root, 'gone.pem'));
        writeFileSync(join(root, 'whole.pem'), /-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/.exec(bundle)?.[0] ?? '');
        const judged = (...paths: string[]) => judgeOutput(kind, runProbe(kind, { paths }, shell), { paths });

        expect(judged(root)).toMatchObject({
          outcome: 'unknown',
          reason: 'no-file',
          summary: `${root} is no file; for all in a folder write ${root}/*`,
        });
        expect(judged(join(root, 'whole.pem'), join(root, 'pipe.pem'))).toMatchObject({ reason: 'no-file' });
        expect(judged(`${root}/*.pem`)).toMatchObject({
          outcome: 'failed',
          reason: 'file-absent',
          summary: `${root}/gone.pem does not exist`,
        });
      } finally {
        rmSync(root, { recursive: true });
      }
    },
  );

  it('does not take a cut-off answer for all', () => {
    expect(() => judgeOutput(kind, bundle.replace(/end\n$/, ''), given)).toThrow('cut off');
  });

  it.each(Object.keys(shells))('finds the files of a pattern with %s, and sends no key', (shell) => {
    const root = mkdtempSync(join(tmpdir(), 'opsctl certificate-'));
    try {
      const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n/.exec(bundle)?.[0] ?? '';
      writeFileSync(join(root, 'a b.pem'), `-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n${pem}`);
      mkdirSync(join(root, 'sub.pem'));
      const output = runProbe(kind, { paths: [`${root}/*.pem`, `${root}/none.crt`] }, shell);
      const data = readFound(output);

      expect(data.certificates.map(({ file, subject }) => [file, subject])).toEqual([
        [join(root, 'a b.pem'), 'www.example.com'],
      ]);
      expect(data.missing).toEqual([`${root}/none.crt`]);
      expect(String(output.stdout)).not.toContain('secret');
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
