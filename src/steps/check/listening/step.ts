import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { metricOf } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type FoundIssue, UnreadableOutput } from '../../step.js';
import { readAddress } from '../address.js';
import { isAllowed, isReachable, readAllowed, type Socket, showSocket } from './allowed.js';

const params = {
  type: 'object',
  properties: {
    allow: {
      type: 'array',
      items: { type: ['string', 'integer'] },
      description:
        'Ports that may listen: `22`, `8000-8100`, `udp/53`; where they listen may stand before the port: `loopback:5432`, `any:443`, `10.0.0.5:9100`, `[::1]:631`.',
      examples: [[22, 'tcp/443', '8000-8100']],
    },
    protocols: {
      type: 'array',
      items: { enum: ['tcp', 'udp'] },
      minItems: 1,
      uniqueItems: true,
      default: ['tcp'],
      description: 'Protocols to look at.',
      examples: [['tcp', 'udp']],
    },
    loopback: {
      type: 'boolean',
      default: false,
      description: 'Look also at sockets that only the host itself reaches.',
    },
  },
  required: ['allow'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface ListeningData {
  readonly sockets: readonly Socket[];
}

export default defineHostStep<FromSchema<typeof params>, ListeningData>({
  kind: 'check.listening',
  summary: 'Nothing listens but the ports on an allow list',
  params,
  effect: 'read',
  validate: ({ allow }) =>
    allow.flatMap((text, index) =>
      String(text).includes('${{') || readAllowed(text)
        ? []
        : [
            {
              path: ['allow', index],
              what: `"${text}" is no port`,
              hint: 'write 22, tcp/443, 8000-8100 or loopback:5432',
            },
          ],
    ),
  probe: script('./probe.sh', import.meta.url),
  args: ({ protocols }) => [...protocols],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of sockets is cut off');
    const bigEndian = lines.some(([key, value]) => key === 'order' && value === 'big');
    const sockets = lines.flatMap(([key, value]): Socket[] => {
      if (key !== 'tcp' && key !== 'udp') return [];
      const [address = '', port = ''] = value.split(':');
      if (!/^[\dA-F]{4}$/i.test(port)) throw new UnreadableOutput(`not a socket: ${value.slice(0, 80)}`);
      return [{ protocol: key, address: readAddress(address, bigEndian), port: Number.parseInt(port, 16) }];
    });
    const unique = new Map(sockets.map((socket) => [showSocket(socket), socket]));
    return { sockets: [...unique.values()].toSorted((a, b) => a.port - b.port) };
  },
  judge({ sockets }, { allow, loopback }) {
    const allowed = allow.flatMap((text) => readAllowed(text) ?? []);
    const looked = sockets.filter((socket) => loopback || isReachable(socket));
    const unexpected = looked.filter((socket) => !allowed.some((entry) => isAllowed(socket, entry)));
    const metrics = [
      metricOf('listening', looked.length, 'count', { min: 0 }),
      metricOf('unexpected', unexpected.length, 'count', { min: 0 }),
    ];
    const findings: FoundIssue[] = unexpected.map((socket) => ({
      id: 'unexpected-port',
      severity: 'high',
      subject: showSocket(socket),
      detail: 'listens and is not on the allow list',
      remedy: `ss -lnp 'sport = :${socket.port}' tells which process it is; stop it, or put the port on the list`,
    }));
    if (unexpected.length === 0)
      return {
        outcome: 'ok',
        reason: 'ok',
        summary: `nothing listens but what may (${looked.length} sockets)`,
        metrics,
      };
    const names = unexpected.slice(0, 5).map(showSocket).join(', ');
    const rest = unexpected.length > 5 ? ` and ${unexpected.length - 5} more` : '';
    return {
      outcome: 'failed',
      reason: 'unexpected-port',
      summary: `should not listen: ${names}${rest}`,
      metrics,
      findings,
    };
  },
});
