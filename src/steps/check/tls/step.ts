import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import type { Metric } from '../../../result/result.schema.js';
import { missingPattern, patternProblems, patternsSchema } from '../../patterns.js';
import { metricOf, rangeProblems } from '../../range.js';
import type { TextOrSecret } from '../../secret-param.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import { type Certificate, timeLeftParams } from '../certificate.js';
import { clientCertificateParams, clientCertificateProblems, readClientCertificate } from '../client-certificate.js';
import { deadlineParam } from '../deadline.js';
import { shownText } from '../dialogue.js';
import { caParam, endpointOf } from '../endpoint.js';
import { judgePeer } from '../peer.js';
import { everyHandshake, type Handshake, handshake } from './handshake.js';

const params = {
  type: 'object',
  properties: {
    address: {
      type: 'string',
      minLength: 1,
      description: 'Name or address to connect to. The address of the host when absent.',
      examples: ['www.example.com'],
    },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 443, description: 'TCP port.' },
    servername: {
      type: 'string',
      minLength: 1,
      description:
        'Name that the certificate must be for, also sent as SNI. `address`, or the name of the host, when absent.',
      examples: ['www.example.com'],
    },
    ...timeLeftParams,
    'min-protocol': {
      enum: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
      default: 'TLSv1.2',
      description: 'Fail when the best protocol that the server offers is older.',
    },
    names: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description:
        'Further names that the certificate must be for, each; `*.example.com` when it has to name all of them.',
      examples: [['example.com', 'api.example.com']],
    },
    issuer: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in the name of the issuer.'),
      examples: ['^(R|E)\\d+$'],
    },
    'key-type': {
      ...patternsSchema(
        'Regular expressions (RE2) that must all occur in the type of the key, such as `rsa 2048`, `ec prime256v1`, `ed25519`.',
      ),
      examples: ['^(ec|rsa (3072|4096))'],
    },
    'every-address': {
      type: 'boolean',
      default: false,
      description: 'Look at each address that the name has, and fail when one of them is not as it should be.',
    },
    ca: caParam,
    ...clientCertificateParams,
    deadline: deadlineParam,
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'key'> & { readonly key?: TextOrSecret };

export interface TlsData {
  readonly servername: string;
  readonly port: number;
  /** One, or one for each address of the name. */
  readonly servers: readonly Handshake[];
}

export default defineControllerStep<Params, TlsData>({
  kind: 'check.tls',
  summary: 'Certificate, chain, name and protocol of a TLS server',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, {
      warning: { unit: 'seconds', bare: 'd', lower: true },
      critical: { unit: 'seconds', bare: 'd', lower: true },
    }),
    ...patternProblems(given, ['issuer', 'key-type']),
    ...clientCertificateProblems(given),
  ],
  async call(given, { host, signal, dial }) {
    const { port, ca } = given;
    const every = given['every-address'];
    if (dial && every)
      throw new Error('what addresses a name has on the host is not known here: leave every-address away');
    const target = {
      ...endpointOf(given, host),
      port,
      ca,
      identity: await readClientCertificate(given),
      seconds: parseDuration(given.deadline),
      dial,
    };
    const servers = every ? await everyHandshake(target, signal) : [await handshake(target, signal)];
    return { servername: target.servername, port, servers };
  },
  judge({ servername, port, servers }, given, { now }) {
    const judged = servers.map((server) => ({ server, ...judgeServer(server, given, now) }));
    const worst = worstOf(judged);
    if (!worst) return { outcome: 'unknown', reason: 'no-address', summary: `${servername}:${port} has no address` };
    const { outcome, reason, text, metrics, server } = worst;
    const certificates = new Set(servers.map(({ chain }) => chain[0]?.fingerprint)).size;
    const all = `${servers.length} addresses${certificates > 1 ? `, ${certificates} certificates` : ''}`;
    const place = servers.length === 1 ? '' : outcome === 'ok' ? ` (${all})` : ` at ${server.address}`;
    const slowest = Math.max(...servers.map(({ seconds }) => seconds));
    return {
      outcome,
      reason,
      summary: `${servername}:${port}${place}${server.failure ? ':' : ''} ${text}`,
      metrics: server.failure ? [] : [...metrics, metricOf('handshake', slowest, 'seconds', { min: 0 })],
    };
  },
});

type Judged = Pick<Judgement, 'outcome' | 'reason'> & { readonly text: string; readonly metrics: readonly Metric[] };

function judgeServer(server: Handshake, given: Params, now: Date): Judged {
  if (server.failure) {
    const { reason, detail, proven } = server.failure;
    return { outcome: proven ? 'failed' : 'unknown', reason, text: detail, metrics: [] };
  }
  const judged = judgePeer(server, { ...given, minProtocol: given['min-protocol'] }, now);
  const [own] = server.chain;
  if (judged.outcome === 'failed' || judged.outcome === 'unknown' || !own) return judged;
  const failed = (reason: string, text: string): Judged => ({ ...judged, outcome: 'failed', reason, text });

  const name = given.names?.find((one) => !isFor(own, one));
  if (name !== undefined) return failed('wrong-name', `the certificate is not for ${name}`);
  const issuer = missingPattern(given.issuer, own.issuer);
  if (issuer !== undefined)
    return failed('wrong-issuer', `the certificate is from ${shownText(own.issuer)}, which does not match /${issuer}/`);
  const key = missingPattern(given['key-type'], own.keyType);
  if (key !== undefined) return failed('wrong-key', `the key is ${own.keyType}, which does not match /${key}/`);
  return judged;
}

/** A name with `*` is asked for as it stands in the certificate. */
function isFor({ names, subject }: Certificate, wanted: string): boolean {
  const name = wanted.toLowerCase();
  const own = names.length > 0 ? names : [subject];
  return own.some((one) => {
    const pattern = one.toLowerCase();
    return pattern === name || (pattern.startsWith('*.') && pattern.slice(1) === name.replace(/^[^.*]+/, ''));
  });
}

/** Of several that are alike, the one with the least time left. */
function worstOf<T extends Judged>(judged: readonly T[]): T | undefined {
  const ranks: readonly Judgement['outcome'][] = ['failed', 'unknown', 'warning', 'ok'];
  const left = ({ metrics }: T) => metrics[0]?.value ?? 0;
  return judged.toSorted((a, b) => ranks.indexOf(a.outcome) - ranks.indexOf(b.outcome) || left(a) - left(b))[0];
}
