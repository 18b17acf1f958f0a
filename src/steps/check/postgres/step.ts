import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { Secret } from '../../../secrets/secret.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema, type Unit } from '../../range.js';
import { textOrSecret } from '../../secret-param.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { converse, ServerFault } from '../dialogue.js';
import { addressParam, caParam, judgeFailure, servernameParam, shownEndpoint } from '../endpoint.js';
import { askForTls, leave, logIn, queryRow } from './protocol.js';

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
    tls: {
      type: 'boolean',
      default: true,
      description: 'Speak TLS, and verify the certificate before anyone logs in.',
    },
    servername: servernameParam,
    ca: caParam,
    role: { enum: ['primary', 'standby'], description: 'Fail when the server has the other role.' },
    'connections-warning': {
      ...rangeSchema('Warn when more of the connections that the server allows are in use.'),
      default: '80%',
    },
    'connections-critical': {
      ...rangeSchema('Fail when more of the connections that the server allows are in use.'),
      default: '95%',
    },
    'lag-warning': { ...rangeSchema('Warn when a standby is further behind; a number is seconds.'), examples: ['30s'] },
    'lag-critical': { ...rangeSchema('Fail when a standby is further behind; a number is seconds.'), examples: ['5m'] },
    warning: { ...rangeSchema('Warn when all of it takes longer; a number is seconds.'), examples: ['500ms'] },
    critical: { ...rangeSchema('Fail when all of it takes longer; a number is seconds.'), examples: ['5s'] },
    deadline: deadlineParam,
  },
  required: ['user'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'password'> & { readonly password?: string | Secret };

export interface ServerState {
  readonly standby: boolean;
  readonly connections: number;
  readonly mostConnections: number;
  /** Seconds that a standby is behind; null for a primary, and where nothing has been replayed yet. */
  readonly lag: number | null;
}

export interface PostgresData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  readonly state: ServerState | null;
  /** Seconds in all. */
  readonly seconds: number;
}

/**
 * Needs no right. A standby that has replayed all that it was sent is not behind, as long as someone sends: without
 * a sender, the age of the last change counts.
 */
const sql = `SELECT pg_is_in_recovery(), (SELECT sum(numbackends) FROM pg_stat_database), current_setting('max_connections'),
CASE WHEN NOT pg_is_in_recovery() THEN NULL
WHEN EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END`;

export default defineControllerStep<Params, PostgresData>({
  kind: 'check.postgres',
  summary: 'Login, role, connections and replication lag of PostgreSQL',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      'lag-warning': 'seconds',
      'lag-critical': 'seconds',
      'connections-warning': 'ratio',
      'connections-critical': 'ratio',
    }),
  async call(given, { host, signal }) {
    const { port, user, database, password, tls: secured, ca } = given;
    const address = given.address ?? host.address;
    const servername = given.servername ?? given.address ?? host.name;
    const { failure, value, seconds } = await converse(
      { address, port, seconds: parseDuration(given.deadline) },
      signal,
      async (dialogue) => {
        if (secured) {
          await askForTls(dialogue);
          await dialogue.verified({ servername, ca });
        }
        const enter = (plain?: string) => logIn(dialogue, { user, database, password: plain, secured });
        await (password instanceof Secret ? password.reveal(enter) : enter(password));
        const state = readState(await queryRow(dialogue, sql));
        leave(dialogue);
        return state;
      },
    );
    return { subject: shownEndpoint(address, port), failure, state: value, seconds };
  },
  judge({ subject, failure, state, seconds }, given) {
    if (failure) return judgeFailure(subject, failure);
    if (!state) return { outcome: 'unknown', reason: 'no-answer', summary: `${subject}: no answer` };
    return judgeState(subject, state, seconds, given);
  },
});

function readState([standby, connections, most, lag]: readonly (string | null)[]): ServerState {
  const number = (text: string | null | undefined) =>
    text && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  const state = {
    standby: standby === 't',
    connections: number(connections),
    mostConnections: number(most),
    lag: lag === null ? null : number(lag),
  };
  const whole =
    (standby === 't' || standby === 'f') &&
    !Number.isNaN(state.connections + (state.lag ?? 0)) &&
    state.mostConnections > 0;
  if (!whole) throw new ServerFault('protocol-error', 'the answer to the query is not one', false);
  return state;
}

function judgeState(subject: string, state: ServerState, seconds: number, given: Params): Judgement {
  const { standby, connections, mostConnections, lag } = state;
  const role = standby ? 'standby' : 'primary';
  const used = connections / mostConnections;
  const look = (name: string, text: string, value: number, unit: Unit, low: keyof Params, high: keyof Params) => {
    const limits = {
      warning: optionalRange(given[low] as string | undefined, unit),
      critical: optionalRange(given[high] as string | undefined, unit),
    };
    const verdict = judgeNumber(value, limits.warning, limits.critical);
    const limit = verdict.limit ? `, ${formatLimit(verdict.limit, unit)}` : '';
    return { ...verdict, text: `${text}${limit}`, metric: metricOf(name, value, unit, { ...limits, min: 0 }) };
  };
  const looks = [
    look(
      'connections',
      `uses ${formatQuantity(used, 'ratio')} of ${mostConnections} connections`,
      used,
      'ratio',
      'connections-warning',
      'connections-critical',
    ),
    ...(lag === null
      ? []
      : [look('lag', `is ${formatQuantity(lag, 'seconds')} behind`, lag, 'seconds', 'lag-warning', 'lag-critical')]),
    look('time', `answers in ${formatQuantity(seconds, 'seconds')}`, seconds, 'seconds', 'warning', 'critical'),
  ];
  const judged = (outcome: Judgement['outcome'], reason: string, text: string): Judgement => ({
    outcome,
    reason,
    summary: `${subject} ${text}`,
    metrics: looks.map(({ metric }) => metric),
  });

  if (given.role !== undefined && given.role !== role)
    return judged('failed', 'role', `is a ${role}, should be a ${given.role}`);
  const failed = looks.find(({ level }) => level === 'failed');
  if (failed) return judged('failed', failed.reason, failed.text);
  const limited = given['lag-warning'] !== undefined || given['lag-critical'] !== undefined;
  if (standby && lag === null && limited)
    return judged('unknown', 'no-lag', 'is a standby that has not replayed anything, so its lag is not known');
  const warning = looks.find(({ level }) => level === 'warning');
  if (warning) return judged('warning', warning.reason, warning.text);
  return judged('ok', 'ok', `is a ${role}, ${looks.map(({ text }) => text).join(', ')}`);
}
