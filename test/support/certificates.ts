import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificate {
  /** Paths of PEM files. The certificate is its own authority. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
  remove(): void;
}

/** A certificate for www.test, web1 and 127.0.0.1 that lasts this many days. Needs openssl. */
export function makeCertificate(days = 90): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-certificate-'));
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const request = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=www.test'.split(' ');
  const names = ['-addext', 'subjectAltName=DNS:www.test,DNS:web1,IP:127.0.0.1'];
  const files = ['-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', ...request, ...names, '-days', String(days), ...files], { stdio: 'ignore' });
  return {
    certFile,
    keyFile,
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The same certificate until the 99th month of a year. Its signature is wrong, too; its key still fits. */
export function withBrokenDate(cert: Buffer): string {
  const der = Buffer.from(new X509Certificate(cert).raw);
  const time = Buffer.from([0x17, 0x0d]);
  der.write('99', der.indexOf(time, der.indexOf(time) + 2) + 4, 'latin1');
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}
