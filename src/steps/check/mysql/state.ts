import type { Dialogue } from '../dialogue.js';
import { ServerFault } from '../dialogue.js';
import { answerOf, askReading, mostRows, type QueryAnswer, queryShare, refusedQuery } from '../query.js';
import { type Login, openSession, type Session, StatementRefused } from './client.js';

export interface Channel {
  /** Empty where there is one. */
  readonly name: string;
  /** `Yes`, `No`, `Connecting`: the part that fetches changes, and the one that makes them. */
  readonly fetching: string;
  readonly applying: string;
  /** Number of the last error; 0 for none. */
  readonly error: number;
  /** Seconds; null while the server does not know. */
  readonly lag: number | null;
}

export interface ServerState {
  readonly version: string;
  readonly readOnly: boolean;
  readonly connections: number;
  readonly mostConnections: number;
  /** Where it gets its data from; null when the user may not see it. */
  readonly channels: readonly Channel[] | null;
}

export interface Look {
  readonly state: ServerState;
  /** Null without a query. */
  readonly answer: QueryAnswer | null;
}

/** Logs in, reads the state, asks the query. `seconds` is the time for all of it. */
export async function lookAt(
  dialogue: Dialogue,
  login: Login,
  query: string | undefined,
  seconds: number,
): Promise<Look> {
  const started = performance.now();
  const session = await openSession(dialogue, login);
  const state = await readState(session).catch((error: unknown) => {
    if (!(error instanceof StatementRefused)) throw error;
    throw new ServerFault('mysql-error', `the server does not tell its state (${error.code})`, false);
  });
  const left = seconds - (performance.now() - started) / 1000;
  const answer =
    query === undefined
      ? null
      : await askReading(query, () => askQuery(session, query, left * queryShare, isMariadb(state.version)));
  session.leave();
  return { state, answer };
}

async function readState(session: Session): Promise<ServerState> {
  const { rows } = await session.ask('SELECT VERSION(), @@global.max_connections, @@global.read_only');
  const [version, most, readOnly] = rows[0] ?? [];
  const status = await session.ask("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
  const [connections, mostConnections] = [numberOf(status.rows[0]?.[1]), numberOf(most)];
  if (!version || readOnly == null || !mostConnections) throw notState();
  return {
    version,
    // Newer ones of MariaDB have more words for it than one.
    readOnly: !['0', 'OFF'].includes(readOnly.toUpperCase()),
    connections,
    mostConnections,
    channels: await readChannels(session, isMariadb(version)),
  };
}

/** The words of a server that has its data from another, MariaDB and all versions of MySQL. */
async function readChannels(session: Session, mariadb: boolean): Promise<readonly Channel[] | null> {
  const { columns, rows } = await session
    .ask(mariadb ? 'SHOW ALL SLAVES STATUS' : 'SHOW REPLICA STATUS')
    .catch((error: unknown) => {
      const older = error instanceof StatementRefused && error.code === 1064;
      if (older) return session.ask('SHOW SLAVE STATUS');
      throw error;
    })
    .catch((error: unknown) => {
      if (error instanceof StatementRefused && denied.has(error.code)) return { columns: [], rows: null };
      throw error;
    });
  if (!rows) return null;
  return rows.map((row) => {
    const value = (...names: readonly string[]) => {
      const at = columns.findIndex((column) => names.includes(column));
      if (at === -1) throw notState();
      return row[at] ?? null;
    };
    const lag = value('Seconds_Behind_Source', 'Seconds_Behind_Master');
    return {
      name: value('Connection_name', 'Channel_Name') ?? '',
      fetching: value('Replica_IO_Running', 'Slave_IO_Running') ?? '',
      applying: value('Replica_SQL_Running', 'Slave_SQL_Running') ?? '',
      error: numberOf(value('Last_SQL_Errno')) || numberOf(value('Last_IO_Errno')),
      lag: lag === null ? null : numberOf(lag),
    };
  });
}

/** No right to do this, in general, for a table, a column, a function. */
const denied = new Set([1044, 1142, 1143, 1227, 1370]);

/** What error numbers mean for a query. */
const refusals: Readonly<Record<number, string>> = {
  1046: 'needs a database, name one',
  1049: 'names a database that is not there',
  1054: 'names a column that is not there',
  1064: 'is not in the words of this server',
  1146: 'names a table that is not there',
  1305: 'names a function that is not there',
  1792: 'would change something',
};

/** 1969 is MariaDB's, the others are MySQL's. */
const timeouts = new Set([1317, 1969, 3024]);

async function askQuery(session: Session, query: string, seconds: number, mariadb: boolean): Promise<QueryAnswer> {
  const most = Math.max(0.001, seconds);
  await session.ask(
    mariadb
      ? `SET SESSION max_statement_time = ${most.toFixed(3)}`
      : `SET SESSION max_execution_time = ${Math.ceil(most * 1000)}`,
  );
  await session.ask(`SET SESSION sql_select_limit = ${mostRows + 1}`);
  await session.ask('START TRANSACTION READ ONLY');
  try {
    const { rows } = await session.ask(query);
    await session.ask('ROLLBACK');
    return answerOf(rows);
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error;
    const { code } = error;
    if (timeouts.has(code)) return refusedQuery('query-timeout', `takes longer than ${most.toFixed(1)} s`);
    const detail = denied.has(code) ? 'asks for what the user may not read' : (refusals[code] ?? 'is refused');
    return refusedQuery('query-refused', `${detail} (${code})`);
  }
}

function isMariadb(version: string): boolean {
  return /mariadb/i.test(version);
}

function numberOf(text: string | null | undefined): number {
  if (!text || !/^\d+$/.test(text)) throw notState();
  return Number(text);
}

function notState(): ServerFault {
  return new ServerFault('protocol-error', 'the answer to a question for the state is not one', false);
}
