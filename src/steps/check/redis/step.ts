import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import type { Secret } from '../../../secrets/secret.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { textOrSecret, withPlain } from '../../secret-param.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { converse, type Dialogue, ServerFault, shownText } from '../dialogue.js';
import { addressParam, caParam, endpointOf, judgeFailure, servernameParam, shownEndpoint } from '../endpoint.js';
import { command, type RedisInfo, readInfo } from './protocol.js';

const params = {
  type: 'object',
  properties: {
    address: addressParam,
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 6379, description: 'TCP port.' },
    user: { type: 'string', minLength: 1, description: 'User to log in as. The default user when absent.' },
    password: {
      ...textOrSecret('Password to log in with. The user needs no other right than to use PING and INFO.'),
      examples: [{ secret: 'env:REDIS_PASSWORD' }],
    },
    tls: {
      type: 'boolean',
      default: false,
      description: 'Speak TLS, and verify the certificate before the password is sent.',
    },
    servername: servernameParam,
    ca: caParam,
    role: { enum: ['master', 'replica'], description: 'Fail when the server has the other role.' },
    'memory-warning': {
      ...rangeSchema('Warn when more of `maxmemory` is used. Without a `maxmemory` there is nothing to compare with.'),
      default: '80%',
    },
    'memory-critical': {
      ...rangeSchema('Fail when more of `maxmemory` is used. A cache is full on purpose: raise it there.'),
      default: '95%',
    },
    'save-warning': {
      ...rangeSchema('Warn when there are changes that no snapshot has had for longer; a number is seconds.'),
      examples: ['2h'],
    },
    'save-critical': {
      ...rangeSchema('Fail when there are changes that no snapshot has had for longer; a number is seconds.'),
      examples: ['1d'],
    },
    replicas: {
      ...rangeSchema('Fail when the number of connected replicas is outside this range.'),
      examples: ['2:', 1],
    },
    warning: { ...rangeSchema('Warn when all of it takes longer; a number is seconds.'), examples: ['100ms'] },
    critical: { ...rangeSchema('Fail when all of it takes longer; a number is seconds.'), examples: ['1s'] },
    deadline: deadlineParam,
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'password'> & { readonly password?: string | Secret };

export interface RedisData {
  readonly subject: string;
  readonly failure: ConnectionFailure | null;
  readonly info: RedisInfo | null;
  /** Seconds in all. */
  readonly seconds: number;
}

export default defineControllerStep<Params, RedisData>({
  kind: 'check.redis',
  summary: 'Whether Redis answers, with role, memory and persistence',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      'memory-warning': 'ratio',
      'memory-critical': 'ratio',
      'save-warning': 'seconds',
      'save-critical': 'seconds',
      replicas: 'count',
    }),
    ...(given.user !== undefined && given.password === undefined
      ? [{ path: ['user'], what: 'needs a password', hint: 'add password: { secret: "env:NAME" }' }]
      : []),
  ],
  async call(given, { host, signal, dial }) {
    const { address, servername } = endpointOf(given, host);
    const { port, tls, ca } = given;
    const { failure, value, seconds } = await converse(
      { address, port, seconds: parseDuration(given.deadline), limit: 262_144, dial },
      signal,
      async (dialogue) => {
        if (tls) await dialogue.verified({ servername, ca });
        await logIn(dialogue, given);
        expectWord(await command(dialogue, ['PING']), 'PONG');
        return readInfo(expectWord(await command(dialogue, ['INFO'])));
      },
    );
    return { subject: shownEndpoint(address, port), failure, info: value, seconds };
  },
  judge({ subject, failure, info, seconds }, given, { now }) {
    if (failure) return judgeFailure(subject, failure);
    if (!info) return { outcome: 'unknown', reason: 'no-reply', summary: `${subject}: no reply` };
    return judgeInfo(subject, info, seconds, given, now);
  },
});

async function logIn(dialogue: Dialogue, { user, password }: Params): Promise<void> {
  if (password === undefined) return;
  const words = (plain: string) => ['AUTH', ...(user === undefined ? [] : [user]), plain];
  const reply = await withPlain(password, (plain) => command(dialogue, words(plain)));
  expectWord(reply, 'OK');
}

/** What an error of the server means, by its first word. */
const refusals: Readonly<Record<string, readonly [reason: string, detail: string, proven: boolean]>> = {
  NOAUTH: ['auth-required', 'wants a password', false],
  WRONGPASS: ['auth-failed', 'the user or the password is wrong', false],
  NOPERM: ['no-permission', 'the user may not do this', false],
  LOADING: ['loading', 'is still loading its data', true],
  MASTERDOWN: ['replication', 'has lost its master', true],
  MISCONF: ['persistence', 'cannot save its data', true],
};

