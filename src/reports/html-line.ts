import type { Metric } from '../result/result.schema.js';
import { formatMetric, formatSeconds, formatTime } from './figures.js';
import { alertParts, limitOf, limitText, type Scale, valueText } from './html-chart.js';
import { type Html, html } from './html-markup.js';

const width = 160;
const height = 40;
/** Room for the mark of this run. */
const edge = 3;

/** How a followed number went from run to run, what it must not reach, and where it goes. Nothing without earlier runs. */
export function lineChart(metric: Metric): Html | undefined {
  const points = (metric.history?.points ?? [])
    .map(({ at, value }) => ({ at: Date.parse(at) / 1000, value }))
    .filter(({ at, value }) => Number.isFinite(at) && Number.isFinite(value));
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 2) return undefined;
  const forecast = metric.history?.forecast;
  const span = last.at - first.at || 1;
  // What is further away than all that was seen goes off the edge.
  const ahead = forecast ? Math.min(forecast.in, span) : 0;
  const scale = scaleOf(metric, [...points.map(({ value }) => value), ...(forecast ? [forecast.reaches] : [])]);
  const x = (at: number) => half(edge + ((at - first.at) / (span + ahead)) * (width - 2 * edge));
  const y = (value: number) => half(edge + ((scale.high - value) / (scale.high - scale.low)) * (height - 2 * edge));
  const band = (name: string, [from, to]: readonly [number, number]) =>
    html`<rect class="${name}" y="${y(to)}" width="${width}" height="${y(from) - y(to)}"/>`;
  const zones = (['warning', 'critical'] as const).flatMap((name) =>
    alertParts(limitOf(metric[name]), scale).map((part) => band(name, part)),
  );
  const ground = (metric.warning ?? metric.critical) === undefined ? [] : [band('fine', [scale.low, scale.high])];
  const places = points.map(({ at, value }) => `${x(at)} ${y(value)}`);
  const goes = forecast && last.value + (forecast.reaches - last.value) * (ahead / forecast.in);
  return html`<svg class="line" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><title>${describe(metric)}</title>${[...ground, ...zones]}<path d="M${places.join('L')}"/>${goes === undefined ? '' : html`<path class="forecast" d="M${x(last.at)} ${y(last.value)}L${x(last.at + ahead)} ${y(goes)}"/>`}<circle cx="${x(last.at)}" cy="${y(last.value)}" r="2.5"/></svg>`;
}

/** From what was seen to the limits, and not further: what happens near them is to be seen. */
function scaleOf(metric: Metric, values: readonly number[]): Scale {
  const limits = [limitOf(metric.warning), limitOf(metric.critical)];
  const ends = limits.flatMap((limit) => (limit ? [limit.start, limit.end] : [])).filter(isDrawn);
  const [low, high] = [Math.min(...values, ...ends), Math.max(...values, ...ends)];
  const room = (high - low || Math.abs(high) || 1) * 0.1;
  return {
    low: metric.min !== undefined && low >= metric.min ? Math.max(metric.min, low - room) : low - room,
    high: high + room,
  };
}

/** `80` alerts below 0, too: nobody waits for that. */
function isDrawn(end: number): boolean {
  return Number.isFinite(end) && end !== 0;
}

function describe(metric: Metric): string {
  const { unit, history } = metric;
  const values = (history?.points ?? []).map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const limits = (['warning', 'critical'] as const).flatMap((name) => {
    const limit = limitOf(metric[name]);
    return limit ? [`${name} ${limitText(limit, metric)}`] : [];
  });
  return [
    `${valueText(metric, [metric.value])} now`,
    `${formatMetric(low, unit)} to ${formatMetric(high, unit)} since ${formatTime(history?.points[0]?.at ?? '')}`,
    ...(history?.forecast
      ? [`reaches ${formatMetric(history.forecast.reaches, unit)} in ${formatSeconds(history.forecast.in)}`]
      : []),
    ...limits,
  ].join(', ');
}

function half(place: number): number {
  return Math.round(place * 2) / 2;
}
