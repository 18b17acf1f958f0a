import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { type Issue, judgeIssues, measure } from '../issues.js';
import { type AddressRange, type DhcpData, parseAddressRange, readLeases, servers } from './leases.js';

const params = {
  type: 'object',
  properties: {
    server: {
      enum: servers,
      description: 'DHCP server whose leases to read. The first that has some in its usual place when absent.',
    },
    file: {
      type: 'string',
      pattern: '^/',
      description: 'File with its leases, where that is not the usual one. Needs `server`.',
      examples: ['/var/lib/libvirt/dnsmasq/virbr0.leases'],
    },
    config: {
      type: 'string',
      pattern: '^/',
      description: 'File with its configuration, where that is not the usual one. Needs `server`.',
      examples: ['/etc/dhcp/office.conf'],
    },
    ranges: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'Ranges of addresses that it gives away. Those of its configuration when absent.',
      examples: [['10.0.0.100-10.0.0.199', '10.0.1.0/25']],
    },
    warning: {
      ...rangeSchema('Warn when the used part of a range is outside this range.'),
      default: '80%',
      examples: ['80%'],
    },
    critical: {
      ...rangeSchema('Fail when the used part of a range is outside this range.'),
      default: '95%',
      examples: ['95%'],
    },
    'warning-free': {
      ...rangeSchema('Warn when the number of free addresses of a range is outside this range.'),
      examples: ['20:'],
    },
    'critical-free': {
      ...rangeSchema('Fail when the number of free addresses of a range is outside this range.'),
      examples: ['5:'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export default defineHostStep<Params, DhcpData>({
  kind: 'check.dhcp',
  summary: 'Leases of a DHCP server: how full its ranges are',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, {
      warning: 'ratio',
      critical: 'ratio',
      'warning-free': { unit: 'count', lower: true },
      'critical-free': { unit: 'count', lower: true },
    }),
    ...(given.server === undefined
      ? (['file', 'config'] as const)
          .filter((name) => given[name] !== undefined)
          .map((name) => ({ path: [name], what: 'needs the server that wrote it', hint: `add server: ${servers[0]}` }))
      : []),
    ...(given.ranges ?? []).flatMap((range, index) =>
      range.includes('${{') || parseAddressRange(range)
        ? []
        : [
            {
              path: ['ranges', index],
              what: `"${range}" is no range of IPv4 addresses`,
              hint: 'write 10.0.0.100-10.0.0.199',
            },
          ],
    ),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: ({ server, file, config }) => [server ?? '', file ?? '', config ?? ''],
  parse: (output) => readLeases(output),
  judge(data, given) {
    const ranges = given.ranges?.flatMap((range) => parseAddressRange(range) ?? []) ?? data.ranges;
    if (ranges.length === 0)
      return {
        outcome: 'unknown',
        reason: 'no-ranges',
        summary: `no range of addresses in the configuration of ${data.server}: name them in \`ranges\``,
      };
    const judged = ranges.map((range) => judgeRange(range, data, given));
    return judgeIssues(
      judged.flatMap(({ issues }) => issues),
      { calm: judged.map(({ said }) => said).join('; '), metrics: judged.flatMap(({ metrics }) => metrics) },
    );
  },
});

function judgeRange(range: AddressRange, data: DhcpData, given: Params) {
  const { name, first, last } = range;
  const inside = (addresses: readonly number[]) => addresses.filter((one) => one >= first && one <= last).length;
  const size = last - first + 1;
  const declined = inside(data.declined);
  const taken = inside(data.used) + declined;
  const said = `${taken} of ${size} addresses of ${name} are used${declined > 0 ? `, ${declined} of them declined` : ''}`;
  const used = measure(
    `used{${name}}`,
    taken / size,
    'ratio',
    { warning: given.warning, critical: given.critical, min: 0, max: 1 },
    (part) => `${said} (${part})`,
  );
  const free = measure(
    `free{${name}}`,
    size - taken,
    'count',
    { warning: given['warning-free'], critical: given['critical-free'], min: 0, max: size },
    (count) => `${count} of ${size} addresses of ${name} are free`,
  );
  const issues: Issue[] = [...used.issues, ...free.issues];
  return { said, issues, metrics: [used.metric, free.metric] };
}