/** The text of a reply that is no error. */
function expectWord(reply: { readonly error: boolean; readonly text: string }, word?: string): string {
  const { error, text } = reply;
  if (error) {
    const known = refusals[text.split(' ', 1)[0] ?? ''];
    if (known) throw new ServerFault(known[0], `${known[1]} (${shownText(text)})`, known[2]);
    // Before version 6 a wrong password had no word of its own.
    if (/invalid password|without any password/.test(text))
      throw new ServerFault('auth-failed', shownText(text), false);
    throw new ServerFault('redis-error', `the server says ${shownText(text)}`);
  }
  if (word !== undefined && text !== word)
    throw new ServerFault('protocol-error', `the server says "${shownText(text)}", should be ${word}`);
  return text;
}

function judgeInfo(subject: string, info: RedisInfo, seconds: number, given: Params, now: Date): Judgement {
  const limits = {
    warning: optionalRange(given.warning, 'seconds'),
    critical: optionalRange(given.critical, 'seconds'),
  };
  const memoryLimits = {
    warning: optionalRange(given['memory-warning'], 'ratio'),
    critical: optionalRange(given['memory-critical'], 'ratio'),
  };
  const saveLimits = {
    warning: optionalRange(given['save-warning'], 'seconds'),
    critical: optionalRange(given['save-critical'], 'seconds'),
  };
  // The age of a snapshot that has everything says nothing.
  const age = info.unsaved === 0 ? 0 : Math.max(0, (info.clock ?? now.getTime() / 1000) - info.savedAt);
  const used = info.maxMemory > 0 ? info.usedMemory / info.maxMemory : undefined;
  const metrics = [
    metricOf('time', seconds, 'seconds', { ...limits, min: 0 }),
    metricOf('memory', info.usedMemory, 'bytes', { min: 0, ...(info.maxMemory > 0 && { max: info.maxMemory }) }),
    ...(used === undefined ? [] : [metricOf('memory-used', used, 'ratio', { ...memoryLimits, min: 0 })]),
    metricOf('replicas', info.replicas, 'count', { min: 0 }),
    metricOf('unsaved', age, 'seconds', { ...saveLimits, min: 0 }),
  ];
  const judged = (outcome: Judgement['outcome'], reason: string, text: string): Judgement => ({
    outcome,
    reason,
    summary: `${subject} ${text}`,
    metrics,
  });

  if (info.loading) return judged('failed', 'loading', 'is still loading its data');
  if (given.role !== undefined && info.role !== given.role)
    return judged('failed', 'role', `is a ${info.role}, should be a ${given.role}`);
  if (info.role === 'replica' && info.masterLink !== 'up')
    return judged(
      'failed',
      'replication',
      `has lost its master, the link is ${shownText(info.masterLink ?? 'unknown')}`,
    );
  const broken = [
    info.lastSave !== 'ok' && 'the last snapshot failed',
    info.lastAppend !== 'ok' && 'the last write to the append-only file failed',
  ].find((text) => text !== false);
  if (broken !== undefined) return judged('failed', 'persistence', `loses data in a crash: ${broken}`);
  const replicas = optionalRange(given.replicas, 'count');
  const count = judgeNumber(info.replicas, undefined, replicas);
  if (replicas && count.level !== 'ok')
    return judged('failed', count.reason, `has ${info.replicas} replicas, ${formatLimit(replicas, 'count')}`);

  const memory = used === undefined ? undefined : judgeNumber(used, memoryLimits.warning, memoryLimits.critical);
  const save = judgeNumber(age, saveLimits.warning, saveLimits.critical);
  const time = judgeNumber(seconds, limits.warning, limits.critical);
  const uses =
    used === undefined
      ? `uses ${formatQuantity(info.usedMemory, 'bytes')}`
      : `uses ${formatQuantity(used, 'ratio')} of ${formatQuantity(info.maxMemory, 'bytes')}`;
  const took = `answers in ${formatQuantity(seconds, 'seconds')}`;
  for (const level of ['failed', 'warning'] as const) {
    if (memory?.level === level && memory.limit)
      return judged(level, memory.reason, `${uses}, ${formatLimit(memory.limit, 'ratio')}`);
    if (save.level === level && save.limit)
      return judged(
        level,
        save.reason,
        `has ${info.unsaved} ${info.unsaved === 1 ? 'change' : 'changes'} that no snapshot has had for ${formatQuantity(age, 'seconds')}, ${formatLimit(save.limit, 'seconds')}`,
      );
    if (time.level === level && time.limit)
      return judged(level, time.reason, `${took}, ${formatLimit(time.limit, 'seconds')}`);
  }
  return judged('ok', 'ok', `is a ${info.role}, ${uses}, ${took}`);
}
