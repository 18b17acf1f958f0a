import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { isWildcard, readAddress, sameAddress } from '../address.js';
import { judgeIssues, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    family: { enum: ['ipv4', 'ipv6'], default: 'ipv4', description: 'Which default route.' },
    state: { enum: ['present', 'absent'], default: 'present', description: 'Whether there should be one.' },
    gateway: {
      type: 'string',
      pattern: '^[0-9A-Fa-f.:]+$',
      description: 'Address that it should lead over.',
      examples: ['10.0.0.1', 'fe80::1'],
    },
    interface: { type: 'string', minLength: 1, description: 'Interface that it should lead over.', examples: ['eth0'] },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

interface Route {
  readonly interface: string;
  /** Null where the interface itself leads to the other end. */
  readonly gateway: string | null;
  readonly metric: number;
}

export interface RouteData {
  /** Default routes, the one that is used first. */
  readonly routes: readonly Route[];
}

const up = 0x1;
const reject = 0x200;

export default defineHostStep<FromSchema<typeof params>, RouteData>({
  kind: 'check.route',
  summary: 'The default route: gateway and interface',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: ({ family }) => [family === 'ipv6' ? '6' : '4'],
  parse(output, { family }) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of routes is cut off');
    const bigEndian = lines.some(([key, value]) => key === 'order' && value === 'big');
    const routes = lines
      .filter(([key]) => key === 'route')
      .flatMap(([, value]) => {
        const [name, gateway, flags, metric] = value.split(' ');
        const bits = Number.parseInt(flags ?? '', 16);
        // The metric of IPv6 is hexadecimal, that of IPv4 is not.
        const rank = Number.parseInt(metric ?? '', family === 'ipv6' ? 16 : 10);
        if (!name || !gateway || Number.isNaN(bits) || Number.isNaN(rank))
          throw new UnreadableOutput(`not a route: ${value.slice(0, 200)}`);
        // The kernel has a route for "unreachable" on the loopback.
        if ((bits & up) === 0 || (bits & reject) !== 0) return [];
        // IPv6 is written in network order on every machine.
        const address = readAddress(gateway, bigEndian || family === 'ipv6');
        return [{ interface: name, gateway: isWildcard(address) ? null : address, metric: rank }];
      });
    return { routes: routes.toSorted((a, b) => a.metric - b.metric) };
  },
  judge({ routes }, given) {
    const [first] = routes;
    const name = `default route (${given.family})`;
    if (!first)
      return given.state === 'absent'
        ? { outcome: 'ok', reason: 'ok', summary: `there is no ${name}` }
        : { outcome: 'failed', reason: 'no-default-route', summary: `there is no ${name}` };
    const said = `leads over ${first.gateway ? `${first.gateway} on ` : ''}${first.interface}`;
    if (given.state === 'absent')
      return { outcome: 'failed', reason: 'route-present', summary: `${name} ${said}, should not be there` };
    const issues = [
      ...(given.gateway !== undefined && (first.gateway === null || !sameAddress(first.gateway, given.gateway))
        ? [wrong('wrong-gateway', `${said}, should lead over ${given.gateway}`)]
        : []),
      ...(given.interface !== undefined && given.interface !== first.interface
        ? [wrong('wrong-interface', `${said}, should lead over ${given.interface}`)]
        : []),
    ];
    const others = routes.length > 1 ? `, before ${routes.length - 1} more` : '';
    return judgeIssues(issues.slice(0, 1), { subject: name, calm: `${said}${others}` });
  },
});
