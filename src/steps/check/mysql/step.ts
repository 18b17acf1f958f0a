import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
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
import { judgeQuery, queryParams, queryProblems } from '../query.js';
import type { Channel, Look } from './state.js';

const params = {
  type: 'object',
  properties: {
    address: addressParam,
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 3306, description: 'TCP port.' },
    user: { type: 'string', minLength: 1, description: 'User to log in as.', examples: ['monitor'] },
    password: {
      ...textOrSecret('Password of the user. It may be absent where the server lets the user in without one.'),
      examples: [{ secret: 'env:MYSQL_PASSWORD' }],
    },
    database: { type: 'string', minLength: 1, description: 'Database to connect to, for `query`.', examples: ['shop'] },
    tls: databaseTlsParam,
    servername: servernameParam,
    ca: caParam,
    role: {
      enum: ['primary', 'replica'],
      description: 'Fail when the server has the other role. A replica is one that has its data from another.',
    },
    'read-only': { type: 'boolean', description: 'Fail when the server lets users write, or does not.' },
    ...connectionsParams,
    'lag-warning': { ...rangeSchema('Warn when a replica is further behind; a number is seconds.'), examples: ['30s'] },
    'lag-critical': { ...rangeSchema('Fail when a replica is further behind; a number is seconds.'), examples: ['5m'] },
    ...queryParams,
    warning: { ...rangeSchema('Warn when all of it takes longer; a number is seconds.'), examples: ['500ms'] },
    critical: { ...rangeSchema('Fail when all of it takes longer; a number is seconds.'), examples: ['5s'] },
    deadline: deadlineParam,
  },
  required: ['user'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'password'> & { readonly password?: string | Secret };

export interface MysqlData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  readonly look: Look | null;
  /** Seconds in all. */
  readonly seconds: number;
}

export default defineControllerStep<Params, MysqlData>({
  kind: 'check.mysql',
  summary: 'Login, role, connections, replication, a query of MySQL or MariaDB',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      'lag-warning': 'seconds',
      'lag-critical': 'seconds',
      'connections-warning': 'ratio',
      'connections-critical': 'ratio',
    }),
    ...queryProblems(given),
  ],
  async call(given, { host, signal, dial }) {
    const { lookAt } = await import('./state.js');
    const { port, user, database, password, tls, ca, query } = given;
    const { address, servername } = endpointOf(given, host);
    const seconds = parseDuration(given.deadline);
    const talked = await converse({ address, port, seconds, limit: 1_048_576, dial }, signal, async (dialogue) => {
      const secured = tls ? { servername, ca } : undefined;
      const enter = (plain?: string) => lookAt(dialogue, { user, database, password: plain, secured }, query, seconds);
      return await withPlain(password, enter);
    });
    const { failure, value: look } = talked;
    return { subject: shownEndpoint(address, port), failure, look, seconds: talked.seconds };
  },
  judge({ subject, failure, look, seconds }, given) {
    if (failure) return judgeFailure(subject, failure);
    if (!look) return { outcome: 'unknown', reason: 'no-answer', summary: `${subject}: no answer` };
    return judgeLook(subject, look, seconds, given);
  },
});

function judgeLook(subject: string, { state, answer }: Look, seconds: number, given: Params): Judgement {
  const { readOnly, channels } = state;
  const used = measureConnections(state, given);
  const time = measureTime(seconds, given);
  const lags = (channels ?? []).flatMap((channel) => judgeLag(channel, given) ?? []);
  const limited = given['lag-warning'] !== undefined || given['lag-critical'] !== undefined;
  const query = answer && judgeQuery(answer, given);
  const role = channels === null ? undefined : channels.length > 0 ? 'replica' : 'primary';
  const writing = readOnly ? 'read-only' : 'not read-only';
  const issues: Issue[] = [
    ...(role !== undefined && given.role !== undefined && given.role !== role
      ? [wrong('role', `is a ${role}, should be a ${given.role}`)]
      : []),
    ...(given['read-only'] !== undefined && given['read-only'] !== readOnly
      ? [wrong('read-only', `is ${writing}`)]
      : []),
    ...(channels ?? []).flatMap(judgeRunning),
    ...(channels === null && (limited || given.role !== undefined)
      ? [unclear('no-permission', `${given.user} may not see replication`)]
      : []),
    ...(limited && channels?.some(({ lag }) => lag === null) ? [unclear('no-lag', 'does not know its lag')] : []),
    ...[...lags, used, time].flatMap((one) => one.issues),
    ...(query?.issues ?? []),
  ];
  const calm = [
    `is a ${role ? `${readOnly ? 'read-only ' : ''}${role}` : `server, ${writing}`}`,
    used.text,
    ...lags.map(({ text }) => text),
    ...(query ? [query.text] : []),
    time.text,
  ];
  return judgeIssues(issues, {
    subject,
    calm: calm.join(', '),
    metrics: [used, ...lags, time].map(({ metric }) => metric).concat(query?.metrics ?? []),
  });
}

/** A replica that does not run falls behind, whatever its last number says. */
function judgeRunning({ name, fetching, applying, error }: Channel): Issue[] {
  const why = error === 0 ? '' : ` (error ${error})`;
  const which = name === '' ? '' : ` of ${shownText(name)}`;
  if (applying !== 'Yes') return [wrong('replication', `has stopped to make the changes${which}${why}`)];
  if (fetching === 'Connecting') return [wrong('replication', `has lost its primary${which}${why}`)];
  if (fetching !== 'Yes') return [wrong('replication', `has stopped to fetch the changes${which}${why}`)];
  return [];
}

function judgeLag({ name, lag }: Channel, given: Params): Measurement | undefined {
  if (lag === null) return undefined;
  const which = name === '' ? '' : ` ${shownText(name)}`;
  return measure(
    name === '' ? 'lag' : `lag{${shownText(name)}}`,
    lag,
    'seconds',
    { warning: given['lag-warning'], critical: given['lag-critical'], min: 0 },
    (quantity) => `is ${quantity} behind${which}`,
  );
}
