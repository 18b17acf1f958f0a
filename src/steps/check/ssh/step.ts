import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { foundPattern, missingPattern, patternProblems, patternsSchema } from '../../patterns.js';
import { metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { converse, type Dialogue, ServerFault, shownText } from '../dialogue.js';
import { addressParam, judgeFailure, judgeSpeed, shownEndpoint } from '../endpoint.js';

const params = {
  type: 'object',
  properties: {
    address: addressParam,
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 22, description: 'TCP port.' },
    software: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in software version and comment of the banner.'),
      examples: ['^OpenSSH_9'],
    },
    'software-lacks': {
      ...patternsSchema('Regular expressions (RE2) that must not occur in them.'),
      examples: ['^OpenSSH_[1-7]\\.'],
    },
    warning: { ...rangeSchema('Warn when the banner takes longer; a number is seconds.'), examples: ['500ms'] },
    critical: { ...rangeSchema('Fail when the banner takes longer; a number is seconds.'), examples: ['5s'] },
    deadline: deadlineParam,
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface Banner {
  /** `2.0`, or `1.99` where the first version is also spoken. */
  readonly protocol: string;
  /** Software version and, after a blank, the comment. */
  readonly software: string;
}

export interface SshData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  readonly banner: Banner | null;
  /** Seconds until the banner was there. */
  readonly seconds: number;
}

/** Lines that a server may say before the banner (RFC 4253, 4.2); the standard has no limit. */
const linesBefore = 50;

export default defineControllerStep<Params, SshData>({
  kind: 'check.ssh',
  summary: 'Whether an SSH server answers, and which software it is',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
    ...patternProblems(given, ['software', 'software-lacks']),
  ],
  async call({ address = '', port, deadline }, { host, signal, dial }) {
    const target = { address: address || host.address, port, seconds: parseDuration(deadline), dial };
    const { failure, value, seconds } = await converse(target, signal, readBanner);
    return { subject: shownEndpoint(target.address, port), failure, banner: value, seconds };
  },
  judge({ subject, failure, banner, seconds }, given) {
    if (failure) return judgeFailure(subject, failure);
    if (!banner) return { outcome: 'unknown', reason: 'no-banner', summary: `${subject}: no banner` };
    const limits = {
      warning: optionalRange(given.warning, 'seconds'),
      critical: optionalRange(given.critical, 'seconds'),
    };
    const metrics = [metricOf('time', seconds, 'seconds', { ...limits, min: 0 })];
    const { protocol, software } = banner;
    const says = `${subject} is ${shownText(software)}`;
    const failed = (reason: string, text: string) =>
      ({ outcome: 'failed', reason, summary: `${says}${text}`, metrics }) as const;

    if (protocol !== '2.0') return failed('old-protocol', ` and speaks SSH ${shownText(protocol)}, should be 2.0`);
    const found = foundPattern(given['software-lacks'], software);
    if (found !== undefined) return failed('match', `, with /${found}/ in it`);
    const missing = missingPattern(given.software, software);
    if (missing !== undefined) return failed('no-match', `, without /${missing}/`);
    return { ...judgeSpeed(`${says}, answers`, seconds, given), metrics };
  },
});

async function readBanner(dialogue: Dialogue): Promise<Banner> {
  let before = '';
  for (let count = 0; count <= linesBefore; count += 1) {
    const line = await nextLine(dialogue, before);
    const banner = /^SSH-([^-\s]+)-(\S+(?: .*)?)$/.exec(line);
    if (banner) return { protocol: banner[1] ?? '', software: banner[2] ?? '' };
    if (line.startsWith('SSH-')) throw new ServerFault('protocol-error', `the banner is not one: ${shownText(line)}`);
    if (line.trim() !== '') before = shownText(line);
  }
  throw new ServerFault('protocol-error', `no SSH banner in ${linesBefore} lines, the last: ${before}`);
}

/** A server that turns someone away often says why before it closes. */
async function nextLine(dialogue: Dialogue, before: string): Promise<string> {
  return await dialogue.read((bytes, closed) => {
    const end = bytes.indexOf(10);
    if (end === -1 && (closed || bytes.length > 4_096)) {
      const said = shownText(bytes.toString('utf8', 0, 200)) || before;
      throw said === ''
        ? new ServerFault('connection-reset', 'the server closed the connection without a word')
        : new ServerFault('protocol-error', `no SSH server, or one that turns us away: ${said}`);
    }
    return end === -1 ? undefined : { value: bytes.toString('utf8', 0, end).replace(/\r$/, ''), used: end + 1 };
  });
}
