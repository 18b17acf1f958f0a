import { createHash } from 'node:crypto';
import { type Dialogue, ServerFault, shownText } from '../dialogue.js';
import { beginScram } from './scram.js';

/** The little of the protocol of PostgreSQL (version 3) that a look needs: TLS, log in, one query. */
interface Message {
  readonly type: string;
  readonly body: Buffer;
}

export interface Login {
  readonly user: string;
  readonly database: string;
  /** Undefined where the server lets the user in without one. */
  readonly password: string | undefined;
  /** Under TLS, with a server that is known: only then is a password said as it is. */
  readonly secured: boolean;
}

/** Asks for TLS; the server has agreed when this returns. */
export async function askForTls(dialogue: Dialogue): Promise<void> {
  dialogue.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
  const answer = (await dialogue.bytes(1)).toString('latin1');
  if (answer === 'N') throw new ServerFault('no-tls', 'the server does not speak TLS');
  if (answer !== 'S') throw new ServerFault('protocol-error', 'not the words of PostgreSQL');
}

export async function logIn(dialogue: Dialogue, login: Login): Promise<void> {
  const { user, database } = login;
  const words = ['user', user, 'database', database, 'application_name', 'opsctl', 'client_encoding', 'UTF8', ''];
  const body = Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.from(words.map((word) => `${word}\0`).join(''))]);
  dialogue.write(Buffer.concat([length(body), body]));
  const scram = beginScram();
  let proven = true;
  while (true) {
    const { type, body: said } = await nextMessage(dialogue);
    if (type === 'Z') return;
    // Parameters, the key to cancel, notices.
    if (type === 'S' || type === 'K' || type === 'N' || type === 'v') continue;
    if (type !== 'R' || said.length < 4) throw notPostgres(`a message of the wrong kind (${shownText(type)})`);
    const rest = said.subarray(4);
    const { password = '' } = login;
    switch (said.readInt32BE(0)) {
      case 0:
        if (!proven) throw new ServerFault('untrusted-server', 'the server does not prove that it knows the password');
        break;
      case 3:
        if (!login.secured)
          throw new ServerFault('insecure-login', 'the server wants the password in the clear, without TLS', false);
        say(dialogue, 'p', `${needed(password)}\0`);
        break;
      case 5:
        say(dialogue, 'p', `md5${md5(md5(needed(password) + user), rest.subarray(0, 4))}\0`);
        break;
      case 10:
        if (!rest.toString('latin1').split('\0').includes('SCRAM-SHA-256')) throw unknownLogin();
        needed(password);
        proven = false;
        say(
          dialogue,
          'p',
          Buffer.concat([
            Buffer.from('SCRAM-SHA-256\0'),
            length(Buffer.from(scram.first), 0),
            Buffer.from(scram.first),
          ]),
        );
        break;
      case 11:
        if (proven) throw notPostgres('a login out of turn');
        say(dialogue, 'p', await scram.answer(rest.toString('utf8'), password));
        break;
      case 12:
        scram.verify(rest.toString('utf8'));
        proven = true;
        break;
      default:
        throw unknownLogin();
    }
  }
}

export type Row = readonly (string | null)[];

/** Runs statements of ours, and gives the rows of all of them. */
export async function runStatements(dialogue: Dialogue, sql: string): Promise<readonly Row[]> {
  say(dialogue, 'Q', `${sql}\0`);
  return await readRows(dialogue, ['T', 'C']);
}

/** Runs one statement, which the server refuses when it is several, for at most so many rows. */
export async function runOne(dialogue: Dialogue, sql: string, most: number): Promise<readonly Row[]> {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(most);
  say(dialogue, 'P', Buffer.from(`\0${sql}\0\0\0`));
  say(dialogue, 'B', Buffer.alloc(8));
  say(dialogue, 'E', Buffer.concat([Buffer.alloc(1), count]));
  say(dialogue, 'S', '');
  return await readRows(dialogue, ['1', '2', 'C', 's', 'I']);
}

async function readRows(dialogue: Dialogue, expected: readonly string[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  while (true) {
    const { type, body } = await nextMessage(dialogue);
    if (type === 'D') rows.push(readRow(body));
    else if (type === 'Z') return rows;
    else if (type !== 'N' && type !== 'S' && !expected.includes(type))
      throw notPostgres(`a message of the wrong kind (${shownText(type)})`);
  }
}

export function leave(dialogue: Dialogue): void {
  say(dialogue, 'X', '');
}

/** Most bytes of one message. */
const longest = 1_000_000;

async function nextMessage(dialogue: Dialogue): Promise<Message> {
  const head = await dialogue.read((bytes) => {
    // Every message that a server sends begins with a letter, a web server's with other words.
    if (bytes.length > 0 && !/[A-Za-z0-9]/.test(String.fromCharCode(bytes[0] ?? 0)))
      throw notPostgres('not the words of PostgreSQL');
    return bytes.length < 5 ? undefined : { value: Buffer.from(bytes.subarray(0, 5)), used: 5 };
  });
  const size = head.readUInt32BE(1);
  if (size < 4 || size > longest) throw notPostgres('not the words of PostgreSQL');
  const message = { type: head.toString('latin1', 0, 1), body: await dialogue.bytes(size - 4) };
  if (message.type === 'E') throw refusal(message.body);
  return message;
}

/** What SQLSTATE codes mean. Those that are about the login prove nothing about the server. */
const states: Readonly<Record<string, readonly [reason: string, proven: boolean]>> = {
  '28000': ['auth-failed', false],
  '28P01': ['auth-failed', false],
  '3D000': ['no-database', true],
  '42501': ['no-permission', false],
  '53300': ['too-many-connections', true],
  '57P03': ['not-ready', true],
};

/** What the server says instead of an answer. For a statement that is not ours, its words may repeat it. */
export class PostgresError extends ServerFault {
  readonly state: string;

  constructor(state: string, words: string) {
    const [reason, proven] = states[state] ?? ['postgres-error', true];
    super(reason, `the server says ${shownText(words, 200)} (${shownText(state)})`, proven);
    this.state = state;
  }
}

function refusal(body: Buffer): PostgresError {
  const fields = new Map(
    body
      .toString('utf8')
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return new PostgresError(fields.get('C') ?? '', fields.get('M') ?? '');
}

function readRow(body: Buffer): Row {
  try {
    let at = 2;
    return Array.from({ length: body.readUInt16BE(0) }, () => {
      const size = body.readInt32BE(at);
      at += 4;
      if (size === -1) return null;
      if (size < 0 || at + size > body.length) throw new RangeError();
      at += size;
      return body.toString('utf8', at - size, at);
    });
  } catch {
    throw notPostgres('a row that is cut off');
  }
}

function say(dialogue: Dialogue, type: string, content: string | Buffer): void {
  const body = Buffer.from(content as string);
  dialogue.write(Buffer.concat([Buffer.from(type), length(body), body]));
}

/** The length in front of a part, which counts itself unless told otherwise. */
function length(body: Buffer, own = 4): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(body.length + own);
  return bytes;
}

function md5(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function needed(password: string): string {
  if (password === '') throw new ServerFault('auth-required', 'the server wants a password', false);
  return password;
}

function unknownLogin(): ServerFault {
  return new ServerFault('auth-required', 'the server wants a login that is not spoken here', false);
}

function notPostgres(detail: string): ServerFault {
  return new ServerFault('protocol-error', detail);
}
