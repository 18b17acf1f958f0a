import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, measure } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the number of messages in the queue is outside this range.'),
      default: 100,
      examples: [100],
    },
    critical: {
      ...rangeSchema('Fail when the number of messages in the queue is outside this range.'),
      default: 500,
      examples: [500],
    },
    'warning-age': {
      ...rangeSchema('Warn when the age of the oldest message is outside this range; a number is seconds.'),
      examples: ['6h'],
    },
    'critical-age': {
      ...rangeSchema('Fail when the age of the oldest message is outside this range; a number is seconds.'),
      examples: ['2d'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface MailQueueData {
  readonly server: string;
  /** Messages by the name of the queue: `active`, `deferred`, `hold` … or `all`. */
  readonly queues: Readonly<Record<string, number>>;
  /** Seconds; null when the server does not tell. 0 for an empty queue. */
  readonly oldest: number | null;
}

export default defineHostStep<FromSchema<typeof params>, MailQueueData>({
  kind: 'check.mail-queue',
  summary: 'Messages that wait in the mail server, and the oldest',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, { warning: 'count', critical: 'count', 'warning-age': 'seconds', 'critical-age': 'seconds' }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const values = new Map(lines);
    const server = values.get('server');
    if (!server || lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the queue is cut off');
    const queues = lines
      .filter(([key]) => key === 'queue')
      .map(([, value]): [string, number] => {
        const [name = '', count] = value.split(' ');
        return [name, numberOf(count, 'messages')];
      });
    const oldest = values.get('oldest');
    if (server !== 'postfix') return { server, queues: Object.fromEntries(queues), oldest: null };
    return {
      server,
      queues: Object.fromEntries(queues),
      oldest:
        oldest === undefined ? 0 : Math.max(0, numberOf(values.get('now'), 'now') - numberOf(oldest, 'arrival time')),
    };
  },
  judge({ server, queues, oldest }, given) {
    const total = Object.values(queues).reduce((sum, count) => sum + count, 0);
    const named = Object.entries(queues)
      .filter(([name]) => name !== 'all')
      .map(([name, count]) => `${count} ${name}`);
    const parts = named.length > 0 ? ` (${named.join(', ')})` : '';
    const phrase = () => `${total === 1 ? '1 message waits' : `${total} messages wait`} in ${server}${parts}`;
    const count = measure(
      'messages',
      total,
      'count',
      { warning: given.warning, critical: given.critical, min: 0 },
      phrase,
    );
    const limits = { warning: given['warning-age'], critical: given['critical-age'], min: 0 };
    const age =
      oldest === null
        ? null
        : measure('oldest', oldest, 'seconds', limits, (time) => `the oldest message in ${server} has waited ${time}`);
    const issues: Issue[] = [...count.issues, ...(age?.issues ?? [])];
    if (!age && total > 0 && (limits.warning !== undefined || limits.critical !== undefined))
      issues.push({ outcome: 'unknown', reason: 'not-measured', text: `${server} does not tell the age of messages` });
    return judgeIssues(issues, { calm: phrase(), metrics: [count.metric, ...(age ? [age.metric] : [])] });
  },
});
