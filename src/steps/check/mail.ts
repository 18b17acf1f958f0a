import { parseDuration } from '../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../documents/json-schema.js';
import { foundPattern, missingPattern, patternProblems, patternsSchema } from '../patterns.js';
import { formatLimit, formatQuantity } from '../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../range.js';
import type { CallContext, ControllerStep, Judgement } from '../step.js';
import type { ConnectionFailure } from './connection.js';
import { deadlineParam } from './deadline.js';
import { converse, type Dialogue, ServerFault, shownText } from './dialogue.js';
import { addressParam, caParam, endpointOf, judgeFailure, servernameParam, shownEndpoint } from './endpoint.js';
import { judgePeer, type TlsPeer } from './peer.js';

/** What the looks at mail servers share: a greeting, TLS from the start or later, and what the server can do. */
export const mailParams = {
  type: 'object',
  properties: {
    address: addressParam,
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      description: 'TCP port. The usual one for `tls` when absent.',
    },
    tls: {
      enum: ['starttls', 'implicit', 'none'],
      default: 'starttls',
      description: 'Start TLS in the connection, from the beginning (`implicit`), or never.',
    },
    greeting: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in the greeting.'),
      examples: ['(?i)postfix'],
    },
    'greeting-lacks': {
      ...patternsSchema('Regular expressions (RE2) that must not occur in the greeting.'),
      examples: ['[0-9]+\\.[0-9]+'],
    },
    capabilities: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'What the server must offer, after TLS where TLS is used. Case does not matter.',
      examples: [
        ['SIZE', 'AUTH PLAIN'],
        ['IMAP4rev1', 'IDLE'],
      ],
    },
    servername: servernameParam,
    ca: caParam,
    'min-protocol': {
      enum: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
      default: 'TLSv1.2',
      description: 'Fail when the best protocol of TLS that the server offers is older.',
    },
    'certificate-warning': {
      ...rangeSchema(
        'Warn when the certificate has less time left; a number is days. A third of its lifetime when absent.',
      ),
      examples: ['30d:'],
    },
    'certificate-critical': {
      ...rangeSchema(
        'Fail when the certificate has less time left; a number is days. A sixth of its lifetime when absent.',
      ),
      examples: ['14d:'],
    },
    warning: { ...rangeSchema('Warn when all of it takes longer; a number is seconds.'), examples: ['1s'] },
    critical: { ...rangeSchema('Fail when all of it takes longer; a number is seconds.'), examples: ['5s'] },
    deadline: deadlineParam,
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export type MailParams = FromSchema<typeof mailParams>;

export interface MailData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  readonly greeting: string;
  readonly capabilities: readonly string[];
  /** Null without TLS. */
  readonly peer: TlsPeer | null;
  /** Seconds in all. */
  readonly seconds: number;
}

/** What differs between the protocols. */
export interface MailProtocol {
  readonly ports: Readonly<Record<MailParams['tls'], number>>;
  /** Reads the first words of the server. */
  greet(dialogue: Dialogue): Promise<string>;
  /** Asks what the server can do. */
  capabilities(dialogue: Dialogue): Promise<readonly string[]>;
  /** Asks for TLS; the server has agreed when this returns. */
  startTls(dialogue: Dialogue): Promise<void>;
  /** Says good-bye; nobody waits for the answer. */
  readonly leave: string;
}

type MailStep = Pick<
  ControllerStep<MailParams, MailData>,
  'params' | 'effect' | 'alsoFrom' | 'validate' | 'call' | 'judge'
>;

/** Everything of a kind but its name. */
export function mailStep(protocol: MailProtocol): MailStep {
  return {
    params: mailParams,
    effect: 'read',
    alsoFrom: 'host',
    validate: mailProblems,
    call: (given, context) => lookAtMail(protocol, given, context),
    judge: (data, given, { now }) => judgeMail(data, given, now),
  };
}

function mailProblems(given: MailParams) {
  const days = { unit: 'seconds', bare: 'd', lower: true } as const;
  return [
    ...rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      'certificate-warning': days,
      'certificate-critical': days,
    }),
    ...patternProblems(given, ['greeting', 'greeting-lacks']),
  ];
}

