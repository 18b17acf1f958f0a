import { getServers } from 'node:dns';
import { isIPv4, isIPv6 } from 'node:net';
import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import { deadlineParam } from '../deadline.js';
import { shownText } from '../dialogue.js';
import { askServer, readServer, type ServerReply } from './ask.js';
import { encodeName, type RecordType, rcodes, recordTypes, shortenIpv6 } from './message.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      minLength: 1,
      description:
        'Name to ask for. It is taken as it is, no search domain is added. An address with type PTR is turned round.',
      examples: ['www.example.com', '${{ host.address }}'],
    },
    type: {
      enum: Object.keys(recordTypes) as RecordType[],
      default: 'A',
      description: 'Type of the records.',
    },
    servers: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      maxItems: 50,
      description:
        'Name servers to ask, each of them, with `:PORT` where it is not 53. Those of this machine when absent.',
      examples: [['10.0.0.53', '10.0.1.53:5353', '[2001:db8::53]:53', '${{ host.address }}']],
    },
    rcode: {
      enum: rcodes,
      default: 'NOERROR',
      description: 'Response code that every server must give. NXDOMAIN asserts that the name does not exist.',
    },
    answers: {
      type: 'array',
      items: { type: 'string' },
      maxItems: 200,
      description:
        'Records that must be among the answers, as in a zone file. An empty list means that there must be none. At least one record when absent.',
      examples: [['192.0.2.10'], ['10 mail.example.com'], []],
    },
    exact: { type: 'boolean', default: false, description: 'Fail for records that `answers` does not name, too.' },
    agree: {
      type: 'boolean',
      default: true,
      description: 'Fail when two servers give different records. With type SOA that compares the serial.',
    },
    authenticated: {
      type: 'boolean',
      default: false,
      description: 'Fail when the server does not say that DNSSEC proved the answer (AD).',
    },
    recursion: {
      type: 'boolean',
      default: true,
      description: 'Let the server ask others. Turn it off to see what an authoritative server itself knows.',
    },
    warning: { ...rangeSchema('Warn when a server takes longer; a number is seconds.'), examples: ['50ms'] },
    critical: { ...rangeSchema('Fail when a server takes longer; a number is seconds.'), examples: ['500ms'] },
    deadline: deadlineParam,
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface DnsData {
  /** As asked for: a turned round address for PTR. */
  readonly name: string;
  readonly replies: readonly ServerReply[];
}

export default defineControllerStep<Params, DnsData>({
  kind: 'check.dns',
  summary: 'What name servers answer, how fast, and whether they agree',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
    ...nameProblems(given),
    ...(given.rcode !== 'NOERROR' && given.answers?.length
      ? [{ path: ['answers'], what: `with ${given.rcode} there are no records`, hint: 'leave answers or rcode away' }]
      : []),
    ...(given.exact && given.answers === undefined
      ? [{ path: ['exact'], what: 'needs the records to compare with', hint: 'add answers' }]
      : []),
  ],
  async call(given, { signal, dial }) {
    const { type, recursion } = given;
    const name = type === 'PTR' ? reverseName(given.name) : given.name;
    const seconds = parseDuration(given.deadline);
    if (dial && !given.servers) throw new Error('the name servers of the host are not known here: name `servers`');
    const servers = [...new Set(given.servers ?? getServers())];
    const replies = await Promise.all(
      servers.map((server) => askServer(server, { name, type, recursion }, seconds, signal, dial)),
    );
    return { name, replies };
  },
  judge({ name, replies }, given) {
    const limits = {
      warning: optionalRange(given.warning, 'seconds'),
      critical: optionalRange(given.critical, 'seconds'),
    };
    const subject = `${name} ${given.type}`;
    const times = replies.flatMap(({ seconds }) => (seconds === null ? [] : [seconds]));
    const ttls = replies.flatMap(({ reply }) => (reply?.ttl === null || !reply ? [] : [reply.ttl]));
    const metrics = [
      ...(times.length > 0 ? [metricOf('time', Math.max(...times), 'seconds', { ...limits, min: 0 })] : []),
      ...(ttls.length > 0 ? [metricOf('ttl', Math.min(...ttls), 'seconds', { min: 0 })] : []),
    ];
    const judged = (outcome: Judgement['outcome'], reason: string, text: string): Judgement => ({
      outcome,
      reason,
      summary: `${subject}: ${text}`,
      metrics,
    });

    if (replies.length === 0) return judged('unknown', 'no-name-server', 'this machine has no name server');
    const faults = replies.map((reply) => faultOf(reply, given));
    // What a server got wrong weighs more than what could not be asked.
    const fault = faults.find((one) => one?.outcome === 'failed') ?? faults.find((one) => one !== undefined);
    if (fault) {
      const others = faults.filter((one) => one !== undefined).length - 1;
      return judged(
        fault.outcome,
        fault.reason,
        `${fault.text}${others > 0 ? `, ${others} more of ${replies.length} servers are wrong` : ''}`,
      );
    }
    const [first] = replies;
    const other = replies.find(({ reply }) => sameAnswers(reply?.answers, first?.reply?.answers) === false);
    if (given.agree && first && other)
      return judged(
        'failed',
        'servers-differ',
        `${first.server} says ${list(first.reply?.answers)}, ${other.server} says ${list(other.reply?.answers)}`,
      );
    const slowest = replies.reduce((one, next) => ((next.seconds ?? 0) > (one.seconds ?? 0) ? next : one));
    const { level, reason, limit } = judgeNumber(slowest.seconds ?? 0, limits.warning, limits.critical);
    const what = given.rcode === 'NOERROR' ? list(first?.reply?.answers) : given.rcode;
    const who =
      replies.length > 1 ? `${replies.length} servers say ${what}, the slowest` : `${slowest.server} says ${what}`;
    const took = `${who} in ${formatQuantity(slowest.seconds ?? 0, 'seconds')}`;
    return judged(level, reason, limit ? `${took}, ${formatLimit(limit, 'seconds')}` : took);
  },
});

