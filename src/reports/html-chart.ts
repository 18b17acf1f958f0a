import type { Metric } from '../result/result.schema.js';
import { formatMetric } from './figures.js';
import { type Html, html } from './html-markup.js';

/** Drawn with attributes alone: the page allows no style but its own sheet. */

/** A bar of parts, each with its share. What they are is written beside it. */
export function shareBar(parts: readonly { readonly name: string; readonly value: number }[]): Html {
  const all = parts.reduce((sum, { value }) => sum + value, 0);
  if (all === 0) return html``;
  let start = 0;
  const rects = parts.map(({ name, value }) => {
    const rect = html`<rect class="${name}" x="${start}" width="${value}" height="1"/>`;
    start += value;
    return rect;
  });
  return html`<svg class="shares" viewBox="0 0 ${all} 1" preserveAspectRatio="none" aria-hidden="true">${rects}</svg>
`;
}

const width = 160;
const height = 14;

/** One number of one host or of many, against what is a warning and what is critical. Nothing without limits. */
export function limitChart(metrics: readonly Metric[]): Html | undefined {
  const [first] = metrics;
  const values = metrics.map(({ value }) => value).filter(Number.isFinite);
  const warning = limitOf(first?.warning);
  const critical = limitOf(first?.critical);
  if (!first || values.length === 0 || !(warning || critical)) return undefined;
  const scale = scaleOf(first, values, [warning, critical]);
  const zones = [...zonesOf('warning', warning, scale), ...zonesOf('critical', critical, scale)];
  const places = [...new Set(values.map((value) => at(value, scale)))];
  const many = places.length > 1 ? html` class="many"` : '';
  return html`<svg class="limits" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><title>${describe(first, values, warning, critical)}</title><rect class="fine" y="3" width="${width}" height="8"/>${zones}${places.map((x) => html`<path${many} d="M${x} 0v${height}"/>`)}</svg>`;
}

/** `used / 20% to 59%`: the name of a number and its value, or the lowest and the highest of many. */
export function valueText({ name, unit }: Metric, values: readonly number[]): string {
  const low = formatMetric(Math.min(...values), unit);
  const high = formatMetric(Math.max(...values), unit);
  return `${name.replace(/\{(.*)\}$/s, ' $1')} ${low === high ? low : `${low} to ${high}`}`;
}

export interface Limit {
  readonly start: number;
  readonly end: number;
  readonly inside: boolean;
}

/** A range in the base unit, as results carry it: `[@]start:end`. */
export function limitOf(text: string | undefined): Limit | undefined {
  const match = /^(@?)(?:(~|[\d.e+-]*):)?([\d.e+-]*)$/.exec(text ?? '');
  if (!match || text === '' || text === undefined) return undefined;
  const [, mark = '', from, to = ''] = match;
  const start = from === '~' ? Number.NEGATIVE_INFINITY : Number(from ?? 0);
  const end = to === '' ? Number.POSITIVE_INFINITY : Number(to);
  return Number.isNaN(start) || Number.isNaN(end) ? undefined : { start, end, inside: mark === '@' };
}

export interface Scale {
  readonly low: number;
  readonly high: number;
}

function scaleOf({ min, max }: Metric, values: readonly number[], limits: readonly (Limit | undefined)[]): Scale {
  const ends = limits.flatMap((limit) => (limit ? [limit.start, limit.end] : [])).filter(Number.isFinite);
  const low = Math.min(min ?? 0, ...values, ...ends);
  const reach = Math.max(...values, ...ends);
  // A limit far below the largest possible value is still to be seen.
  const high = max !== undefined && max >= reach && max <= reach * 4 ? max : reach + (reach - low) * 0.15;
  return { low, high: high > low ? high : low + 1 };
}

function at(value: number, { low, high }: Scale): number {
  const share = (Math.min(high, Math.max(low, value)) - low) / (high - low);
  return Math.round((1 + share * (width - 2)) * 2) / 2;
}

/** Where it alerts. */
function zonesOf(name: string, limit: Limit | undefined, scale: Scale): readonly Html[] {
  return alertParts(limit, scale).map(
    ([from, to]) =>
      html`<rect class="${name}" x="${at(from, scale)}" y="3" width="${at(to, scale) - at(from, scale)}" height="8"/>`,
  );
}

/** The parts of a scale in which a limit alerts. */
export function alertParts(limit: Limit | undefined, scale: Scale): readonly (readonly [from: number, to: number])[] {
  if (!limit) return [];
  const { start, end, inside } = limit;
  const parts: readonly (readonly [number, number])[] = inside
    ? [[Math.max(start, scale.low), Math.min(end, scale.high)]]
    : [
        [scale.low, Math.min(start, scale.high)],
        [Math.max(end, scale.low), scale.high],
      ];
  return parts.filter(([from, to]) => to > from);
}

function describe(
  metric: Metric,
  values: readonly number[],
  warning: Limit | undefined,
  critical: Limit | undefined,
): string {
  return [
    valueText(metric, values),
    ...(warning ? [`warning ${limitText(warning, metric)}`] : []),
    ...(critical ? [`critical ${limitText(critical, metric)}`] : []),
  ].join(', ');
}

export function limitText({ start, end, inside }: Limit, { unit }: Metric): string {
  const from = formatMetric(start, unit);
  const to = formatMetric(end, unit);
  if (inside) return `from ${from} to ${to}`;
  if (end === Number.POSITIVE_INFINITY) return `below ${from}`;
  return start <= 0 ? `above ${to}` : `below ${from} or above ${to}`;
}
