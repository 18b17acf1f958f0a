import { parseDuration } from '../documents/duration.js';
import type { Trend } from '../documents/trend.js';
import type { History, Metric } from '../result/result.schema.js';
import { formatLimit, formatQuantity } from '../steps/quantity.js';
import { judgeNumber, metricOf, optionalRange, parseRange } from '../steps/range.js';
import type { Memory, Sample } from '../steps/step.js';
import type { Attempt } from './attempt.js';
import { historyOf, type Point } from './history.js';

/** Fewer points, or a shorter time between the first and the last, foretell nothing. */
const fewestPoints = 3;

interface Found {
  readonly metrics: readonly Metric[];
  readonly level: 'ok' | 'warning' | 'failed';
  readonly reason: string;
  readonly text: string;
  readonly forecast?: History['forecast'];
}

/** A number that trends look at: what earlier runs measured, how far back the longest trend looks, where it goes. */
interface Followed {
  readonly earlier: readonly Point[];
  over: number;
  forecast: History['forecast'];
}

/**
 * What the numbers of a try say beside those of earlier runs: each trend becomes a metric (`used{/}:full-in`), and one
 * outside its limits makes the try worse. Without enough earlier runs a trend says nothing, and the summary says so.
 */
export function withTrends(
  attempt: Attempt,
  trends: readonly Trend[],
  memory: Memory | undefined,
  at: number,
): Attempt {
  const { metrics = [], outcome } = attempt;
  if (trends.length === 0 || !['ok', 'warning', 'failed', 'changed'].includes(outcome)) return attempt;
  const found: Found[] = [];
  const problems: string[] = [];
  let waiting: string | undefined;
  const samples = memory?.samples ?? [];
  const followed = new Map<string, Followed>();
  for (const trend of trends) {
    const meant = metrics.filter(({ name }) => isNamed(name, trend.metric));
    if (meant.length === 0 && !trend.optional) problems.push(`there is no metric \`${trend.metric}\` to follow`);
    for (const metric of meant) {
      const line = followed.get(metric.name) ?? {
        earlier: pointsOf(metric, samples, at),
        over: 0,
        forecast: undefined,
      };
      const { earlier } = line;
      followed.set(metric.name, line);
      line.over = Math.max(line.over, parseDuration(trend.over));
      const seen = follow(metric, trend, earlier, at);
      if (seen === 'too-early') waiting ??= tooEarly(trend, earlier, at);
      else if ('problem' in seen) problems.push(seen.problem);
      else {
        found.push(seen);
        line.forecast ??= seen.forecast;
      }
    }
  }
  const shown = {
    ...attempt,
    metrics: [
      ...metrics.map((metric) => withHistory(metric, followed.get(metric.name), at)),
      ...found.flatMap((one) => one.metrics),
    ],
  };
  const worse = found.find(({ level }) => level === 'failed') ?? found.find(({ level }) => level === 'warning');
  if (worse && (worse.level === 'failed' || outcome !== 'failed') && outcome !== worse.level)
    return { ...shown, outcome: worse.level, reason: worse.reason, summary: `${worse.text}; ${attempt.summary}` };
  if (problems[0] !== undefined && outcome !== 'failed')
    return { ...shown, outcome: 'unknown', reason: 'no-metric', summary: `${problems[0]}; ${attempt.summary}` };
  if (worse) return { ...shown, summary: `${attempt.summary}; ${worse.text}` };
  return waiting === undefined ? shown : { ...shown, summary: `${attempt.summary}; ${waiting}` };
}

function withHistory(metric: Metric, line: Followed | undefined, at: number): Metric {
  const history = line && historyOf(line.earlier, { at, value: metric.value }, at - line.over, line.forecast);
  return history ? { ...metric, history } : metric;
}

/** A timer that runs less often than the trend looks back would wait for ever. */
function tooEarly({ over }: Trend, earlier: readonly Point[], at: number): string {
  const seconds = parseDuration(over);
  return earlier.some((point) => point.at < at - seconds)
    ? `too few runs in the last ${formatQuantity(seconds, 'seconds')} for a trend, make \`over\` longer`
    : 'too few earlier runs for a trend';
}

/** `used` means every metric of that name, whatever it is of; `used{/var}` means one. */
function isNamed(name: string, wanted: string): boolean {
  return name === wanted || name.split('{')[0] === wanted;
}

/** What earlier runs measured, oldest first. Bytes say nothing of seconds. */
function pointsOf({ name, unit }: Metric, samples: readonly Sample[], at: number): readonly Point[] {
  return samples.flatMap((sample) => {
    if (unit !== (sample.units?.[name] ?? unit)) return [];
    const value = sample.values[name];
    return typeof value !== 'number' || sample.at >= at ? [] : [{ at: sample.at, value }];
  });
}

