import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import type { Secret } from '../../../secrets/secret.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { textOrSecret, withPlain } from '../../secret-param.js';
import { defineControllerStep, type StepProblem } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { converse, type Dialogue, ServerFault, shownText } from '../dialogue.js';
import {
  addressParam,
  caParam,
  endpointOf,
  judgeFailure,
  measureTime,
  servernameParam,
  shownEndpoint,
} from '../endpoint.js';
import { judgeIssues, measure } from '../issues.js';
import { encodeFilter, FilterError } from './filter.js';
import { bind, type Outcome, search, startTls, unbind } from './protocol.js';

const params = {
  type: 'object',
  properties: {
    address: addressParam,
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      description: 'TCP port. 389, or 636 with `implicit` TLS, when absent.',
    },
    tls: {
      enum: ['starttls', 'implicit', 'none'],
      default: 'starttls',
      description: 'Start TLS in the connection, from the beginning (`implicit`, ldaps), or never.',
    },
    servername: servernameParam,
    ca: caParam,
    user: {
      type: 'string',
      minLength: 1,
      description: 'Name to log in with, as the server wants it. Nobody (anonymous) when absent.',
      examples: ['cn=monitor,dc=example,dc=com', 'monitor@example.com'],
    },
    password: { ...textOrSecret('Password of the user.'), examples: [{ secret: 'env:LDAP_PASSWORD' }] },
    base: {
      type: 'string',
      default: '',
      description: 'Entry that must be there and may be read. What the server says of itself (root DSE) when absent.',
      examples: ['dc=example,dc=com'],
    },
    filter: {
      type: 'string',
      minLength: 1,
      description: 'Filter (RFC 4515) of the entries below `base` that are counted.',
      examples: ['(objectClass=person)', '(&(objectClass=user)(memberOf=cn=admins,dc=example,dc=com))'],
    },
    scope: {
      enum: ['base', 'one', 'sub'],
      default: 'sub',
      description: 'Where `filter` looks: at `base` itself, one level below, or everywhere below.',
    },
    'entries-warning': { ...rangeSchema('Warn when the number of entries is outside this range.'), examples: ['100:'] },
    'entries-critical': {
      ...rangeSchema('Fail when the number of entries is outside this range.'),
      examples: ['1:', '3:5'],
    },
    warning: { ...rangeSchema('Warn when all of it takes longer; a number is seconds.'), examples: ['500ms'] },
    critical: { ...rangeSchema('Fail when all of it takes longer; a number is seconds.'), examples: ['5s'] },
    deadline: deadlineParam,
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'password'> & { readonly password?: string | Secret };

export interface LdapData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  /** What the filter found; null without one. */
  readonly entries: number | null;
  /** Seconds in all. */
  readonly seconds: number;
}

export default defineControllerStep<Params, LdapData>({
  kind: 'check.ldap',
  summary: 'Whether an LDAP server lets someone in, gives an entry, finds others',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      'entries-warning': 'count',
      'entries-critical': 'count',
    }),
    ...((given.user === undefined) === (given.password === undefined)
      ? []
      : [{ path: [], what: 'user and password belong together', hint: 'give both, or none for an anonymous login' }]),
    ...filterProblems(given),
  ],
  async call(given, { host, signal, dial }) {
    const { tls, ca } = given;
    const { address, servername } = endpointOf(given, host);
    const port = given.port ?? (tls === 'implicit' ? 636 : 389);
    const most = parseDuration(given.deadline);
    const { failure, value, seconds } = await converse(
      { address, port, seconds: most, limit: 4_194_304, dial },
      signal,
      async (dialogue) => {
        if (tls === 'starttls') {
          const { code, text } = await startTls(dialogue, 1);
          if (code !== 0)
            throw new ServerFault('no-starttls', `the server does not start TLS (${code} ${shownText(text)})`);
        }
        if (tls !== 'none') await dialogue.verified({ servername, ca });
        expectDone('the login', await logIn(dialogue, given));
        const entries = await look(dialogue, given, most);
        unbind(dialogue, 5);
        return entries;
      },
    );
    return { subject: shownEndpoint(address, port), failure, entries: value, seconds };
  },
  judge({ subject, failure, entries, seconds }, given) {
    if (failure) return judgeFailure(subject, failure);
    const time = measureTime(seconds, given);
    const found =
      entries === null
        ? []
        : [
            measure(
              'entries',
              entries,
              'count',
              { warning: given['entries-warning'], critical: given['entries-critical'], min: 0 },
              () => `has ${entries} ${entries === 1 ? 'entry' : 'entries'} for ${shownText(given.filter ?? '', 120)}`,
            ),
          ];
    const gives = given.base === '' ? [] : [`gives ${shownText(given.base)}`];
    return judgeIssues(
      [...found, time].flatMap(({ issues }) => issues),
      {
        subject,
        calm: [...gives, ...found.map(({ text }) => text), time.text].join(', '),
        metrics: [...found, time].map(({ metric }) => metric),
      },
    );
  },
});

