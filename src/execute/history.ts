import type { History } from '../result/result.schema.js';

export interface Point {
  readonly at: number;
  readonly value: number;
}

/** What a result carries for a report to draw; the whole is in the state folder. */
const mostPoints = 40;
/** A trend that looks back a day sees one nightly run: the line has some more. */
const fewestRuns = 20;

/** How a number went in the time that its trends look back, this run last. Nothing where there is no earlier run. */
export function historyOf(
  earlier: readonly Point[],
  now: Point,
  since: number,
  forecast: History['forecast'],
): History | undefined {
  if (earlier.length === 0) return undefined;
  const inTime = earlier.filter(({ at }) => at >= since);
  const shown = inTime.length >= fewestRuns ? inTime : earlier.slice(-fewestRuns);
  return {
    points: [...thinned(shown, mostPoints - 1), now].map(({ at, value }) => ({
      at: new Date(at * 1000).toISOString(),
      value,
    })),
    ...(forecast && { forecast }),
  };
}

/** Peaks stay: of each stretch of time its lowest and its highest. */
function thinned(points: readonly Point[], most: number): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length <= most) return points;
  const stretches = Math.floor(most / 2);
  const length = (last.at - first.at) / stretches || 1;
  const kept = new Map<number, readonly [low: Point, high: Point]>();
  for (const point of points) {
    const stretch = Math.min(stretches - 1, Math.floor((point.at - first.at) / length));
    const [low, high] = kept.get(stretch) ?? [point, point];
    kept.set(stretch, [point.value < low.value ? point : low, point.value > high.value ? point : high]);
  }
  return [...new Set([...kept.values()].flatMap(([low, high]) => (low.at <= high.at ? [low, high] : [high, low])))];
}
