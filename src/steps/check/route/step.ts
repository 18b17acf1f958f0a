import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { canonicalAddress, isWildcard, readAddress, sameAddress } from '../address.js';
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
  /** Packets that take it are dropped. */
  readonly refuses: boolean;
  /** The interface has no link: its cable is gone, or what it stands on is down. */
  readonly isLinkDown: boolean;
}

export interface RouteData {
  /** Default routes, the one that is used first. */
  readonly routes: readonly Route[];
}

const up = 0x1;
const reject = 0x200;
const last = 0xffff_ffff;
const isDown = / (?:down|lowerlayerdown)$/;

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
    const main = lines.find(([key]) => key === 'main');
    const inMain = main && new Set(readMain(main[1]).map(wayText));
    const down = new Set(
      lines.filter(([key, said]) => key === 'link' && isDown.test(said)).map(([, said]) => said.split(' ')[0]),
    );
    const routes = lines
      .filter(([key]) => key === 'route')
      .flatMap(([, value]): Route[] => {
        const [name, gateway, flags, metric] = value.split(' ');
        const bits = Number.parseInt(flags ?? '', 16);
        // The metric of IPv6 is hexadecimal, that of IPv4 is not.
        const rank = Number.parseInt(metric ?? '', family === 'ipv6' ? 16 : 10);
        if (!name || !gateway || Number.isNaN(bits) || Number.isNaN(rank))
          throw new UnreadableOutput(`not a route: ${value.slice(0, 200)}`);
        if ((bits & up) === 0) return [];
        // IPv6 is written in network order on every machine.
        const address = readAddress(gateway, bigEndian || family === 'ipv6');
        const route = { interface: name, gateway: isWildcard(address) ? null : address, metric: rank };
        if (inMain && !inMain.has(wayText(route))) return [];
        // The kernel has an "unreachable" of its own behind all others. A "blackhole" for IPv4 has no interface.
        const refuses = (bits & reject) !== 0 || name === '*';
        return refuses && rank === last ? [] : [{ ...route, refuses, isLinkDown: down.has(name) }];
      });
    // Another table may have the same.
    const unique = new Map<string, Route>();
    for (const route of routes) if (!unique.has(wayText(route))) unique.set(wayText(route), route);
    return { routes: [...unique.values()].toSorted((a, b) => a.metric - b.metric) };
  },
  judge({ routes }, given) {
    const [first] = routes;
    const name = `default route (${given.family})`;
    if (!first || first.refuses) {
      const none = first ? `the ${name} refuses every packet (unreachable, blackhole)` : `there is no ${name}`;
      return given.state === 'absent'
        ? { outcome: 'ok', reason: 'ok', summary: none }
        : { outcome: 'failed', reason: 'no-default-route', summary: none };
    }
    const said = `leads over ${first.gateway ? `${first.gateway} on ` : ''}${first.interface}`;
    if (given.state === 'absent')
      return { outcome: 'failed', reason: 'route-present', summary: `${name} ${said}, should not be there` };
    const issues = [
      ...(first.isLinkDown ? [wrong('no-link', `${said}, which has no link`)] : []),
      ...(given.gateway !== undefined && (first.gateway === null || !sameAddress(first.gateway, given.gateway))
        ? [wrong('wrong-gateway', `${said}, should lead over ${given.gateway}`)]
        : []),
      ...(given.interface !== undefined && given.interface !== first.interface
        ? [wrong('wrong-interface', `${said}, should lead over ${given.interface}`)]
        : []),
    ];
    const others = routes.filter(({ refuses }) => !refuses).length - 1;
    return judgeIssues(issues.slice(0, 1), {
      subject: name,
      calm: others > 0 ? `${said}, before ${others} more` : said,
    });
  },
});

type Way = Pick<Route, 'interface' | 'gateway' | 'metric'>;

/** The default routes of the main table, as `ip -j` of iproute2 tells them: several next hops may share one. */
function readMain(said: string): readonly Way[] {
  let value: unknown;
  try {
    value = JSON.parse(said);
  } catch {
    // Told below.
  }
  if (!Array.isArray(value)) throw new UnreadableOutput(`not the routes of ip: ${said.slice(0, 200)}`);
  return (value as readonly MainRoute[]).flatMap(({ metric = 0, nexthops, ...one }) =>
    (nexthops ?? [one]).map(({ dev = '', gateway = null }) => ({ interface: dev, gateway, metric })),
  );
}

interface MainRoute extends Hop {
  readonly metric?: number;
  readonly nexthops?: readonly Hop[];
}

interface Hop {
  readonly dev?: string;
  readonly gateway?: string;
}

/** The same text for the same way, however its gateway is written. */
function wayText({ interface: name, gateway, metric }: Way): string {
  return `${name} ${metric} ${gateway === null ? '' : canonicalAddress(gateway)}`;
}
