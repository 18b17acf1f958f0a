/** The instant query of the HTTP API, version 1. */
export interface QueryAnswer {
  /** Why the server did not answer the query; null when it did. */
  readonly refused: string | null;
  readonly series: readonly { readonly name: string; readonly value: number }[];
  /** What makes the answer less than whole. */
  readonly warnings: readonly string[];
}

export function readAnswer(json: unknown, status: number | null): QueryAnswer {
  const refused = (text: string): QueryAnswer => ({ refused: text, series: [], warnings: [] });
  const code = `answers ${status ?? 'nothing'}`;
  if (!isRecord(json)) return refused(`${code} without the JSON of Prometheus`);
  if (json.status !== 'success') return refused(`${code}: ${textOf(json.error) || 'without the JSON of Prometheus'}`);
  if (!isRecord(json.data)) return refused(`${code} without data`);
  const { resultType, result } = json.data;
  const warnings = (Array.isArray(json.warnings) ? json.warnings : [])
    .map(textOf)
    // Advice about the query, which some versions put among the warnings.
    .filter((text) => !text.startsWith('PromQL info'));
  if (resultType === 'scalar') {
    const value = readValue(result);
    return value === undefined
      ? refused('a scalar without a number')
      : { refused: null, series: [{ name: '', value }], warnings };
  }
  if (resultType !== 'vector' || !Array.isArray(result))
    return refused(`the query gives a ${textOf(resultType) || 'thing'}, not numbers of now`);
  const series: { name: string; value: number }[] = [];
  for (const one of result as unknown[]) {
    const value = isRecord(one) ? readValue(one.value) : undefined;
    // Native histograms have no value.
    if (!isRecord(one) || value === undefined) return refused('a series without a number');
    series.push({ name: nameOf(one.metric), value });
  }
  return { refused: null, series, warnings };
}

/** `[time, "number"]`; the number may be `NaN`, `+Inf` or `-Inf`. */
function readValue(pair: unknown): number | undefined {
  const text = Array.isArray(pair) ? (pair[1] as unknown) : undefined;
  if (typeof text !== 'string') return undefined;
  if (text === 'NaN') return Number.NaN;
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** As PromQL writes it, in order of labels: the same in every run. */
function nameOf(metric: unknown): string {
  if (!isRecord(metric)) return '';
  const labels = Object.entries(metric)
    .filter(([label]) => label !== '__name__')
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${textOf(metric.__name__)}${labels.length > 0 ? `{${labels.join(',')}}` : ''}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
