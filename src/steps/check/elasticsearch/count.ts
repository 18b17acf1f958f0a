import { shownText } from '../dialogue.js';
import { apiUrl, fetchJson, type JsonTarget } from '../fetch-json.js';

/** How many documents a query finds, or why that is not known. */
export type Count =
  | { readonly documents: number }
  | { readonly documents: null; readonly reason: string; readonly detail: string };

/** The words of the server may repeat the query: only the type of an error is told. */
export async function countDocuments(
  base: string,
  index: string | undefined,
  query: string,
  target: JsonTarget,
  signal: AbortSignal,
): Promise<Count> {
  const path = index === undefined ? '/_count' : `/${encodeURIComponent(index)}/_count`;
  // Without an index there is nothing to count in, and 0 would mean nothing.
  const url = apiUrl(base, path, { q: query, allow_no_indices: 'false' });
  const { failure, status, json } = await fetchJson(url, target, signal);
  if (failure) return unknown(failure.reason, `gets no answer: ${failure.detail}`);
  const body = objectOf(json);
  const { type } = objectOf(body.error);
  const said = `${status ?? 'nothing'}${typeof type === 'string' ? `, ${shownText(type)}` : ''}`;
  if (status === 401 || status === 403) return unknown('no-permission', `is not allowed (${said})`);
  if (status === 404) return unknown('no-index', `has no index to look in (${said})`);
  if (status !== 200) return unknown('query-refused', `is refused (${said})`);
  const { total, failed } = objectOf(body._shards);
  const { count } = body;
  if (!isCount(count) || !isCount(total) || !isCount(failed))
    return unknown('protocol-error', 'gets an answer that is no count');
  if (total === 0) return unknown('no-index', 'has no index to look in');
  if (failed > 0) return unknown('partial-result', `lacks the answer of ${failed} of ${total} shards`);
  return { documents: count };
}

function unknown(reason: string, detail: string): Count {
  return { documents: null, reason, detail };
}

export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