function faultOf(
  { server, failure, reply }: ServerReply,
  given: Params,
): { outcome: 'failed' | 'unknown'; reason: string; text: string } | undefined {
  const failed = (reason: string, text: string) => ({ outcome: 'failed', reason, text: `${server} ${text}` }) as const;
  if (failure)
    return {
      outcome: failure.proven ? 'failed' : 'unknown',
      reason: failure.reason,
      text: `${server}: ${failure.detail}`,
    };
  if (!reply) return { outcome: 'unknown', reason: 'no-reply', text: `${server} gave no reply` };
  if (reply.rcode !== given.rcode) return failed('dns-rcode', `answers ${reply.rcode}, should be ${given.rcode}`);
  if (given.rcode === 'NOERROR') {
    const wanted = given.answers?.map((answer) => normalAnswer(answer, given.type));
    const has = reply.answers.map((answer) => normalAnswer(answer, given.type));
    const missing = wanted?.find((answer) => !has.includes(answer));
    const extra = has.find((answer) => !wanted?.includes(answer));
    if (wanted === undefined && has.length === 0) return failed('no-records', `has no ${given.type} record of it`);
    if (missing !== undefined)
      return failed('missing-record', `says ${list(reply.answers)}, not ${shownText(missing)}`);
    if (extra !== undefined && wanted !== undefined && (given.exact || wanted.length === 0))
      return failed('extra-record', `also says ${shownText(extra)}`);
  }
  if (given.authenticated && !reply.authenticated)
    return failed('not-authenticated', 'does not say that DNSSEC proved it');
  return undefined;
}

function sameAnswers(some: readonly string[] | undefined, others: readonly string[] | undefined): boolean {
  return some?.join('\n') === others?.join('\n');
}

function list(answers: readonly string[] | undefined): string {
  if (!answers || answers.length === 0) return 'nothing';
  return `${answers
    .slice(0, 4)
    .map((answer) => shownText(answer))
    .join(', ')}${answers.length > 4 ? ` and ${answers.length - 4} more` : ''}`;
}

/** The same record in other words: case and last dot of names, forms of an address, quotes and blanks. */
function normalAnswer(answer: string, type: RecordType): string {
  const text = answer.trim();
  switch (type) {
    case 'AAAA':
      return shortenIpv6(text.toLowerCase());
    case 'TXT':
      return text.replace(/^"(.*)"$/s, '$1').replace(/" +"/g, '');
    case 'CAA':
      return text.replace(
        /^(\S+) +(\S+) +"?(.*?)"?$/s,
        (_, flags, tag: string, value) => `${flags} ${tag.toLowerCase()} ${value}`,
      );
    case 'DNSKEY':
      return text.replace(/^(\S+) +(\S+) +(\S+) +/, '$1 $2 $3 ').replace(/(?<=\S{30}) +/g, '');
    case 'SSHFP':
    case 'TLSA':
    case 'DS':
      return text.toLowerCase().replace(/ +/g, ' ');
    default:
      return text
        .toLowerCase()
        .replace(/\s+/g, ' ')
        .replace(/(?<=[^ ])\.(?= |$)/g, '');
  }
}

/** The name below which the reverse records of an address are; any other text as it is. */
function reverseName(name: string): string {
  if (isIPv4(name)) return `${name.split('.').reverse().join('.')}.in-addr.arpa`;
  if (!isIPv6(name)) return name;
  const [head = '', tail] = shortenIpv6(name).split('::');
  const groups = (text: string) => text.split(':').filter(Boolean);
  const [front, back] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  const digits = [...front, ...(tail === undefined ? [] : zeros), ...back]
    .map((group) => group.padStart(4, '0'))
    .join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}

function nameProblems({ name, servers = [] }: Params): { path: (string | number)[]; what: string; hint: string }[] {
  const problems: { path: (string | number)[]; what: string; hint: string }[] = [];
  if (!name.includes('${{') && !isIPv6(name)) {
    try {
      encodeName(name);
    } catch (error) {
      problems.push({ path: ['name'], what: (error as Error).message, hint: 'write it like www.example.com' });
    }
  }
  for (const [index, server] of servers.entries()) {
    const { port } = readServer(server);
    if (!server.includes('${{') && (port < 1 || port > 65_535))
      problems.push({ path: ['servers', index], what: `${port} is no port`, hint: 'write 10.0.0.53:5353' });
  }
  return problems;
}
