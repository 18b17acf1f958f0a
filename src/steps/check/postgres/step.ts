import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import type { Metric } from '../../../result/result.schema.js';
import type { Secret } from '../../../secrets/secret.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { textOrSecret, withPlain } from '../../secret-param.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { connectionsParams, databaseTlsParam, measureConnections } from '../database.js';
import { deadlineParam } from '../deadline.js';
import { converse, shownText } from '../dialogue.js';
import {
  addressParam,
  caParam,
  endpointOf,
  judgeFailure,
  measureTime,
  servernameParam,
  shownEndpoint,
} from '../endpoint.js';
import { type Issue, judgeIssues, type Measurement, measure, unclear, wrong } from '../issues.js';
import { askReading, judgeQuery, type QueryAnswer, queryParams, queryProblems, queryShare } from '../query.js';
import { askForTls, leave, logIn } from './protocol.js';
import { askQuery, readState, type ServerState } from './state.js';

const params = {
  type: 'object',
  properties: {
    address: addressParam,
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 5432, description: 'TCP port.' },
    user: { type: 'string', minLength: 1, description: 'User to log in as.', examples: ['monitor'] },
    password: {
      ...textOrSecret('Password of the user. It may be absent where the server lets the user in without one.'),
      examples: [{ secret: 'env:PG_PASSWORD' }],
    },
    database: { type: 'string', minLength: 1, default: 'postgres', description: 'Database to connect to.' },
    tls: databaseTlsParam,
    servername: servernameParam,
    ca: caParam,
    role: { enum: ['primary', 'standby'], description: 'Fail when the server has the other role.' },
    ...connectionsParams,
    'lag-warning': {
      ...rangeSchema('Warn when a standby is further behind, this one or one that follows; a number is seconds.'),
      examples: ['30s'],
    },
    'lag-critical': {
      ...rangeSchema('Fail when a standby is further behind, this one or one that follows; a number is seconds.'),
      examples: ['5m'],
    },
    'lag-bytes-warning': { ...rangeSchema('Warn when a standby has more to replay.'), examples: ['64MiB'] },
    'lag-bytes-critical': { ...rangeSchema('Fail when a standby has more to replay.'), examples: ['1GiB'] },
    standbys: {
      ...rangeSchema('Fail when the number of standbys and subscribers that follow this server is outside this range.'),
      examples: ['1:', '2:2'],
    },
    'transaction-warning': {
      ...rangeSchema('Warn when the oldest transaction has been open for longer; a number is seconds.'),
      examples: ['10m'],
    },
    'transaction-critical': {
      ...rangeSchema('Fail when the oldest transaction has been open for longer; a number is seconds.'),
      examples: ['1h'],
    },
    archiver: {
      enum: ['ok', 'warning', 'failed'],
      default: 'failed',
      description: 'What it means that the last try to archive a piece of the log has failed.',
    },
    ...queryParams,
    warning: { ...rangeSchema('Warn when all of it takes longer; a number is seconds.'), examples: ['500ms'] },
    critical: { ...rangeSchema('Fail when all of it takes longer; a number is seconds.'), examples: ['5s'] },
    deadline: deadlineParam,
  },
  required: ['user'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'password'> & { readonly password?: string | Secret };

export interface PostgresData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  readonly state: ServerState | null;
  /** Null without a query. */
  readonly answer: QueryAnswer | null;
  /** Seconds in all. */
  readonly seconds: number;
}

export default defineControllerStep<Params, PostgresData>({
  kind: 'check.postgres',
  summary: 'Login, role, replication, archiver, a query of PostgreSQL',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      'lag-warning': 'seconds',
      'lag-critical': 'seconds',
      'lag-bytes-warning': 'bytes',
      'lag-bytes-critical': 'bytes',
      'transaction-warning': 'seconds',
      'transaction-critical': 'seconds',
      'connections-warning': 'ratio',
      'connections-critical': 'ratio',
      standbys: 'count',
    }),
    ...queryProblems(given),
  ],
  async call(given, { host, signal, dial }) {
    const { port, user, database, password, tls: secured, ca, query } = given;
    const { address, servername } = endpointOf(given, host);
    const most = parseDuration(given.deadline);
    const started = performance.now();
    const { failure, value, seconds } = await converse(
      { address, port, seconds: most, limit: 1_048_576, dial },
      signal,
      async (dialogue) => {
        if (secured) {
          await askForTls(dialogue);
          await dialogue.verified({ servername, ca });
        }
        const enter = (plain?: string) => logIn(dialogue, { user, database, password: plain, secured });
        await withPlain(password, enter);
        const state = await readState(dialogue);
        const left = most - (performance.now() - started) / 1000;
        const answer =
          query === undefined ? null : await askReading(query, () => askQuery(dialogue, query, left * queryShare));
        leave(dialogue);
        return { state, answer };
      },
    );
    const { state = null, answer = null } = value ?? {};
    return { subject: shownEndpoint(address, port), failure, state, answer, seconds };
  },
  judge({ subject, failure, state, answer, seconds }, given) {
    if (failure) return judgeFailure(subject, failure);
    if (!state) return { outcome: 'unknown', reason: 'no-answer', summary: `${subject}: no answer` };
    return judgeState(subject, state, answer, seconds, given);
  },
});

