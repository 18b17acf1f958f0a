import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { foundPattern, missingPattern, patternProblems, patternsSchema } from '../../patterns.js';
import { metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { converse, shownText } from '../dialogue.js';
import { addressParam, judgeFailure, judgeSpeed, shownEndpoint } from '../endpoint.js';

const params = {
  type: 'object',
  properties: {
    address: addressParam,
    port: { type: 'integer', minimum: 1, maximum: 65535, description: 'TCP port.', examples: [5432] },
    send: {
      type: 'string',
      minLength: 1,
      maxLength: 65536,
      description: 'Text to send once connected. Write line ends as `\\r\\n` between double quotes.',
      examples: ['PING\r\n'],
    },
    expect: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in what the server says. 64 KiB are looked at.'),
      examples: ['^220 .* ESMTP', '^\\+PONG'],
    },
    'expect-lacks': {
      ...patternsSchema('Regular expressions (RE2) that must not occur in it, as far as it was read for `expect`.'),
      examples: ['(?i)error'],
    },
    warning: { ...rangeSchema('Warn when the connection takes longer; a number is seconds.'), examples: ['100ms'] },
    critical: { ...rangeSchema('Fail when the connection takes longer; a number is seconds.'), examples: ['1s'] },
    deadline: deadlineParam,
  },
  required: ['port'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface TcpData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  /** Seconds until the connection was there. */
  readonly connect: number | null;
  /** Seconds in all. */
  readonly seconds: number;
  /** The start of what the server said; null when it was not asked to say anything. */
  readonly answer: string | null;
  readonly missing: string | null;
  readonly found: string | null;
}

/** Most of an answer that is looked at, and that is kept. */
const limit = 65_536;
const kept = 500;

export default defineControllerStep<Params, TcpData>({
  kind: 'check.tcp',
  summary: 'Whether a TCP port takes connections and says the right thing',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
    ...patternProblems(given, ['expect', 'expect-lacks']),
    ...(given['expect-lacks'] !== undefined && given.expect === undefined
      ? [{ path: ['expect-lacks'], what: 'without `expect` nothing is read', hint: 'add what the server must say' }]
      : []),
  ],
  async call(given, { host, signal, dial }) {
    const address = given.address ?? host.address;
    const { port, send, expect } = given;
    let heard = '';
    const { failure, connect, seconds } = await converse(
      { address, port, seconds: parseDuration(given.deadline), limit: limit * 2, dial },
      signal,
      async (dialogue) => {
        if (send !== undefined) dialogue.write(send);
        if (expect === undefined) return;
        await dialogue.read((bytes, closed) => {
          heard = bytes.toString('utf8', 0, limit);
          const enough = closed || bytes.length >= limit || missingPattern(expect, heard) === undefined;
          return enough ? { value: heard, used: bytes.length } : undefined;
        });
      },
    );
    return {
      subject: shownEndpoint(address, port),
      failure,
      connect,
      seconds,
      answer: expect === undefined ? null : heard.slice(0, kept),
      missing: expect === undefined ? null : (missingPattern(expect, heard) ?? null),
      found: foundPattern(given['expect-lacks'], heard) ?? null,
    };
  },
  judge(data, given) {
    const { subject, failure, connect, answer } = data;
    const limits = {
      warning: optionalRange(given.warning, 'seconds'),
      critical: optionalRange(given.critical, 'seconds'),
    };
    const metrics = connect === null ? [] : [metricOf('connect', connect, 'seconds', { ...limits, min: 0 })];
    const said = answer === null || answer === '' ? 'says nothing' : `says "${shownText(answer)}"`;
    const failed = (reason: string, text: string) =>
      ({ outcome: 'failed', reason, summary: `${subject} ${text}`, metrics }) as const;

    // Words that were not the right ones are more to an administrator than that the rest never came.
    if (failure && (connect === null || answer === null || answer === ''))
      return { ...judgeFailure(subject, failure), metrics };
    if (data.found !== null) return failed('match', `${said}, with /${data.found}/ in it`);
    if (data.missing !== null) return failed('no-match', `${said}, without /${data.missing}/`);
    if (failure) return { ...judgeFailure(subject, failure), metrics };
    if (connect === null) return { outcome: 'unknown', reason: 'no-connection', summary: `${subject}: no connection` };
    return {
      ...judgeSpeed(`${subject} ${answer === null ? 'connects' : `${said}, connects`}`, connect, given),
      metrics,
    };
  },
});