/** The base must be there. Then what the filter finds, null without one. */
async function look(dialogue: Dialogue, { base, filter, scope }: Params, seconds: number): Promise<number | null> {
  const present = { base, scope: 'base', filter: encodeFilter('(objectClass=*)'), seconds } as const;
  const read = await search(dialogue, 3, present);
  const name = base || 'the root DSE';
  expectDone(name, read);
  if (read.entries === 0) throw new ServerFault('no-such-object', `${name} is not there, or may not be read`);
  if (filter === undefined) return null;
  const found = await search(dialogue, 4, { base, scope, filter: readFilter(filter), seconds });
  // With this, the server has counted to its limit, or to ours.
  if (found.code === 4)
    throw new ServerFault('size-limit', `more than ${found.entries} entries, the server counts no further (4)`, false);
  expectDone('the search', found);
  return found.entries;
}

/** Only a filter that an expression gave is wrong here. */
function readFilter(filter: string): Buffer {
  try {
    return encodeFilter(filter);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new ServerFault('bad-filter', `the filter is none: ${error.message}`, false);
  }
}

function filterProblems({ filter, base, ...given }: Params): StepProblem[] {
  const limit = (['entries-warning', 'entries-critical'] as const).find((name) => given[name] !== undefined);
  if (filter === undefined)
    return limit === undefined
      ? []
      : [{ path: [limit], what: 'there is no filter', hint: 'add the filter of the entries that are counted' }];
  const problems: StepProblem[] = [];
  if (limit === undefined)
    problems.push({ path: ['filter'], what: 'without a limit every number is ok', hint: 'add entries-critical: "1:"' });
  if (base === '')
    problems.push({
      path: ['filter'],
      what: 'there is no base to look below',
      hint: 'add base, such as dc=example,dc=com',
    });
  if (filter.includes('${{')) return problems;
  try {
    encodeFilter(filter);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    problems.push({ path: ['filter'], what: `not a filter: ${error.message}`, hint: 'write (attribute=value)' });
  }
  return problems;
}

async function logIn(dialogue: Dialogue, { user, password }: Params): Promise<Outcome> {
  if (user === undefined || password === undefined) return await bind(dialogue, 2, '', '');
  const enter = async (plain: string) => {
    // A name with an empty password is let in as nobody (RFC 4513, 5.1.2), and would look like a success.
    if (plain === '') throw new ServerFault('auth-failed', 'the password is empty', false);
    return await bind(dialogue, 2, user, plain);
  };
  return await withPlain(password, enter);
}

/** What result codes mean. Those that are about what we asked, and not about the server, prove nothing. */
const results: Readonly<Record<number, readonly [reason: string, detail: string, proven: boolean]>> = {
  3: ['timeout', 'took the server too long', true],
  8: ['stronger-auth-required', 'is not allowed without TLS', false],
  10: ['referral', 'is on another server', true],
  13: ['stronger-auth-required', 'is not allowed without TLS', false],
  32: ['no-such-object', 'is not there, or may not be read', true],
  34: ['bad-name', 'has a name that the server cannot read', false],
  48: ['auth-failed', 'was refused: not in this way', false],
  49: ['auth-failed', 'was refused: unknown user or wrong password', false],
  50: ['no-permission', 'may not be read', false],
  51: ['busy', 'was refused: the server is busy', true],
  52: ['unavailable', 'was refused: the server shuts down', true],
  53: ['unwilling', 'was refused: the server is unwilling', false],
};

function expectDone(what: string, { code, text }: Outcome): void {
  if (code === 0) return;
  const [reason, detail, proven] = results[code] ?? ['ldap-error', `gives the result ${code}`, true];
  throw new ServerFault(
    reason,
    `${shownText(what)} ${detail} (${code}${text ? ` ${shownText(text, 120)}` : ''})`,
    proven,
  );
}
