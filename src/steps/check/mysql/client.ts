import { authPlugins, createConnection, type QueryError } from 'mysql2';
import type { Dialogue } from '../dialogue.js';
import { ServerFault, shownText } from '../dialogue.js';
import { notMysql, type Secured, Wire } from './wire.js';

export interface Login {
  readonly user: string;
  /** Undefined where the server lets the user in without one. */
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly secured: Secured;
}

/** What the server says to a statement that it does not carry out; its words may repeat the statement. */
export class StatementRefused extends Error {
  constructor(readonly code: number) {
    super(`error ${code}`);
  }
}

export type Row = readonly (string | null)[];

export interface Session {
  /** Rows of one statement as text, with the names of the columns. */
  ask(sql: string): Promise<{ readonly columns: readonly string[]; readonly rows: readonly Row[] }>;
  leave(): void;
}

/** Logs in; every failure is a `ServerFault`, an error of the connection, or a `StatementRefused`. */
export async function openSession(dialogue: Dialogue, login: Login): Promise<Session> {
  const { user, password, database, secured } = login;
  let insecure = false;
  // Whoever is in between could give a key of their own, and read the password.
  const onServerPublicKey = () => {
    if (secured) return;
    insecure = true;
    throw new Error('insecure');
  };
  const wire = new Wire(dialogue, secured);
  const connection = createConnection({
    stream: wire,
    user,
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    connectTimeout: 0,
    rowsAsArray: true,
    // Every value as the text that the server sent.
    typeCast: (field) => field.string(),
    // Names of columns are words of the server, and must not become code.
    disableEval: true,
    flags: ['-LOCAL_FILES'],
    connectAttributes: { program_name: 'opsctl' },
    enableCleartextPlugin: secured !== undefined,
    authPlugins: {
      caching_sha2_password: authPlugins.caching_sha2_password({
        overrideIsSecure: secured !== undefined,
        onServerPublicKey,
      }),
      sha256_password: authPlugins.sha256_password({ onServerPublicKey }),
    },
  });
  const failed = new Promise<never>((_, reject) => {
    connection.on('error', (error: QueryError) =>
      reject(insecure ? insecureLogin() : loginFault(error, password !== undefined)),
    );
  });
  failed.catch(() => {});
  // The connection breaks before the library notices, and knows why.
  const ends = [wire.broken, failed];
  await Promise.race([...ends, new Promise<void>((resolve) => connection.once('connect', () => resolve()))]);

  return {
    ask: (sql) =>
      Promise.race([
        ...ends,
        new Promise<{ columns: string[]; rows: Row[] }>((resolve, reject) => {
          connection.query({ sql }, (error, rows, fields) => {
            if (error) reject(error.errno ? new StatementRefused(error.errno) : notMysql());
            else
              resolve({
                columns: (fields ?? []).map(({ name }) => name),
                rows: Array.isArray(rows) ? (rows as unknown as Row[]) : [],
              });
          });
        }),
      ]),
    leave: () => connection.end(() => {}),
  };
}

/** What error numbers mean at a login. Those that are about the login prove nothing about the server. */
const refusals: Readonly<Record<number, readonly [reason: string, proven: boolean]>> = {
  1040: ['too-many-connections', true],
  1203: ['too-many-connections', true],
  1226: ['too-many-connections', true],
  1044: ['no-permission', false],
  1045: ['auth-failed', false],
  1698: ['auth-failed', false],
  1251: ['auth-required', false],
  1820: ['auth-failed', false],
  1862: ['auth-failed', false],
  3118: ['auth-failed', false],
  4151: ['auth-failed', false],
  1049: ['no-database', true],
  1053: ['not-ready', true],
  1129: ['host-refused', false],
  1130: ['host-refused', false],
  3159: ['tls-required', false],
};

function loginFault(error: QueryError, withPassword: boolean): ServerFault {
  if (error.code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED') return insecureLogin();
  if (/unknown plugin/.test(error.message))
    return new ServerFault('auth-required', 'the server wants a login that is not spoken here', false);
  const { errno } = error;
  if (!errno) return notMysql();
  if ((errno === 1045 || errno === 1698) && !withPassword)
    return new ServerFault('auth-required', `the server wants a password (${errno})`, false);
  const [reason, proven] = refusals[errno] ?? ['mysql-error', true];
  return new ServerFault(reason, `the server says ${shownText(error.message, 200)} (${errno})`, proven);
}

function insecureLogin(): ServerFault {
  return new ServerFault('insecure-login', 'the server wants the password in the clear, without TLS', false);
}
