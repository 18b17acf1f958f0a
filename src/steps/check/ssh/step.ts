import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { foundPattern, missingPattern, patternProblems, patternsSchema } from '../../patterns.js';
import { metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { converse, type Dialogue, dialFromHere, ServerFault, shownText } from '../dialogue.js';
import { addressParam, judgeFailure, judgeSpeed, shownEndpoint } from '../endpoint.js';
import { judgeIssues } from '../issues.js';
import { fingerprintIn, keyIssues, listKeys, readKey, type ShownKey } from './host-keys.js';

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
    'host-key': {
      type: ['string', 'array'],
      minLength: 1,
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'Host keys that the server must show, each: `SHA256:…`, a public key, or a line of known_hosts.',
      examples: ['SHA256:uNiVztksCsDhcc0u9e8BrWJG2LlLQ6+5tdaHrkFOOFU', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…'],
    },
    'weak-host-keys': {
      enum: ['warning', 'fail'],
      description: 'What a weak host key is: RSA below 2048 bits. Not looked at when absent.',
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
  /** Null when they were not asked for. */
  readonly keys: readonly ShownKey[] | null;
  /** Seconds until the banner was there. */
  readonly seconds: number;
}

/** Lines that a server may say before the banner (RFC 4253, 4.2); the standard has no limit. */
const linesBefore = 50;

export default defineControllerStep<Params, SshData>({
  kind: 'check.ssh',
  summary: 'Whether an SSH server answers, with which software and host key',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
    ...patternProblems(given, ['software', 'software-lacks']),
    ...listKeys(given['host-key']).flatMap((text, index) =>
      text.includes('${{') || fingerprintIn(text) !== undefined
        ? []
        : [
            {
              path: ['host-key', ...(typeof given['host-key'] === 'string' ? [] : [index])],
              what: 'neither a fingerprint nor a public key',
              hint: 'opsctl trust scan HOST shows them; compare them with those that the host itself has',
            },
          ],
    ),
  ],
  async call(given, { host, signal, dial, hostKeys }) {
    const { address = '', port, deadline } = given;
    const target = { address: address || host.address, port, seconds: parseDuration(deadline), dial };
    const { failure, value, seconds } = await converse(target, signal, readBanner);
    const subject = shownEndpoint(target.address, port);
    const found = { subject, failure, banner: value, keys: null, seconds };
    const wanted = given['host-key'] !== undefined || given['weak-host-keys'] !== undefined;
    if (failure || !wanted) return found;
    if (!hostKeys) throw new Error('host keys cannot be asked for here');
    const left = { ...target, seconds: target.seconds - seconds };
    const shown = await hostKeys(left, async (until) => (dial ?? dialFromHere(left.seconds))(target, until), signal);
    return 'failure' in shown ? { ...found, failure: shown.failure } : { ...found, keys: shown.keys.map(readKey) };
  },
  judge({ subject, failure, banner, keys, seconds }, given) {
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
    if (keys?.length === 0)
      return { outcome: 'unknown', reason: 'no-host-key', summary: `${says}, shows no host key that we know`, metrics };
    const issues = keys ? keyIssues(keys, given) : [];
    const speed = judgeSpeed(`${says}, answers`, seconds, given);
    if (!issues.some(({ outcome }) => outcome === 'failed') && (issues.length === 0 || speed.outcome === 'failed'))
      return { ...speed, metrics };
    return judgeIssues(issues, { subject: `${says},`, calm: '', metrics });
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