async function lookAtMail(
  protocol: MailProtocol,
  given: MailParams,
  { host, signal, dial }: CallContext,
): Promise<MailData> {
  const { tls, ca } = given;
  const { address, servername } = endpointOf(given, host);
  const port = given.port ?? protocol.ports[tls];
  let greeting = '';
  const { failure, value, seconds } = await converse(
    { address, port, seconds: parseDuration(given.deadline), dial },
    signal,
    async (dialogue) => {
      let peer = tls === 'implicit' ? await dialogue.secure({ servername, ca }) : null;
      greeting = await protocol.greet(dialogue);
      let capabilities = await protocol.capabilities(dialogue);
      if (tls === 'starttls') {
        if (!capabilities.some((one) => one.toUpperCase() === 'STARTTLS'))
          throw new ServerFault('no-starttls', 'the server does not offer STARTTLS');
        await protocol.startTls(dialogue);
        peer = await dialogue.secure({ servername, ca });
        capabilities = await protocol.capabilities(dialogue);
      }
      dialogue.write(protocol.leave);
      return { capabilities, peer };
    },
  );
  const { capabilities = [], peer = null } = value ?? {};
  return { subject: shownEndpoint(address, port), failure, greeting, capabilities, peer, seconds };
}

function judgeMail(data: MailData, given: MailParams, now: Date): Judgement {
  const { subject, failure, greeting, capabilities, peer, seconds } = data;
  const limits = {
    warning: optionalRange(given.warning, 'seconds'),
    critical: optionalRange(given.critical, 'seconds'),
  };
  const certificate = { warning: given['certificate-warning'], critical: given['certificate-critical'] };
  const shown = peer && judgePeer(peer, { ...certificate, minProtocol: given['min-protocol'] }, now);
  const metrics = failure
    ? []
    : [metricOf('time', seconds, 'seconds', { ...limits, min: 0 }), ...(shown ? shown.metrics : [])];
  const judged = (outcome: Judgement['outcome'], reason: string, text: string): Judgement => ({
    outcome,
    reason,
    summary: `${subject} ${text}`,
    metrics,
  });

  if (failure) return judgeFailure(subject, failure);
  if (given.tls !== 'none' && !shown) return judged('unknown', 'no-tls', 'was not looked at under TLS');
  if (shown && shown.outcome !== 'ok' && shown.outcome !== 'warning')
    return judged(shown.outcome, shown.reason, shown.text);
  const says = `says "${shownText(greeting)}"`;
  const found = foundPattern(given['greeting-lacks'], greeting);
  if (found !== undefined) return judged('failed', 'match', `${says}, with /${found}/ in it`);
  const missing = missingPattern(given.greeting, greeting);
  if (missing !== undefined) return judged('failed', 'no-match', `${says}, without /${missing}/`);
  const offered = capabilities.map((one) => one.toUpperCase());
  const absent = given.capabilities?.find((one) => !offers(offered, one.toUpperCase()));
  if (absent !== undefined) return judged('failed', 'no-capability', `does not offer ${absent}`);
  const { level, reason, limit } = judgeNumber(seconds, limits.warning, limits.critical);
  const took = `answers in ${formatQuantity(seconds, 'seconds')}`;
  if (level === 'failed') return judged(level, reason, `${took}${limit ? `, ${formatLimit(limit, 'seconds')}` : ''}`);
  if (shown && shown.outcome === 'warning') return judged('warning', shown.reason, shown.text);
  if (level === 'warning') return judged(level, reason, `${took}${limit ? `, ${formatLimit(limit, 'seconds')}` : ''}`);
  return judged('ok', 'ok', `${took}${shown ? `, ${shown.text}` : ''}`);
}

/** `AUTH PLAIN` is offered by `AUTH LOGIN PLAIN`, `SIZE` by `SIZE 10240000`. */
function offers(offered: readonly string[], wanted: string): boolean {
  const [word, ...arguments_] = wanted.split(/\s+/);
  return offered.some((one) => {
    const [has, ...values] = one.split(/\s+/);
    return has === word && arguments_.every((argument) => values.includes(argument));
  });
}
