import { X509Certificate } from 'node:crypto';
import { expectSuccess } from '../../lines.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';
import { type Certificate, keyTypeOf } from '../certificate.js';

export interface FoundCertificate extends Certificate {
  readonly file: string;
  /** It may sign others. */
  readonly authority: boolean;
  readonly selfSigned: boolean;
}

export interface CertificateData {
  readonly certificates: readonly FoundCertificate[];
  /** Files without a certificate. */
  readonly empty: readonly string[];
  /** Keystores that do not open: the password is wrong or absent, or the file is damaged. */
  readonly locked: readonly string[];
  /** Files that the host has no program for. */
  readonly lacking: readonly { readonly file: string; readonly tool: string }[];
  /** Patterns that nothing matched, and links that lead nowhere. */
  readonly missing: readonly string[];
  /** Patterns that only folders and the like matched. */
  readonly folders: readonly string[];
  /** Certificates that cannot be read, as `file: why`. */
  readonly broken: readonly string[];
}

const block = /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----([\s\S]*?)-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

export function readFound(output: ProbeOutput): CertificateData {
  expectSuccess(output);
  const said = text(output.stdout);
  if (!/^end\n$/m.test(said)) throw new UnreadableOutput('the certificates are cut off');
  const named = (word: string) => [...said.matchAll(new RegExp(`^${word} (.+)$`, 'gm'))].map((match) => match[1] ?? '');
  const parts = said.split(/^file (.+)$/m);
  const certificates: FoundCertificate[] = [];
  const empty: string[] = [];
  const broken: string[] = [];
  const locked: string[] = [];
  const lacking: { file: string; tool: string }[] = [];
  for (let index = 1; index < parts.length; index += 2) {
    const [file = '', body = ''] = parts.slice(index);
    const blocks = [...body.matchAll(block)];
    const tool = /^lacks (\S+)$/m.exec(body)?.[1];
    if (tool !== undefined) lacking.push({ file, tool });
    else if (/^locked$/m.test(body)) locked.push(file);
    else if (blocks.length === 0) empty.push(file);
    // One that has no end is none that was judged.
    if ((body.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g) ?? []).length > blocks.length) broken.push(file);
    for (const [, label, content = ''] of blocks) {
      try {
        certificates.push(readOne(file, label === 'TRUSTED ', content));
      } catch {
        broken.push(file);
      }
    }
  }
  return { certificates, empty, locked, lacking, missing: named('missing'), folders: named('folder'), broken };
}

function readOne(file: string, trusted: boolean, body: string): FoundCertificate {
  const der = Buffer.from(body.replace(/\s+/g, ''), 'base64');
  const x509 = new X509Certificate(trusted ? der.subarray(0, derLength(der)) : der);
  const names = (x509.subjectAltName ?? '')
    .split(', ')
    .filter(Boolean)
    .map((name) => name.replace(/^(?:DNS|IP Address):/, ''));
  const named = (lines: string) => /^CN=(.+)$/m.exec(lines)?.[1] ?? /^O=(.+)$/m.exec(lines)?.[1];
  return {
    file,
    subject: named(x509.subject ?? '') ?? names[0] ?? '(no name)',
    issuer: named(x509.issuer ?? '') ?? '(no name)',
    names,
    notBefore: new Date(x509.validFrom).toISOString(),
    notAfter: new Date(x509.validTo).toISOString(),
    serial: x509.serialNumber,
    fingerprint: x509.fingerprint256,
    keyType: keyTypeOf(x509),
    authority: x509.ca,
    selfSigned: x509.subject === x509.issuer,
  };
}

/** A "trusted certificate" of OpenSSL is a certificate and then what it is trusted for. */
function derLength(der: Buffer): number {
  const short = der[1] ?? 0;
  if (short < 0x80) return 2 + short;
  const bytes = short & 0x7f;
  return 2 + bytes + der.readUIntBE(2, bytes);
}
