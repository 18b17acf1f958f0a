import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { foundPattern, missingPattern, patternProblems, patternsSchema } from '../../patterns.js';
import { metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { exchange } from '../datagram.js';
import { deadlineParam } from '../deadline.js';
import { shownText } from '../dialogue.js';
import { addressParam, judgeFailure, judgeSpeed, shownEndpoint } from '../endpoint.js';

const params = {
  type: 'object',
  properties: {
    address: addressParam,
    port: { type: 'integer', minimum: 1, maximum: 65535, description: 'UDP port.', examples: [11211] },
    send: {
      type: 'string',
      minLength: 1,
      maxLength: 1_400,
      description: 'Text of the datagram. Either this or `send-hex`.',
      examples: ['status\r\n'],
    },
    'send-hex': {
      type: 'string',
      pattern: '^(?:[0-9A-Fa-f]{2} ?){1,1400}$',
      description: 'Bytes of the datagram in hexadecimal.',
      examples: ['00 00 00 00 00 01 00 00'],
    },
    expect: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in the answer. Any answer will do when absent.'),
      examples: ['^OK'],
    },
    'expect-lacks': {
      ...patternsSchema('Regular expressions (RE2) that must not occur in the answer.'),
      examples: ['(?i)error'],
    },
    'expect-hex': {
      ...patternsSchema('The same for the bytes of the answer, written as lower-case hexadecimal without blanks.'),
      examples: ['^[0-9a-f]{4}8'],
    },
    warning: { ...rangeSchema('Warn when the answer takes longer; a number is seconds.'), examples: ['100ms'] },
    critical: { ...rangeSchema('Fail when the answer takes longer; a number is seconds.'), examples: ['1s'] },
    deadline: deadlineParam,
  },
  required: ['port'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface UdpData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  /** The start of the answer as text. */
  readonly answer: string | null;
  /** Bytes of it. */
  readonly size: number;
  readonly missing: string | null;
  readonly found: string | null;
  /** Seconds until the answer. */
  readonly seconds: number | null;
}

/** Most of an answer that is kept. */
const kept = 500;

export default defineControllerStep<Params, UdpData>({
  kind: 'check.udp',
  summary: 'Whether a UDP service answers a datagram with the right thing',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
    ...patternProblems(given, ['expect', 'expect-lacks', 'expect-hex']),
    ...((given.send === undefined) === (given['send-hex'] === undefined)
      ? [{ path: [], what: 'needs either send or send-hex', hint: 'UDP says nothing until it is asked' }]
      : []),
  ],
  async call(given, { host, signal }) {
    const { port, send } = given;
    const address = given.address ?? host.address;
    const payload =
      send === undefined ? Buffer.from((given['send-hex'] ?? '').replaceAll(' ', ''), 'hex') : Buffer.from(send);
    const { failure, seconds, value } = await exchange(
      { address, port, seconds: parseDuration(given.deadline) },
      signal,
      () => payload,
      (datagram) => Buffer.from(datagram),
    );
    const text = value?.toString('utf8') ?? '';
    return {
      subject: shownEndpoint(address, port),
      failure,
      answer: value === null ? null : text.slice(0, kept),
      size: value?.length ?? 0,
      missing:
        missingPattern(given.expect, text) ?? missingPattern(given['expect-hex'], value?.toString('hex') ?? '') ?? null,
      found: foundPattern(given['expect-lacks'], text) ?? null,
      seconds,
    };
  },
  judge(data, given) {
    const { subject, failure, answer, seconds } = data;
    if (failure) return judgeFailure(subject, failure);
    if (answer === null || seconds === null)
      return { outcome: 'unknown', reason: 'no-answer', summary: `${subject}: no answer` };
    const limits = {
      warning: optionalRange(given.warning, 'seconds'),
      critical: optionalRange(given.critical, 'seconds'),
    };
    const metrics = [metricOf('time', seconds, 'seconds', { ...limits, min: 0 })];
    const says = /[^\s!-~]/.test(answer) ? `says ${data.size} bytes` : `says "${shownText(answer)}"`;
    const failed = (reason: string, text: string) =>
      ({ outcome: 'failed', reason, summary: `${subject} ${says}, ${text}`, metrics }) as const;

    if (data.found !== null) return failed('match', `with /${data.found}/ in it`);
    if (data.missing !== null) return failed('no-match', `without /${data.missing}/`);
    return { ...judgeSpeed(`${subject} ${says}`, seconds, given), metrics };
  },
});
