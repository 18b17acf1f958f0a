import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { sameAddress } from '../address.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';
import { questionFor, type ResolverData, readResolver } from './resolver.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      maxLength: 253,
      pattern: '^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.?)+$',
      description: 'Name to ask each name server for, in full. It should have an IPv4 address.',
      examples: ['www.example.com'],
    },
    addresses: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'Addresses that programs on the host must get for it, at least.',
      examples: [['192.0.2.10']],
    },
    servers: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description:
        'Name servers that the host must use, in this order and no others. Behind systemd-resolved, those that it asks.',
      examples: [['10.0.0.53', '10.0.1.53']],
    },
    search: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Domains that it must search, in this order and no others. An empty list for none.',
      examples: [['example.com'], []],
    },
    warning: {
      ...rangeSchema('Warn when the number of name servers that do not answer is outside this range.'),
      default: 0,
      examples: [0],
    },
    critical: {
      ...rangeSchema('Fail when the number of name servers that do not answer is outside this range.'),
      examples: [1],
    },
    'warning-servers': {
      ...rangeSchema('Warn when the number of name servers that answer is outside this range.'),
      examples: ['2:'],
    },
    'critical-servers': {
      ...rangeSchema('Fail when the number of name servers that answer is outside this range.'),
      default: '1:',
      examples: ['2:'],
    },
    'warning-time': {
      ...rangeSchema('Warn when the slowest name server takes longer; a number is seconds.'),
      examples: ['200ms'],
    },
    'critical-time': {
      ...rangeSchema('Fail when the slowest name server takes longer; a number is seconds.'),
      examples: ['2s'],
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

/** The C libraries ask no more. */
const mostServers = 3;

export default defineHostStep<Params, ResolverData>({
  kind: 'check.dns-resolver',
  summary: 'What the host itself resolves names with, and whether it works',
  params,
  effect: 'read',
  // Six servers that are silent, and the C library.
  timeout: 45,
  validate: (given) =>
    rangeProblems(given, {
      warning: 'count',
      critical: 'count',
      'warning-servers': { unit: 'count', lower: true },
      'critical-servers': { unit: 'count', lower: true },
      'warning-time': 'seconds',
      'critical-time': 'seconds',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ name }) => [name, questionFor(name)],
  parse: readResolver,
  judge(data, given) {
    const { replies, library } = data;
    const silent = replies.filter(({ rcode }) => rcode !== 'NOERROR');
    const answering = replies.length - silent.length;
    const times = replies.flatMap(({ rcode, seconds }) => (rcode === 'NOERROR' && seconds !== null ? [seconds] : []));
    const timed = given['warning-time'] !== undefined || given['critical-time'] !== undefined;
    const measured = [
      measure(
        'failing-servers',
        silent.length,
        'count',
        { warning: given.warning, critical: given.critical, min: 0, max: replies.length },
        (count) =>
          `${count} of ${replies.length} name servers do not answer for ${given.name}: ${silent.map(saidBy).join(', ')}`,
      ),
      measure(
        'answering-servers',
        answering,
        'count',
        { warning: given['warning-servers'], critical: given['critical-servers'], min: 0, max: replies.length },
        (count) =>
          replies.length === 0
            ? 'no name server is set up'
            : `${count} of ${replies.length} name servers answer for ${given.name}`,
      ),
      ...(times.length > 0
        ? [
            measure(
              'time',
              Math.max(...times),
              'seconds',
              { warning: given['warning-time'], critical: given['critical-time'], min: 0 },
              (time) => `the slowest name server took ${time}`,
            ),
          ]
        : []),
    ];
    const issues: Issue[] = [
      ...setupIssues(data, given),
      ...libraryIssues(data, given),
      ...measured.flatMap((one) => one.issues),
    ];
    if (timed && times.length === 0 && answering > 0)
      issues.push({
        outcome: 'unknown',
        reason: 'not-measured',
        text: 'the host has no clock to time a name server with',
      });
    const slowest = times.length > 0 ? `, the slowest in ${formatQuantity(Math.max(...times), 'seconds')}` : '';
    const got = library ? `, programs get ${library.addresses.slice(0, 3).join(', ')}` : '';
    return judgeIssues(issues, {
      calm: `${answering} of ${replies.length} name servers answer for ${given.name}${slowest}${got}`,
      metrics: measured.map(({ metric }) => metric),
    });
  },
});

function setupIssues({ servers, upstream, search }: ResolverData, given: Params): readonly Issue[] {
  const used = upstream.length > 0 ? upstream : servers;
  const issues: Issue[] = [];
  const { servers: wanted, search: domains } = given;
  if (wanted && !(wanted.length === used.length && wanted.every((one, index) => sameAddress(one, used[index] ?? ''))))
    issues.push(
      wrong('wrong-servers', `the name servers are ${used.join(', ') || 'none'}, should be ${wanted.join(', ')}`),
    );
  if (domains && domains.join(' ').toLowerCase() !== search.join(' ').toLowerCase())
    issues.push(
      wrong(
        'wrong-search',
        `the search list is ${search.join(' ') || 'empty'}, should be ${domains.join(' ') || 'empty'}`,
      ),
    );
  if (servers.length > mostServers)
    issues.push({
      outcome: 'warning',
      reason: 'too-many-servers',
      text: `resolv.conf has ${servers.length} name servers, only the first ${mostServers} are ever asked`,
    });
  return issues;
}

function libraryIssues({ library, hosts }: ResolverData, given: Params): readonly Issue[] {
  if (!library) {
    // Musl and busybox may come without it.
    const text = 'getent is not installed, so what programs get cannot be told';
    return given.addresses ? [{ outcome: 'unknown', reason: 'tool-missing', text }] : [];
  }
  if (library.timedOut) return [wrong('lookup-timeout', `programs on the host wait in vain for ${given.name}`)];
  if (!library.found || library.addresses.length === 0) {
    const without = hosts !== null && !/\b(?:dns|resolve)\b/.test(hosts);
    const why = without ? `: hosts in nsswitch.conf is "${hosts}", without DNS` : '';
    return [wrong('not-resolved', `programs on the host do not find ${given.name}${why}`)];
  }
  const missing = given.addresses?.filter((wanted) => !library.addresses.some((one) => sameAddress(one, wanted))) ?? [];
  return missing.length > 0
    ? [
        wrong(
          'wrong-address',
          `programs get ${library.addresses.slice(0, 4).join(', ')} for ${given.name}, not ${missing.join(', ')}`,
        ),
      ]
    : [];
}

function saidBy({ server, rcode }: ResolverData['replies'][number]): string {
  return rcode === null ? `${server} (silent)` : `${server} (${rcode})`;
}
