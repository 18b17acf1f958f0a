import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { Secret } from '../../../secrets/secret.js';
import { metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { textOrSecret } from '../../secret-param.js';
import { defineControllerStep } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { converse, type Dialogue, ServerFault, shownText } from '../dialogue.js';
import { addressParam, caParam, judgeFailure, judgeSpeed, servernameParam, shownEndpoint } from '../endpoint.js';
import { bind, type Outcome, readEntry, startTls, unbind } from './protocol.js';

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
  /** Seconds in all. */
  readonly seconds: number;
}

export default defineControllerStep<Params, LdapData>({
  kind: 'check.ldap',
  summary: 'Whether an LDAP server lets someone in and gives an entry',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
    ...((given.user === undefined) === (given.password === undefined)
      ? []
      : [{ path: [], what: 'user and password belong together', hint: 'give both, or none for an anonymous login' }]),
  ],
  async call(given, { host, signal }) {
    const { tls, ca } = given;
    const address = given.address ?? host.address;
    const port = given.port ?? (tls === 'implicit' ? 636 : 389);
    const servername = given.servername ?? given.address ?? host.name;
    const { failure, seconds } = await converse(
      { address, port, seconds: parseDuration(given.deadline) },
      signal,
      async (dialogue) => {
        if (tls === 'starttls') {
          const { code, text } = await startTls(dialogue, 1);
          if (code !== 0)
            throw new ServerFault('no-starttls', `the server does not start TLS (${code} ${shownText(text)})`);
        }
        if (tls !== 'none') await dialogue.verified({ servername, ca });
        expectDone('the login', await logIn(dialogue, given));
        const read = await readEntry(dialogue, 3, given.base);
        expectDone(given.base || 'the root DSE', read);
        if (read.entries === 0)
          throw new ServerFault('no-such-object', `${given.base || 'the root DSE'} is not there, or may not be read`);
        unbind(dialogue, 4);
      },
    );
    return { subject: shownEndpoint(address, port), failure, seconds };
  },
  judge({ subject, failure, seconds }, given) {
    if (failure) return judgeFailure(subject, failure);
    const limits = {
      warning: optionalRange(given.warning, 'seconds'),
      critical: optionalRange(given.critical, 'seconds'),
    };
    const gives = given.base === '' ? 'answers' : `gives ${shownText(given.base)}`;
    return {
      ...judgeSpeed(`${subject} ${gives}`, seconds, given),
      metrics: [metricOf('time', seconds, 'seconds', { ...limits, min: 0 })],
    };
  },
});

async function logIn(dialogue: Dialogue, { user, password }: Params): Promise<Outcome> {
  if (user === undefined || password === undefined) return await bind(dialogue, 2, '', '');
  const enter = async (plain: string) => {
    // A name with an empty password is let in as nobody (RFC 4513, 5.1.2), and would look like a success.
    if (plain === '') throw new ServerFault('auth-failed', 'the password is empty', false);
    return await bind(dialogue, 2, user, plain);
  };
  return await (password instanceof Secret ? password.reveal(enter) : enter(password));
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
