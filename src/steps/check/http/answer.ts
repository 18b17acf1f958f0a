import { foundPattern, missingPattern, type Patterns } from '../../patterns.js';
import { type Certificate, expiryText, secondsLeft } from '../certificate.js';
import type { ConnectionFailure } from '../connection.js';
import { shownText } from '../dialogue.js';
import type { Finding } from '../expectation.js';
import { type HttpAnswer, type Phases, shown } from '../fetch-page.js';
import { type Issue, type Measurement, measure, unclear, wrong } from '../issues.js';
import { findInTree } from '../tree.js';
import { meetAll, type WantedValue } from '../values.js';

/** The parameters that say what an answer must be. */
export interface Wanted {
  readonly body?: Patterns;
  readonly 'body-lacks'?: Patterns;
  readonly 'response-headers'?: Readonly<Record<string, string | readonly string[]>>;
  readonly 'response-headers-lack'?: readonly string[];
  readonly json?: readonly WantedValue[];
  readonly 'redirect-to'?: Patterns;
}

export interface HttpData {
  readonly failure: ConnectionFailure | null;
  readonly url: string;
  readonly redirects: readonly string[];
  /** Where the answer redirects to, when that is not followed. */
  readonly location: string | null;
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
  /** How the body is encoded, where it cannot be read. */
  readonly encoding: string | null;
  /** What is wrong with the headers. */
  readonly headers: readonly Issue[];
  /** Null when the body is not JSON. */
  readonly json: readonly Finding[] | null;
  readonly certificate: Certificate | null;
}

export function readAnswer(answer: HttpAnswer, given: Wanted): HttpData {
  const { failure, url, redirects, status, remote, phases, truncated, encoding, certificate } = answer;
  const body = textOf(answer);
  const { location } = answer.headers;
  return {
    failure,
    url,
    redirects,
    location: location !== undefined && URL.canParse(location, url) ? shown(new URL(location, url)) : null,
    status,
    remote,
    phases,
    size: answer.body.length,
    contentType: answer.headers['content-type'] ?? null,
    missing: missingPattern(given.body, body) ?? null,
    found: foundPattern(given['body-lacks'], body) ?? null,
    truncated,
    encoding,
    headers: headerIssues(answer.headers, given),
    json: given.json ? readValues(body, given.json) : [],
    certificate,
  };
}

/** In the characters that the server names; UTF-8 when it names none that are known. */
function textOf({ headers, body }: HttpAnswer): string {
  const charset = /;\s*charset="?([\w:.-]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return body.toString('utf8');
  }
}

function headerIssues(headers: HttpAnswer['headers'], given: Wanted): readonly Issue[] {
  const textOf = (name: string) => {
    const value = headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join('\n') : value;
  };
  const lacking = Object.entries(given['response-headers'] ?? {}).flatMap(([name, patterns]) => {
    const value = textOf(name);
    if (value === undefined) return [wrong('header-absent', `has no header ${name}`)];
    const missing = missingPattern(patterns, value);
    if (missing === undefined) return [];
    // A cookie is a secret of whoever gets it.
    const said = /^set-cookie$/i.test(name) ? '' : ` "${shownText(value)}"`;
    return [wrong('header-mismatch', `has a header ${name}${said} that does not match /${missing}/`)];
  });
  const unwanted = (given['response-headers-lack'] ?? [])
    .filter((name) => textOf(name) !== undefined)
    .map((name) => wrong('header-present', `has a header ${name}`));
  return [...lacking, ...unwanted];
}

function readValues(body: string, wanted: readonly WantedValue[]): readonly Finding[] | null {
  let tree: unknown;
  try {
    tree = JSON.parse(body);
  } catch {
    return null;
  }
  return meetAll(wanted, (at) => findInTree(tree, at), true);
}

/** What is wrong with an answer of the right status. */
export function answerIssues(data: HttpData, given: Wanted): readonly Issue[] {
  return [...redirectIssues(data, given['redirect-to']), ...data.headers, ...bodyIssues(data, given)];
}

function redirectIssues({ url, redirects, location }: HttpData, wanted: Patterns): readonly Issue[] {
  if (wanted === undefined) return [];
  const end = location ?? (redirects.length > 0 ? url : undefined);
  if (end === undefined) return [wrong('no-redirect', 'does not redirect')];
  const missing = missingPattern(wanted, end);
  return missing === undefined
    ? []
    : [wrong('wrong-redirect', `redirects to ${shownText(end, 200)}, which does not match /${missing}/`)];
}

function bodyIssues({ found, missing, truncated, encoding, json }: HttpData, given: Wanted): readonly Issue[] {
  if (encoding !== null && [given.body, given['body-lacks'], given.json].some((one) => one !== undefined))
    return [unclear('encoded', `comes as ${shownText(encoding)}, which nobody asked for and which is not read here`)];
  const contains = found === null ? [] : [wrong('match', `contains /${found}/`)];
  if (truncated && (missing !== null || json === null || (given['body-lacks'] !== undefined && found === null)))
    return [...contains, unclear('too-large', 'is longer than the 1 MiB that is looked at')];
  const lacks = missing === null ? [] : [wrong('no-match', `does not contain /${missing}/`)];
  return [...contains, ...lacks, ...(json === null ? [wrong('not-json', 'is not JSON')] : [])];
}

type Limits = Readonly<Partial<Record<string, unknown>>>;

/** Times, size and certificate against their limits. Without an answer there are none, and 0 would be a lie. */
export function measureAnswer({ phases, size, status, certificate }: HttpData, given: Limits, now: Date) {
  if (status === null) return [];
  const limitsOf = (name: string) => ({
    warning: given[`warning-${name}`] as string | number | undefined,
    critical: given[`critical-${name}`] as string | number | undefined,
  });
  const took = (name: string, seconds: number, what: string) =>
    measure(name, seconds, 'seconds', { ...limitsOf(name), min: 0 }, (time) => `${what} in ${time}`);
  const whole = { warning: given.warning, critical: given.critical, min: 0 } as ReturnType<typeof limitsOf>;
  const numbers: Measurement[] = [
    measure('total', phases.total, 'seconds', whole, (time) => `answers ${status} in ${time}`),
    took('dns', phases.dns, 'the name is looked up'),
    took('connect', phases.connect, 'it is connected'),
    ...(certificate ? [took('tls', phases.tls, 'TLS is there')] : []),
    took('first-byte', phases.firstByte, 'the first byte comes'),
    measure('size', size, 'bytes', { ...limitsOf('size'), min: 0 }, (bytes) => `the body has ${bytes}`),
  ];
  if (!certificate) return numbers;
  const left = secondsLeft(certificate, now);
  return [
    ...numbers,
    measure('certificate', left, 'seconds', { ...limitsOf('certificate'), bare: 'd' }, () => {
      return `certificate ${expiryText(left)}`;
    }),
  ];
}
