import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { patternProblems, patternsSchema } from '../../patterns.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import type { TextOrSecret } from '../../secret-param.js';
import { defineControllerStep } from '../../step.js';
import { clientCertificateParams, clientCertificateProblems, readClientCertificate } from '../client-certificate.js';
import { deadlineParam } from '../deadline.js';
import { caParam } from '../endpoint.js';
import { type Headers, headersParam, plainHeaders, urlProblems } from '../fetch-json.js';
import { fetchPage } from '../fetch-page.js';
import { type Issue, judgeIssues, unclear, wrong } from '../issues.js';
import { judgeValues, valuesProblems, valuesSchema, type WantedValue } from '../values.js';
import { answerIssues, type HttpData, measureAnswer, readAnswer } from './answer.js';

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
    'response-headers': {
      type: 'object',
      additionalProperties: patternsSchema('Regular expressions (RE2) that must all occur in the value.'),
      description:
        'Headers that the answer must have, each with regular expressions (RE2) that must all occur in its value.',
      examples: [{ 'Strict-Transport-Security': 'max-age=\\d{7}', 'Content-Type': '^application/json' }],
    },
    'response-headers-lack': {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'Headers that the answer must not have.',
      examples: [['Server', 'X-Powered-By']],
    },
    json: {
      ...valuesSchema(
        'Values in a JSON body: each with `at` and any of `equals`, `matches`, `range`, `warning`, `state`, `sensitive`. A number with limits becomes a metric.',
        'Where the value is: `a.b.0` or a JSON pointer `/a/b/0`; `*` stands for each.',
      ),
      examples: [
        [
          { at: 'status', equals: 'up' },
          { at: 'queue.length', warning: 100, range: 1000 },
        ],
      ],
    },
    redirects: {
      type: 'integer',
      minimum: 0,
      maximum: 20,
      default: 5,
      description: 'How many redirects to follow. 0 judges the redirect itself.',
    },
    'redirect-to': {
      ...patternsSchema('Regular expressions (RE2) that must all occur in the URL where the redirects lead.'),
      examples: ['^https://www\\.example\\.com/'],
    },
    warning: { ...rangeSchema('Warn when the whole answer takes longer; a number is seconds.'), examples: ['500ms'] },
    critical: { ...rangeSchema('Fail when the whole answer takes longer; a number is seconds.'), examples: ['2s'] },
    'warning-dns': {
      ...rangeSchema('Warn when looking up the name takes longer; a number is seconds.'),
      examples: ['500ms'],
    },
    'critical-dns': {
      ...rangeSchema('Fail when looking up the name takes longer; a number is seconds.'),
      examples: ['2s'],
    },
    'warning-connect': {
      ...rangeSchema('Warn when the TCP connection takes longer; a number is seconds.'),
      examples: ['200ms'],
    },
    'critical-connect': {
      ...rangeSchema('Fail when the TCP connection takes longer; a number is seconds.'),
      examples: ['1s'],
    },
    'warning-tls': {
      ...rangeSchema('Warn when the TLS handshake takes longer; a number is seconds.'),
      examples: ['300ms'],
    },
    'critical-tls': {
      ...rangeSchema('Fail when the TLS handshake takes longer; a number is seconds.'),
      examples: ['1s'],
    },
    'warning-first-byte': {
      ...rangeSchema('Warn when the first byte comes later after the request; a number is seconds.'),
      examples: ['500ms'],
    },
    'critical-first-byte': {
      ...rangeSchema('Fail when the first byte comes later after the request; a number is seconds.'),
      examples: ['2s'],
    },
    'warning-size': { ...rangeSchema('Warn when the size of the body is outside this range.'), examples: ['10kB:'] },
    'critical-size': { ...rangeSchema('Fail when the size of the body is outside this range.'), examples: ['1:'] },
    'warning-certificate': {
      ...rangeSchema('Warn when the time left of the certificate is outside this range; a number is days.'),
      examples: ['30d:'],
    },
    'critical-certificate': {
      ...rangeSchema('Fail when the time left of the certificate is outside this range; a number is days.'),
      examples: ['14d:'],
    },
    ca: caParam,
    ...clientCertificateParams,
    deadline: deadlineParam,
  },
  required: ['url'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'headers' | 'json' | 'key'> & {
  readonly headers: Headers;
  readonly json?: readonly WantedValue[];
  readonly key?: TextOrSecret;
};

const limitedNumbers = {
  warning: 'seconds',
  critical: 'seconds',
  'warning-dns': 'seconds',
  'critical-dns': 'seconds',
  'warning-connect': 'seconds',
  'critical-connect': 'seconds',
  'warning-tls': 'seconds',
  'critical-tls': 'seconds',
  'warning-first-byte': 'seconds',
  'critical-first-byte': 'seconds',
  'warning-size': 'bytes',
  'critical-size': 'bytes',
  'warning-certificate': { unit: 'seconds', bare: 'd', lower: true },
  'critical-certificate': { unit: 'seconds', bare: 'd', lower: true },
} as const;

export default defineControllerStep<Params, HttpData>({
  kind: 'check.http',
  summary: 'Status, body and speed of an HTTP answer',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, limitedNumbers),
    ...patternProblems(given, ['body', 'body-lacks', 'redirect-to']),
    ...patternProblems(given['response-headers'] ?? {}, Object.keys(given['response-headers'] ?? {})).map(
      (problem) => ({ ...problem, path: ['response-headers', ...problem.path] }),
    ),
    ...valuesProblems(given.json, 'json'),
    ...(given.json && given.method !== 'GET'
      ? [{ path: ['json'], what: `the answer to ${given.method} has no body`, hint: 'leave method away' }]
      : []),
    ...clientCertificateProblems(given),
    ...urlProblems(given.url),
  ],
  async call(given, { signal, dial }) {
    const headers = plainHeaders(given.headers);
    const { url, method, address, ca, redirects } = given;
    const identity = await readClientCertificate(given);
    const seconds = parseDuration(given.deadline);
    const target = { url, method, headers, address, ca, identity, redirects, seconds, dial };
    return readAnswer(await fetchPage(target, signal), given);
  },
  judge(data, given, { now }) {
    const { failure, status, phases } = data;
    const numbers = measureAnswer(data, given, now);
    const json = judgeValues(data.json ?? [], given.json ?? []);
    const metrics = [...numbers.map(({ metric }) => metric), ...json.metrics];
    const judged = (issues: readonly Issue[], calm = '') => judgeIssues(issues, { subject: data.url, calm, metrics });

    if (failure) return judged([(failure.proven ? wrong : unclear)(failure.reason, failure.detail)]);
    if (status === null) return judged([unclear('no-status', 'gave no status')]);
    if (!given.status.some((wanted) => includesStatus(wanted, status)))
      return judged([wrong('http-status', `answers ${status}, should be ${given.status.join(', ')}`)]);
    return judged(
      [...answerIssues(data, given), ...json.issues, ...numbers.flatMap(({ issues }) => issues)],
      `answers ${status} in ${formatQuantity(phases.total, 'seconds')}`,
    );
  },
});

function includesStatus(wanted: string | number, status: number): boolean {
  const [from = '', to = from] = String(wanted).split('-');
  return status >= Number(from) && status <= Number(to);
}