function follow(
  metric: Metric,
  trend: Trend,
  earlier: readonly Point[],
  at: number,
): Found | 'too-early' | { readonly problem: string } {
  const since = at - parseDuration(trend.over);
  const points = earlier.filter((point) => point.at >= since);
  const all = [...points, { at, value: metric.value }];
  // The last run is the last run, however long ago: a nightly timer is some seconds late.
  const last = earlier.at(-1);
  switch (trend.show) {
    case 'change':
      return last ? judged(metric, trend, metric.value - last.value, 'changed by', ' since the last run') : 'too-early';
    case 'increase':
      return last ? judged(metric, trend, increase([last, metric]), 'grew by', ' since the last run') : 'too-early';
    case 'rate': {
      const [first] = all;
      if (points.length === 0 || !first) return 'too-early';
      return judged(metric, trend, increase(all) / (at - first.at), 'grows by', ' a second');
    }
    case 'full-in':
      return fullIn(metric, trend, all);
  }
}

/** How much a counter went up; one that fell was set to zero in between, so that all it has is new. */
function increase(points: readonly { readonly value: number }[]): number {
  return points.slice(1).reduce((sum, { value }, index) => {
    const before = points[index]?.value ?? 0;
    return sum + (value < before ? value : value - before);
  }, 0);
}

function judged(metric: Metric, trend: Trend, value: number, verb: string, rest: string): Found {
  const { unit } = metric;
  const limits = { warning: optionalRange(trend.warning, unit), critical: optionalRange(trend.critical, unit) };
  const { level, reason, limit } = judgeNumber(value, limits.warning, limits.critical);
  const said = `${metric.name} ${verb} ${formatQuantity(value, unit)}${rest}`;
  return {
    metrics: [metricOf(nameOf(metric, trend), value, unit, limits)],
    level,
    reason,
    text: limit ? `${said}, ${formatLimit(limit, unit)}` : said,
  };
}

/** A straight line by least squares through the points, and when it meets the end: Prometheus' `predict_linear`. */
function fullIn(
  metric: Metric,
  trend: Trend,
  points: readonly Point[],
): Found | 'too-early' | { readonly problem: string } {
  const end = trend.reaches === undefined ? metric.max : parseRange(trend.reaches, metric.unit).end;
  if (end === undefined)
    return { problem: `\`${metric.name}\` has no end of its own: say with \`reaches\` what it must not reach` };
  const span = (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0);
  if (points.length < fewestPoints || span < parseDuration(trend.over) / 10) return 'too-early';
  const falls = metric.min === undefined ? end < (points[0]?.value ?? 0) : end <= metric.min;
  const isThere = falls ? metric.value <= end : metric.value >= end;
  const growth = slope(points);
  const away = falls ? growth >= 0 : growth <= 0;
  const left = isThere ? 0 : away ? Number.POSITIVE_INFINITY : (end - metric.value) / growth;
  const limits = {
    warning: optionalRange(trend.warning, 'seconds'),
    critical: optionalRange(trend.critical, 'seconds'),
  };
  const { level, reason, limit } = judgeNumber(left, limits.warning, limits.critical);
  const said = `${metric.name} reaches ${formatQuantity(end, metric.unit)} in ${formatQuantity(left, 'seconds')}`;
  return {
    // What never comes has no time that a report could carry.
    metrics: Number.isFinite(left) ? [metricOf(nameOf(metric, trend), left, 'seconds', { ...limits, min: 0 })] : [],
    level,
    reason,
    text: limit ? `${said}, ${formatLimit(limit, 'seconds')}` : said,
    ...(left > 0 && Number.isFinite(left) && { forecast: { reaches: end, in: left } }),
  };
}

/** `used{/var}` followed by `full-in` is `used-full-in{/var}`. */
function nameOf({ name }: Metric, { show }: Trend): string {
  const brace = name.indexOf('{');
  return brace < 0 ? `${name}-${show}` : `${name.slice(0, brace)}-${show}${name.slice(brace)}`;
}

function slope(points: readonly Point[]): number {
  const count = points.length;
  const middle = points.reduce((sum, { at }) => sum + at, 0) / count;
  const mean = points.reduce((sum, { value }) => sum + value, 0) / count;
  let above = 0;
  let below = 0;
  for (const { at, value } of points) {
    above += (at - middle) * (value - mean);
    below += (at - middle) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
