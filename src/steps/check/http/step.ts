import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { foundPattern, missingPattern, patternProblems, patternsSchema } from '../../patterns.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import { type Certificate, secondsLeft } from '../certificate.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { type Headers, headersParam, plainHeaders, urlProblems } from '../fetch-json.js';
import { fetchPage, type HttpAnswer, type Phases } from '../fetch-page.js';

const params = {
  type: 'object',
  properties: {
    url: {
      type: 'string',
      minLength: 1,
      description: 'What to ask for, `http` or `https`.',
      examples: ['https://www.example.com/health', 'http://${{ host.address }}:8080/'],
    },
    method: {
      enum: ['GET', 'HEAD', 'OPTIONS'],
      default: 'GET',
      description: 'Method; only those that change nothing.',
    },
    headers: headersParam,
    address: {
      type: 'string',
      minLength: 1,
      description:
        'IP address to connect to, whatever the name in the URL resolves to. Name and certificate stay those of the URL.',
      examples: ['10.0.0.5'],
    },
    status: {
      type: 'array',
      items: { type: ['integer', 'string'], minimum: 100, maximum: 599, pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$' },
      minItems: 1,
      default: ['200-299'],
      description: 'Statuses that are fine, single or as `from-to`.',
      examples: [[200, 204], ['200-399']],
    },
    body: {
      ...patternsSchema('Regular expressions (RE2) that must all occur in the body. The first MiB is looked at.'),
      examples: ['"status":\\s*"up"'],
    },
    'body-lacks': {
      ...patternsSchema('Regular expressions (RE2) that must not occur in the body.'),
      examples: ['(?i)stack trace'],
    },
    redirects: {
      type: 'integer',
      minimum: 0,
      maximum: 20,
      default: 5,
      description: 'How many redirects to follow. 0 judges the redirect itself.',
    },
    warning: { ...rangeSchema('Warn when the whole answer takes longer; a number is seconds.'), examples: ['500ms'] },
    critical: { ...rangeSchema('Fail when the whole answer takes longer; a number is seconds.'), examples: ['2s'] },
    ca: {
      type: 'string',
      minLength: 1,
      description: 'PEM file on this machine with authorities to trust besides the public ones.',
      examples: ['/etc/ssl/certs/ca-certificates.crt'],
    },
    deadline: deadlineParam,
  },
  required: ['url'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'headers'> & { readonly headers: Headers };

export interface HttpData {
  readonly failure: ConnectionFailure | null;
  readonly url: string;
  readonly redirects: readonly string[];
  readonly status: number | null;
  readonly remote: string | null;
  /** Seconds. */
  readonly phases: Phases;
  /** Bytes of the body that arrived, at most 1 MiB. */
  readonly size: number;
  readonly contentType: string | null;
  readonly missing: string | null;
  readonly found: string | null;
  readonly truncated: boolean;
  readonly certificate: Certificate | null;
}

export default defineControllerStep<Params, HttpData>({
  kind: 'check.http',
  summary: 'Status, body and speed of an HTTP answer',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'seconds', critical: 'seconds' }),
    ...patternProblems(given, ['body', 'body-lacks']),
    ...urlProblems(given.url),
  ],
  async call(given, { signal, dial }) {
    const headers = plainHeaders(given.headers);
    const { url, method, address, ca, redirects } = given;
    const seconds = parseDuration(given.deadline);
    return readAnswer(await fetchPage({ url, method, headers, address, ca, redirects, seconds, dial }, signal), given);
  },
  judge(data, given, { now }) {
    const limits = {
      warning: optionalRange(given.warning, 'seconds'),
      critical: optionalRange(given.critical, 'seconds'),
    };
    const judged = (outcome: Judgement['outcome'], reason: string, text: string): Judgement => ({
      outcome,
      reason,
      summary: `${data.url} ${text}`,
      metrics: metricsOf(data, limits, now),
    });

    if (data.failure)
      return judged(data.failure.proven ? 'failed' : 'unknown', data.failure.reason, data.failure.detail);
    if (data.status === null) return judged('unknown', 'no-status', 'gave no status');
    if (!given.status.some((wanted) => includesStatus(wanted, data.status as number)))
      return judged('failed', 'http-status', `answers ${data.status}, should be ${given.status.join(', ')}`);
    if (data.found !== null) return judged('failed', 'match', `contains /${data.found}/`);
    if (data.truncated && (data.missing !== null || given['body-lacks'] !== undefined))
      return judged('unknown', 'too-large', 'is longer than the 1 MiB that is looked at');
    if (data.missing !== null) return judged('failed', 'no-match', `does not contain /${data.missing}/`);
    const { level, reason, limit } = judgeNumber(data.phases.total, limits.warning, limits.critical);
    const took = `answers ${data.status} in ${formatQuantity(data.phases.total, 'seconds')}`;
    return judged(level, reason, limit ? `${took}, ${formatLimit(limit, 'seconds')}` : took);
  },
});

function readAnswer(answer: HttpAnswer, given: Params): HttpData {
  const { failure, url, redirects, status, remote, phases, truncated, certificate } = answer;
  const body = answer.body.toString('utf8');
  return {
    failure,
    url,
    redirects,
    status,
    remote,
    phases,
    size: answer.body.length,
    contentType: answer.headers['content-type'] ?? null,
    missing: missingPattern(given.body, body) ?? null,
    found: foundPattern(given['body-lacks'], body) ?? null,
    truncated,
    certificate,
  };
}

function metricsOf(
  { phases, size, status, certificate }: HttpData,
  limits: Parameters<typeof metricOf>[3],
  now: Date,
): NonNullable<Judgement['metrics']> {
  // Without an answer there are no times, and 0 would be a lie.
  if (status === null) return [];
  return [
    metricOf('total', phases.total, 'seconds', { ...limits, min: 0 }),
    metricOf('dns', phases.dns, 'seconds', { min: 0 }),
    metricOf('connect', phases.connect, 'seconds', { min: 0 }),
    ...(certificate ? [metricOf('tls', phases.tls, 'seconds', { min: 0 })] : []),
    metricOf('first-byte', phases.firstByte, 'seconds', { min: 0 }),
    metricOf('size', size, 'bytes', { min: 0 }),
    ...(certificate ? [metricOf('certificate', secondsLeft(certificate, now), 'seconds')] : []),
  ];
}

function includesStatus(wanted: string | number, status: number): boolean {
  const [from = '', to = from] = String(wanted).split('-');
  return status >= Number(from) && status <= Number(to);
}
