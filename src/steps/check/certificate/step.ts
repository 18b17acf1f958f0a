import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatLimit } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, type Range, rangeProblems } from '../../range.js';
import { script } from '../../script.js';
import { plainText, type TextOrSecret, textOrSecret } from '../../secret-param.js';
import { defineHostStep } from '../../step.js';
import { expiryText, lifetimeLimits, secondsLeft, timeLeftParams } from '../certificate.js';
import { type Issue, judgeIssues, unclear, wrong } from '../issues.js';
import { type CertificateData, type FoundCertificate, readFound } from './found.js';

const params = {
  type: 'object',
  properties: {
    paths: {
      type: 'array',
      items: { type: 'string', pattern: '^/' },
      minItems: 1,
      description:
        'Files with certificates: PEM, DER, PKCS #7 (.p7b), PKCS #12 (.p12, .pfx), Java keystores; `*`, `?` and `[…]` as in the shell. Each must match a file.',
      examples: [['/etc/ssl/private/www.pem', '/etc/letsencrypt/live/*/fullchain.pem']],
    },
    password: {
      ...textOrSecret('Password of the keystores among them.'),
      examples: [{ secret: 'env:KEYSTORE_PASSWORD' }],
    },
    ...timeLeftParams,
  },
  required: ['paths'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'password'> & { readonly password?: TextOrSecret };

const day = 86_400;

export default defineHostStep<Params, CertificateData>({
  kind: 'check.certificate',
  summary: 'How long the certificates in files of the host are still valid',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: { unit: 'seconds', bare: 'd', lower: true },
      critical: { unit: 'seconds', bare: 'd', lower: true },
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ paths, password }) => [plainText(password ?? ''), ...paths],
  parse: readFound,
  judge({ certificates, empty, locked, lacking, missing, folders, broken }, given, { now }) {
    const judged = certificates
      .map((certificate) => {
        const left = secondsLeft(certificate, now);
        const limits = limitsOf(certificate, given);
        return { certificate, left, limits, verdict: judgeNumber(left, limits.warning, limits.critical) };
      })
      .toSorted((a, b) => a.left - b.left);
    const issues: Issue[] = [
      ...missing.map((pattern) => wrong('file-absent', `${pattern} does not exist`)),
      ...folders.map((pattern) =>
        unclear('no-file', `${pattern} is no file; for all in a folder write ${pattern.replace(/\/?$/, '/*')}`),
      ),
      ...lacking.map(({ file, tool }) => unclear('tool-missing', `${file} needs ${tool}, which is not there`)),
      ...locked.map((file) =>
        unclear(
          'keystore-locked',
          given.password === undefined
            ? `${file} does not open without a password`
            : `${file} does not open: wrong password, or damaged`,
        ),
      ),
      ...empty.map((file) => unclear('no-certificate', `${file} holds no certificate`)),
      ...[...new Set(broken)].map((file) =>
        unclear('certificate-unreadable', `a certificate in ${file} cannot be read`),
      ),
      ...judged.flatMap(({ certificate, left, verdict }): Issue[] => {
        const name = `${certificate.subject} in ${certificate.file}`;
        if (left < 0) return [wrong('certificate-expired', `${name} ${expiryText(left)}`)];
        if (Date.parse(certificate.notBefore) > now.getTime())
          return [
            wrong('certificate-not-yet-valid', `${name} is not valid before ${certificate.notBefore.slice(0, 10)}`),
          ];
        const { level, reason, limit } = verdict;
        if (level === 'ok' || !limit) return [];
        return [{ outcome: level, reason, text: `${name} ${expiryText(left)}, ${formatLimit(limit, 'seconds')}` }];
      }),
    ];
    const [first] = judged;
    return judgeIssues(issues, {
      calm: first
        ? `${certificates.length === 1 ? '' : `${certificates.length} certificates, `}${first.certificate.subject} ${expiryText(first.left)}${certificates.length === 1 ? '' : ' first'}`
        : 'no certificates',
      metrics: [
        metricOf('certificates', certificates.length, 'count', { min: 0 }),
        ...(first ? [metricOf('first-to-expire', first.left, 'seconds', first.limits)] : []),
      ],
    });
  },
});

function limitsOf(certificate: FoundCertificate, { warning, critical }: Params) {
  if (warning !== undefined || critical !== undefined)
    return { warning: optionalRange(warning, 'seconds', 'd'), critical: optionalRange(critical, 'seconds', 'd') };
  const limits = lifetimeLimits(certificate);
  if (!certificate.authority) return limits;
  // A third of an authority's twenty years would be seven years of warnings.
  const atMost = (range: Range, days: number): Range => ({ ...range, start: Math.min(range.start, days * day) });
  return { warning: atMost(limits.warning, 90), critical: atMost(limits.critical, 30) };
}
