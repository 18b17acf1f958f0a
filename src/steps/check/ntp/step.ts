import { randomBytes } from 'node:crypto';
import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { exchange } from '../datagram.js';
import { deadlineParam } from '../deadline.js';
import { addressParam, judgeFailure, shownEndpoint } from '../endpoint.js';
import { type NtpReply, question, readReply } from './message.js';

const params = {
  type: 'object',
  properties: {
    address: addressParam,
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 123, description: 'UDP port.' },
    warning: {
      ...rangeSchema('Warn when its clock is further from the one of this machine, either way; a number is seconds.'),
      default: '100ms',
      examples: ['50ms'],
    },
    critical: {
      ...rangeSchema('Fail when its clock is further from the one of this machine, either way; a number is seconds.'),
      default: '1s',
      examples: ['500ms'],
    },
    'max-stratum': {
      type: 'integer',
      minimum: 1,
      maximum: 15,
      default: 15,
      description: 'Fail when the server is further from a reference clock: 1 has one, 2 asks a server of stratum 1.',
    },
    deadline: deadlineParam,
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface NtpData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  readonly reply: NtpReply | null;
}

export default defineControllerStep<Params, NtpData>({
  kind: 'check.ntp',
  summary: 'Clock, stratum and synchronisation of a time server',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
  async call({ address = '', port, deadline }, { host, signal }) {
    const target = { address: address || host.address, port, seconds: parseDuration(deadline) };
    // Each question has a number of its own: an old answer would be wrong by the time that it was on its way.
    let asked = { nonce: randomBytes(8), date: 0, at: 0 };
    const { failure, value } = await exchange(
      target,
      signal,
      () => {
        asked = { nonce: randomBytes(8), date: Date.now(), at: performance.now() };
        return question(asked.nonce);
      },
      (datagram) => readReply(datagram, asked.nonce, asked.date / 1000, (performance.now() - asked.at) / 1000),
    );
    return { subject: shownEndpoint(target.address, port), failure, reply: value };
  },
  judge({ subject, failure, reply }, given) {
    if (failure) return judgeFailure(subject, failure);
    if (!reply) return { outcome: 'unknown', reason: 'no-reply', summary: `${subject}: no reply` };
    const limits = {
      warning: optionalRange(given.warning, 'seconds'),
      critical: optionalRange(given.critical, 'seconds'),
    };
    const { offset, delay, stratum, kiss } = reply;
    const judged = (outcome: Judgement['outcome'], reason: string, text: string, sound = false): Judgement => ({
      outcome,
      reason,
      summary: `${subject} ${text}`,
      // The time of a server that does not know it is no measurement.
      metrics: sound
        ? [
            metricOf('offset', offset, 'seconds'),
            metricOf('delay', delay, 'seconds', { min: 0 }),
            metricOf('stratum', stratum, 'count', { min: 0, max: 16 }),
          ]
        : [],
    });

    if (stratum === 0 && kiss !== 'INIT' && kiss !== 'STEP' && kiss !== '')
      return judged('failed', 'refused', `refuses to tell the time: ${kiss}`);
    if (reply.unsynchronised || stratum === 0 || stratum > 15)
      return judged('failed', 'not-synchronised', 'does not know the time, it is not synchronised');
    if (stratum > given['max-stratum'])
      return judged('failed', 'stratum', `is of stratum ${stratum}, at most ${given['max-stratum']}`, true);
    const { level, reason, limit } = judgeNumber(Math.abs(offset), limits.warning, limits.critical);
    const sure = formatQuantity(delay / 2, 'seconds');
    const away = `is ${formatQuantity(Math.abs(offset), 'seconds')} ${offset < 0 ? 'behind' : 'ahead'} (± ${sure}), stratum ${stratum}`;
    // So much may be nothing but the way there being slower than the way back: its clock may well be in step.
    const mayBeInStep = Math.abs(offset) <= delay / 2;
    if (limit && mayBeInStep && !judgeNumber(0, limits.warning, limits.critical).limit)
      return judged('unknown', 'too-slow', `${away}: the way there is too slow to tell`, true);
    return judged(level, reason, limit ? `${away}, ${formatLimit(limit, 'seconds')}` : away, true);
  },
});
