import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep } from '../../step.js';
import { deadlineParam } from '../deadline.js';
import { judgePeer } from '../peer.js';
import { handshake, type TlsData } from './handshake.js';

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
    warning: {
      ...rangeSchema(
        'Warn when the time left is outside this range; a number is days. A third of the lifetime of the certificate when absent.',
      ),
      examples: ['30d:', '30:'],
    },
    critical: {
      ...rangeSchema(
        'Fail when the time left is outside this range; a number is days. A sixth of the lifetime of the certificate when absent.',
      ),
      examples: ['14d:', '14:'],
    },
    'min-protocol': {
      enum: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
      default: 'TLSv1.2',
      description: 'Fail when the best protocol that the server offers is older.',
    },
    ca: {
      type: 'string',
      minLength: 1,
      description: 'PEM file on this machine with authorities to trust besides the public ones.',
      examples: ['/etc/ssl/certs/ca-certificates.crt'],
    },
    deadline: deadlineParam,
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export default defineControllerStep<Params, TlsData>({
  kind: 'check.tls',
  summary: 'Certificate, chain, name and protocol of a TLS server',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) =>
    rangeProblems(given, {
      warning: { unit: 'seconds', bare: 'd', lower: true },
      critical: { unit: 'seconds', bare: 'd', lower: true },
    }),
  async call({ address, port, servername, ca, deadline }, { host, signal, dial }) {
    const target = address ?? host.address;
    return await handshake(
      {
        address: target,
        port,
        servername: servername ?? address ?? host.name,
        ca,
        seconds: parseDuration(deadline),
        dial,
      },
      signal,
    );
  },
  judge(data, given, { now }) {
    const subject = `${data.servername}:${data.port}`;
    if (data.failure) {
      const { reason, detail, proven } = data.failure;
      return { outcome: proven ? 'failed' : 'unknown', reason, summary: `${subject}: ${detail}` };
    }
    const { outcome, reason, text, metrics } = judgePeer(data, { ...given, minProtocol: given['min-protocol'] }, now);
    return {
      outcome,
      reason,
      summary: `${subject} ${text}`,
      metrics: [...metrics, metricOf('handshake', data.seconds, 'seconds', { min: 0 })],
    };
  },
});
