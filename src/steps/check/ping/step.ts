import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type Judgement, text, UnreadableOutput } from '../../step.js';

const params = {
  type: 'object',
  properties: {
    address: {
      type: 'string',
      pattern: '^[^-\\s]\\S*$',
      description: 'Name or address to ask from the host.',
      examples: ['10.0.0.1', 'gateway.example.com'],
    },
    count: { type: 'integer', minimum: 1, maximum: 20, default: 5, description: 'Requests to send, one a second.' },
    'loss-warning': { ...rangeSchema('Warn when more of the answers are missing.'), default: '40%' },
    'loss-critical': { ...rangeSchema('Fail when more of the answers are missing.'), default: '80%' },
    warning: { ...rangeSchema('Warn when answers take longer on average; a number is seconds.'), examples: ['100ms'] },
    critical: { ...rangeSchema('Fail when answers take longer on average; a number is seconds.'), examples: ['500ms'] },
  },
  required: ['address'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface PingData {
  readonly sent: number;
  readonly received: number;
  /** Average, seconds; null without an answer. */
  readonly time: number | null;
  /** The host knows no way there. */
  readonly noRoute: boolean;
}

export default defineHostStep<Params, PingData>({
  kind: 'check.ping',
  summary: 'Whether another machine answers ping',
  params,
  effect: 'read',
  alsoFrom: 'controller',
  timeout: 60,
  validate: (given) =>
    rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      'loss-warning': 'ratio',
      'loss-critical': 'ratio',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ address, count }) => [address, String(count)],
  parse(output) {
    expectSuccess(output);
    const said = text(output.stdout);
    const [, sent, received] = /^(\d+) packets transmitted, (\d+) (?:packets )?received\b/m.exec(said) ?? [];
    if (sent === undefined || received === undefined) {
      if (!/etwork (?:is )?unreachable/.test(said))
        throw new UnreadableOutput('ping does not say how many answers came');
      return { sent: 0, received: 0, time: null, noRoute: true };
    }
    // min/avg/max, as iputils, busybox and BSD write it.
    const average = /^(?:rtt|round-trip) min\/avg\/max\S* = [\d.]+\/([\d.]+)\/[\d.]+\S* ms/m.exec(said)?.[1];
    if (Number(sent) === 0 || (Number(received) > 0 && average === undefined))
      throw new UnreadableOutput('ping does not say how long the answers took');
    // A duplicate is no second answer.
    const answers = Math.min(Number(received), Number(sent));
    return { sent: Number(sent), received: answers, time: answers > 0 ? Number(average) / 1000 : null, noRoute: false };
  },
  judge({ sent, received, time, noRoute }, given) {
    if (noRoute)
      return { outcome: 'failed', reason: 'network-unreachable', summary: `the host has no route to ${given.address}` };
    const limits = {
      warning: optionalRange(given.warning, 'seconds'),
      critical: optionalRange(given.critical, 'seconds'),
    };
    const lossLimits = {
      warning: optionalRange(given['loss-warning'], 'ratio'),
      critical: optionalRange(given['loss-critical'], 'ratio'),
    };
    const loss = (sent - received) / sent;
    const metrics = [
      metricOf('loss', loss, 'ratio', { ...lossLimits, min: 0, max: 1 }),
      ...(time === null ? [] : [metricOf('time', time, 'seconds', { ...limits, min: 0 })]),
    ];
    const judged = (outcome: Judgement['outcome'], reason: string, summary: string): Judgement => ({
      outcome,
      reason,
      summary: `${given.address} ${summary}`,
      metrics,
    });

    const lost = judgeNumber(loss, lossLimits.warning, lossLimits.critical);
    const slow = time === null ? undefined : judgeNumber(time, limits.warning, limits.critical);
    const answers = `answers ${received} of ${sent}`;
    const took = time === null ? answers : `${answers} in ${formatQuantity(time, 'seconds')} on average`;
    for (const level of ['failed', 'warning'] as const) {
      if (lost.level === level && lost.limit)
        return judged(
          level,
          lost.reason,
          `${answers}, loss ${formatQuantity(loss, 'ratio')}, ${formatLimit(lost.limit, 'ratio')}`,
        );
      if (slow?.level === level && slow.limit)
        return judged(level, slow.reason, `${took}, ${formatLimit(slow.limit, 'seconds')}`);
    }
    // No limit on loss may let a dead machine pass when it is the time that was asked for.
    if (time === null && (limits.warning || limits.critical))
      return judged('unknown', 'no-answer', `${answers}, so the time is not known`);
    return judged('ok', 'ok', took);
  },
});
