import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { isLoopback, isWildcard, readAddress, sameAddress } from '../address.js';

const params = {
  type: 'object',
  properties: {
    port: { type: 'integer', minimum: 1, maximum: 65535, description: 'Port number.', examples: [443] },
    protocol: { enum: ['tcp', 'udp'], default: 'tcp', description: 'Protocol.' },
    state: {
      enum: ['listening', 'free'],
      default: 'listening',
      description: 'Whether something should listen, or nothing.',
    },
    address: {
      type: 'string',
      minLength: 1,
      description:
        'Where it should listen: `any` (a wildcard address, reachable from outside), `loopback` (nothing but loopback), or one address (a wildcard counts). Not looked at when absent.',
      examples: ['any', 'loopback', '10.0.0.5'],
    },
  },
  required: ['port'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface PortData {
  /** Addresses that something listens on, `0.0.0.0` and `::` for all. */
  readonly addresses: readonly string[];
}

export default defineHostStep<FromSchema<typeof params>, PortData>({
  kind: 'check.port',
  summary: 'Something on the host listens on a port, and on which addresses',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: ({ protocol, port }) => [protocol, port.toString(16).toUpperCase().padStart(4, '0')],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const bigEndian = lines.some(([key, value]) => key === 'order' && value === 'big');
    const sockets = lines.filter(([key]) => key === 'socket').map(([, value]) => readAddress(value, bigEndian));
    return { addresses: [...new Set(sockets)] };
  },
  judge({ addresses }, { port, protocol, state, address }) {
    const subject = `${protocol} port ${port}`;
    const seen = addresses.map((found) => (isWildcard(found) ? `${found} (any)` : found)).join(', ');
    if (state === 'free')
      return addresses.length === 0
        ? { outcome: 'ok', reason: 'ok', summary: `nothing listens on ${subject}` }
        : { outcome: 'failed', reason: 'port-in-use', summary: `${subject} is in use on ${seen}, should be free` };
    if (addresses.length === 0)
      return { outcome: 'failed', reason: 'port-closed', summary: `nothing listens on ${subject}` };
    const right =
      address === undefined ||
      (address === 'any'
        ? addresses.some(isWildcard)
        : address === 'loopback'
          ? addresses.every(isLoopback)
          : addresses.some((found) => isWildcard(found) || sameAddress(found, address)));
    return right
      ? { outcome: 'ok', reason: 'ok', summary: `${subject} listens on ${seen}` }
      : {
          outcome: 'failed',
          reason: 'wrong-address',
          summary: `${subject} listens on ${seen}, should listen on ${address === 'loopback' ? 'loopback only' : address}`,
        };
  },
});
