import { parseDuration } from '../../documents/duration.js';
import type { JsonSchema } from '../../documents/json-schema.js';
import { Secret } from '../../secrets/secret.js';
import { type TextOrSecret, textOrSecret } from '../secret-param.js';
import type { Dial } from '../step.js';
import type { ConnectionFailure } from './connection.js';
import { shownText } from './dialogue.js';
import { fetchPage } from './fetch-page.js';

export const headersParam = {
  type: 'object',
  additionalProperties: textOrSecret('Value of the header.'),
  default: {},
  description: 'Headers to send. A redirect to another server does not get them.',
  examples: [{ Accept: 'application/json', Authorization: { secret: 'env:HEALTH_TOKEN' } }],
} as const satisfies JsonSchema;

export type Headers = Readonly<Record<string, TextOrSecret>>;

export interface JsonTarget {
  readonly headers: Headers;
  readonly ca?: string | undefined;
  readonly deadline: string | number;
  readonly dial?: Dial | undefined;
}

export interface JsonAnswer {
  readonly failure: ConnectionFailure | null;
  readonly status: number | null;
  /** Undefined when the body is not JSON. */
  readonly json: unknown;
  /** Seconds in all. */
  readonly seconds: number;
}

/** Asks an API over HTTP. An answer without JSON that came with a good status is a failure. */
export async function fetchJson(url: URL, given: JsonTarget, signal: AbortSignal): Promise<JsonAnswer> {
  const answer = await fetchPage(
    {
      url: url.href,
      method: 'GET',
      headers: { accept: 'application/json', ...plainHeaders(given.headers) },
      address: undefined,
      ca: given.ca,
      redirects: 5,
      seconds: parseDuration(given.deadline),
      dial: given.dial,
    },
    signal,
  );
  const { failure, status } = answer;
  const seconds = answer.phases.total;
  if (failure) return { failure, status, json: undefined, seconds };
  const fault = (reason: string, detail: string) => ({
    failure: { reason, detail, proven: true },
    status,
    json: undefined,
    seconds,
  });
  if (answer.truncated) return fault('too-large', 'the answer is longer than 1 MiB');
  const text = answer.body.toString('utf8');
  try {
    return { failure: null, status, json: JSON.parse(text), seconds };
  } catch {
    if (status === null || status >= 300) return { failure: null, status, json: undefined, seconds };
    return fault('protocol-error', `the answer is not JSON: ${shownText(text.slice(0, 200))}`);
  }
}

/** Headers as they are sent. */
export function plainHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      value instanceof Secret ? value.reveal((plain) => plain) : String(value),
    ]),
  );
}

/** The URL of an API below a base that may have a path of its own. */
export function apiUrl(base: string, path: string, query: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** What is wrong with the parameter `url`, for a kind's `validate`. */
export function urlProblems(url: string): { path: string[]; what: string; hint: string }[] {
  if (url.includes('${{')) return [];
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:')
    return [{ path: ['url'], what: `"${url}" is not an http or https URL`, hint: 'write https://NAME/PATH' }];
  if (parsed.password !== '')
    return [
      { path: ['url'], what: 'a password in a URL', hint: 'send an Authorization header with a secret under headers' },
    ];
  return [];
}
