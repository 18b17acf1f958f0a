import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Secret } from '../../secrets/secret.js';
import { textOrSecret } from '../secret-param.js';
import type { StepProblem } from '../step.js';

/** Parameters of a kind that shows a certificate to the server. */
export const clientCertificateParams = {
  certificate: {
    type: 'string',
    minLength: 1,
    description: 'PEM file on this machine with the certificate that we show to the server, and its intermediates.',
    examples: ['certs/monitor.pem'],
  },
  key: {
    ...textOrSecret(
      'Its key: a PEM file on this machine, or a secret that holds the PEM. In `certificate` when absent.',
    ),
    examples: ['certs/monitor.key', { secret: 'exec:pass show monitor-key' }],
  },
} as const;

export interface ClientCertificateGiven {
  readonly certificate?: string | undefined;
  readonly key?: string | number | boolean | Secret | undefined;
}

/** What node's TLS takes. */
export interface ClientCertificate {
  readonly cert: Buffer;
  readonly key: string | Buffer;
}

/** @throws Error naming the file that cannot be used; never what is in it. */
export async function readClientCertificate(given: ClientCertificateGiven): Promise<ClientCertificate | undefined> {
  const { certificate } = given;
  if (certificate === undefined) return undefined;
  const cert = await readPem(certificate);
  const key =
    given.key instanceof Secret
      ? given.key.reveal((plain) => plain)
      : given.key === undefined
        ? cert
        : await readPem(String(given.key));
  const fault = faultOf(cert, key);
  if (fault !== undefined) throw new Error(`the client certificate ${certificate} cannot be used: ${fault}`);
  return { cert, key };
}

function faultOf(cert: Buffer, key: string | Buffer): string | undefined {
  const [, label] = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----/.exec(String(key)) ?? [];
  if (label === undefined) return 'there is no private key in PEM';
  if (label === 'ENCRYPTED ' || String(key).includes('Proc-Type: 4,ENCRYPTED')) return 'the key has a passphrase';
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    if (code.endsWith('_MISMATCH')) return 'the key is not the one of the certificate';
    if (code.endsWith('NO_START_LINE')) return 'there is no certificate in PEM';
    return `it is not readable (${code})`;
  }
}

async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new Error(`${path} cannot be read (${code})`);
  }
}

/** For a kind's `validate`. */
export function clientCertificateProblems({ certificate, key }: ClientCertificateGiven): StepProblem[] {
  if (key === undefined || certificate !== undefined) return [];
  return [{ path: ['key'], what: 'a key without its certificate', hint: 'add certificate' }];
}
