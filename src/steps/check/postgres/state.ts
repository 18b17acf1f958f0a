import { setTimeout as sleep } from 'node:timers/promises';
import type { Dialogue } from '../dialogue.js';
import { ServerFault } from '../dialogue.js';
import { answerOf, mostRows, type QueryAnswer, refusedQuery } from '../query.js';
import { PostgresError, type Row, runOne, runStatements } from './protocol.js';

export interface Follower {
  readonly name: string;
  readonly bytes: number;
  /** Seconds; null while the server has not measured it. */
  readonly seconds: number | null;
}

export interface ServerState {
  readonly standby: boolean;
  readonly connections: number;
  readonly mostConnections: number;
  /** Seconds that a standby is behind; null for a primary, and where nothing has been replayed yet. */
  readonly lag: number | null;
  /** What a standby has not replayed; null for a primary, and for one that nobody sends to. */
  readonly lagBytes: number | null;
  /** Age in seconds of the oldest transaction, 0 without one; null when the user may not see it. */
  readonly oldest: number | null;
  /** Failures so far of an archiver whose last try has failed; 0 when all is well; null when it does not archive. */
  readonly archiveFailures: number | null;
  /** Who follows this server; null when the user may not see it. */
  readonly followers: readonly Follower[] | null;
}

/**
 * Needs no right, but tells less without `pg_monitor`. A standby that has replayed all that it was sent is not behind,
 * as long as someone sends: without a sender, the age of the last change counts.
 */
const stateSql = `SELECT pg_is_in_recovery(), (SELECT sum(numbackends) FROM pg_stat_database), current_setting('max_connections'),
CASE WHEN NOT pg_is_in_recovery() THEN NULL
WHEN EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END,
(SELECT pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), latest_end_lsn), pg_last_wal_replay_lsn()) FROM pg_stat_wal_receiver),
CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN extract(epoch FROM clock_timestamp() - least(clock_timestamp(),
(SELECT min(xact_start) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
(SELECT min(prepared) FROM pg_prepared_xacts))) END,
(SELECT CASE WHEN NOT (current_setting('archive_mode') = 'always' OR current_setting('archive_mode') = 'on' AND NOT pg_is_in_recovery()) THEN NULL
WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN failed_count ELSE 0 END FROM pg_stat_archiver)`;

/** Those that fetch changes without making them (`pg_receivewal`) follow nobody. */
const followersSql = `SELECT state IS NULL, concat_ws(' ', application_name, host(client_addr)),
pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, replay_lsn),
extract(epoch FROM replay_lag) FROM pg_stat_replication WHERE state IS NULL OR replay_lsn IS NOT NULL ORDER BY 2`;

export async function readState(dialogue: Dialogue): Promise<ServerState> {
  const rows = await runStatements(dialogue, stateSql);
  const [standby, connections, most, lag, lagBytes, oldest, archiveFailures] = rows[0] ?? [];
  const mostConnections = numberOf(most);
  if ((standby !== 't' && standby !== 'f') || mostConnections < 1) throw notState();
  return {
    standby: standby === 't',
    connections: numberOf(connections),
    mostConnections,
    // Its clock, read twice, and the clock of the sender are not one.
    lag: atLeastZero(lag),
    // More may have been replayed since the last word of the sender.
    lagBytes: atLeastZero(lagBytes),
    oldest: atLeastZero(oldest),
    archiveFailures: numberOrNull(archiveFailures),
    followers: await readFollowers(dialogue),
  };
}

/** Changes that were made this moment have no time yet: looks again, for a second at most. */
async function readFollowers(dialogue: Dialogue): Promise<readonly Follower[] | null> {
  for (let tries = 0; ; tries += 1) {
    const rows = await runStatements(dialogue, followersSql);
    if (rows.some(([hidden]) => hidden !== 'f')) return null;
    const followers = rows.map(readFollower);
    if (tries === 5 || followers.every(({ seconds }) => seconds !== null)) return followers;
    await sleep(200);
  }
}

function readFollower([, name, difference, replayLag]: Row): Follower {
  // A standby may have heard of more than was there when this was asked.
  const bytes = Math.max(0, numberOf(difference));
  return { name: name ?? '', bytes, seconds: bytes === 0 ? 0 : numberOrNull(replayLag) };
}

/** What states mean for a query. */
const refusals: Readonly<Record<string, string>> = {
  '25006': 'would change something',
  '42501': 'asks for what the user may not read',
  '42601': 'is not in the words of this server, or is more than one',
  '42703': 'names a column that is not there',
  '42883': 'names a function that is not there',
  '42P01': 'names a table that is not there',
};

/** Runs the query so that it can only read, for this time at most. The transaction ends with the connection. */
export async function askQuery(dialogue: Dialogue, query: string, seconds: number): Promise<QueryAnswer> {
  const most = Math.max(0.001, seconds);
  await runStatements(dialogue, `BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.ceil(most * 1000)}`);
  try {
    return answerOf(await runOne(dialogue, query, mostRows + 1));
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    const { state } = error;
    // The server is leaving (57P01 and the like), which says more than that a query has failed.
    if (state.startsWith('57P')) throw error;
    if (state === '57014') return refusedQuery('query-timeout', `takes longer than ${most.toFixed(1)} s`);
    return refusedQuery(
      'query-refused',
      `${refusals[state] ?? 'is refused'} (${/^[0-9A-Z]{5}$/.test(state) ? state : '?'})`,
    );
  }
}

function atLeastZero(text: string | null | undefined): number | null {
  const value = numberOrNull(text);
  return value === null ? null : Math.max(0, value);
}

function numberOrNull(text: string | null | undefined): number | null {
  return text === null ? null : numberOf(text);
}

function numberOf(text: string | null | undefined): number {
  if (!text || !/^-?\d+(\.\d+)?$/.test(text)) throw notState();
  return Number(text);
}

function notState(): ServerFault {
  return new ServerFault('protocol-error', 'the answer to a question for the state is not one', false);
}