function judgeState(
  subject: string,
  state: ServerState,
  answer: QueryAnswer | null,
  seconds: number,
  given: Params,
): Judgement {
  const role = state.standby ? 'standby' : 'primary';
  const used = measureConnections(state, given);
  const time = measureTime(seconds, given);
  const replication = judgeReplication(state, given);
  const transactions = judgeTransactions(state, given);
  const query = answer && judgeQuery(answer, given);
  return judgeIssues(
    [
      ...(given.role !== undefined && given.role !== role
        ? [wrong('role', `is a ${role}, should be a ${given.role}`)]
        : []),
      ...judgeArchiver(state, given),
      ...replication.issues,
      ...used.issues,
      ...transactions.issues,
      ...(query?.issues ?? []),
      ...time.issues,
    ],
    {
      subject,
      calm: [`is a ${role}`, used.text, ...replication.texts, ...(query ? [query.text] : []), time.text].join(', '),
      metrics: [used.metric, ...replication.metrics, ...transactions.metrics, time.metric, ...(query?.metrics ?? [])],
    },
  );
}

function judgeArchiver({ archiveFailures }: ServerState, { archiver }: Params): Issue[] {
  if (!archiveFailures || archiver === 'ok') return [];
  const text = `cannot archive its log, ${archiveFailures} ${archiveFailures === 1 ? 'try has' : 'tries have'} failed`;
  return [{ outcome: archiver, reason: 'archiver', text }];
}

interface Judged {
  readonly issues: readonly Issue[];
  readonly metrics: readonly Metric[];
}

function judgeTransactions({ oldest }: ServerState, given: Params): Judged {
  const limits = { warning: given['transaction-warning'], critical: given['transaction-critical'], min: 0 };
  if (oldest !== null) {
    const { issues, metric } = measure(
      'oldest-transaction',
      oldest,
      'seconds',
      limits,
      (quantity) => `has a transaction open for ${quantity}`,
    );
    return { issues, metrics: [metric] };
  }
  const limited = limits.warning !== undefined || limits.critical !== undefined;
  return { issues: limited ? [hidden(given, 'transactions')] : [], metrics: [] };
}

/** How far this server is behind, and those that follow it. */
function judgeReplication(state: ServerState, given: Params): Judged & { readonly texts: readonly string[] } {
  const { standby, lag, lagBytes, followers } = state;
  const limits = { warning: given['lag-warning'], critical: given['lag-critical'], min: 0 };
  const byteLimits = { warning: given['lag-bytes-warning'], critical: given['lag-bytes-critical'], min: 0 };
  const timed = limits.warning !== undefined || limits.critical !== undefined;
  const sized = byteLimits.warning !== undefined || byteLimits.critical !== undefined;
  const counted = given.standbys !== undefined;
  const issues: Issue[] = [];
  const metrics: Metric[] = [];
  const texts: string[] = [];
  const add = ({ issues: found, metric, text }: Measurement, shown = false) => {
    issues.push(...found);
    metrics.push(metric);
    if (shown) texts.push(text);
  };
  if (lag !== null)
    add(
      measure('lag', lag, 'seconds', limits, (quantity) => `is ${quantity} behind`),
      true,
    );
  if (lagBytes !== null)
    add(measure('lag-bytes', lagBytes, 'bytes', byteLimits, (quantity) => `has ${quantity} to replay`));
  if (standby && timed && lag === null)
    issues.push(unclear('no-lag', 'is a standby that has not replayed anything, so its lag is not known'));
  if (standby && sized && lagBytes === null)
    issues.push(unclear('no-lag', 'is a standby that nobody sends to, so what it lacks is not known'));
  if (followers === null) {
    if (counted || ((timed || sized) && !standby)) issues.push(hidden(given, 'who follows'));
    return { issues, metrics, texts };
  }
  if (counted || followers.length > 0)
    add(
      measure(
        'standbys',
        followers.length,
        'count',
        { critical: given.standbys, min: 0 },
        (quantity) => `has ${quantity} ${followers.length === 1 ? 'standby' : 'standbys'}`,
      ),
      true,
    );
  for (const { name: whole, bytes, seconds } of followers) {
    const name = shownText(whole);
    add(measure(`lag-bytes{${name}}`, bytes, 'bytes', byteLimits, (quantity) => `${name} has ${quantity} to replay`));
    if (seconds !== null)
      add(measure(`lag{${name}}`, seconds, 'seconds', limits, (quantity) => `${name} is ${quantity} behind`));
    else if (timed) issues.push(unclear('no-lag', `the lag of ${name} is not known`));
  }
  return { issues, metrics, texts };
}

function hidden({ user }: Params, what: string): Issue {
  return unclear('no-permission', `${user} may not see ${what}`);
}
