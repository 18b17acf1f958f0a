import type { JsonSchema } from '../documents/json-schema.js';
import type { Metric } from '../result/result.schema.js';

/**
 * Nagios threshold ranges (Monitoring Plugins guidelines): `[@]start:end`, alert when the value is outside
 * start..end, both ends included in the good part; `@` alerts inside; `~` is minus infinity; `10` is `0:10`;
 * `10:` alerts below 10. opsctl adds units: `90%`, `10GiB:`, `500ms`, `30d:`.
 */
export interface Range {
  readonly start: number;
  readonly end: number;
  /** Alert inside the range instead of outside. */
  readonly inside: boolean;
}

export type Unit = Metric['unit'];

const factors: Readonly<Record<NonNullable<Unit>, Readonly<Record<string, number>>>> = {
  bytes: {
    B: 1,
    kB: 1e3,
    KB: 1e3,
    MB: 1e6,
    GB: 1e9,
    TB: 1e12,
    PB: 1e15,
    KiB: 2 ** 10,
    MiB: 2 ** 20,
    GiB: 2 ** 30,
    TiB: 2 ** 40,
    PiB: 2 ** 50,
  },
  seconds: { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 },
  ratio: { '%': 0.01 },
  count: {},
  celsius: { C: 1 },
};

/** What a number without a unit means, by dimension. A kind may say otherwise (days for certificates). */
const bareUnit: Readonly<Record<Unit, string>> = { bytes: 'B', seconds: 's', ratio: '%', count: '', celsius: 'C' };

export class RangeSyntaxError extends Error {}

/**
 * Reads a threshold into base units.
 * @param bare unit of a number without one, when it is not the dimension's usual one
 * @throws RangeSyntaxError naming what is wrong
 */
export function parseRange(input: string | number, unit: Unit, bare: string = bareUnit[unit]): Range {
  const key = `${unit}\0${bare}\0${input}`;
  const known = parsed.get(key);
  if (known) return known;
  const range = readRange(input, unit, bare);
  if (parsed.size > 1_000) parsed.clear();
  parsed.set(key, range);
  return range;
}

/** The same few thresholds are read for every host. */
const parsed = new Map<string, Range>();

function readRange(input: string | number, unit: Unit, bare: string): Range {
  const source = String(input).trim();
  const inside = source.startsWith('@');
  const body = inside ? source.slice(1) : source;
  const parts = body.split(':');
  if (body === '' || parts.length > 2)
    throw new RangeSyntaxError(`"${source}" is not a range such as 80, 10: or @10:20`);
  const [first = '', second] = parts;
  // A unit on one end counts for both: `5:10%`.
  const shared = unitOf(second ?? '') || unitOf(first) || bare;
  const number = (text: string) => toBase(text, unit, shared, source);
  const start = second === undefined ? 0 : first === '~' ? -Infinity : first === '' ? 0 : number(first);
  const end = second === undefined ? number(first) : second === '' ? Infinity : number(second);
  if (start > end)
    throw new RangeSyntaxError(
      end < 0 && second === undefined
        ? `"${source}" means 0 to ${source}, use "~:${source}" or "${source}:"`
        : `"${source}" starts above its end`,
    );
  return { start, end, inside };
}

/** The range in base units, as metrics and Nagios perfdata carry it. */
export function formatRange({ start, end, inside }: Range): string {
  const low = start === 0 ? '' : start === -Infinity ? '~:' : `${plain(start)}:`;
  const high = end === Infinity ? (start === 0 ? '0:' : '') : plain(end);
  return `${inside ? '@' : ''}${low}${high}`;
}

export function isOutside(range: Range, value: number): boolean {
  const within = value >= range.start && value <= range.end;
  return range.inside ? within : !within;
}

export type Level = 'ok' | 'warning' | 'failed';

/** Units that a person may name, with the dimension and the factor to its base unit. */
export const unitNames = ['count', '%', ...Object.keys(factors.bytes), ...Object.keys(factors.seconds), 'C'] as const;

export function dimensionOf(name: string): { readonly unit: Unit; readonly factor: number } {
  if (name === 'count') return { unit: 'count', factor: 1 };
  for (const [unit, known] of Object.entries(factors)) {
    const factor = known[name];
    if (factor !== undefined) return { unit: unit as Unit, factor };
  }
  throw new RangeSyntaxError(`unknown unit "${name}", use ${unitNames.join(', ')}`);
}

/** Two levels on one number. NaN is a bug of the caller: `parse` must have refused it. */
export function judgeLevel(value: number, warning: Range | undefined, critical: Range | undefined): Level {
  if (critical && isOutside(critical, value)) return 'failed';
  if (warning && isOutside(warning, value)) return 'warning';
  return 'ok';
}

/** A number against its two levels: the level, its stable reason code, and the range that it broke. */
export interface Verdict {
  readonly level: Level;
  readonly reason: 'ok' | `${'above' | 'below' | 'inside'}-${'warning' | 'critical'}`;
  readonly limit?: Range;
}

export function judgeNumber(value: number, warning: Range | undefined, critical: Range | undefined): Verdict {
  const level = judgeLevel(value, warning, critical);
  const limit = level === 'failed' ? critical : level === 'warning' ? warning : undefined;
  if (!limit) return { level, reason: 'ok' };
  const side = limit.inside ? 'inside' : value > limit.end ? 'above' : 'below';
  return { level, reason: `${side}-${level === 'failed' ? 'critical' : 'warning'}`, limit };
}

/** Reads an optional threshold parameter. */
export function optionalRange(input: string | number | undefined, unit: Unit, bare?: string): Range | undefined {
  return input === undefined ? undefined : parseRange(input, unit, bare);
}

export interface Dimension {
  readonly unit: Unit;
  /** Unit of a number without one. */
  readonly bare?: string;
  /** Less is worse, so `10` for `10:` is a mistake. */
  readonly lower?: boolean;
}

/**
 * What is wrong with the thresholds among `params`, for a kind's `validate`. A text that is still an
 * expression is left for later.
 */
export function rangeProblems(
  params: Readonly<Record<string, unknown>>,
  units: Readonly<Record<string, Unit | Dimension>>,
): { path: string[]; what: string; hint: string }[] {
  return Object.entries(units).flatMap(([name, dimension]) => {
    const value = params[name];
    if ((typeof value !== 'string' && typeof value !== 'number') || String(value).includes('${{')) return [];
    const { unit, bare, lower }: Dimension = typeof dimension === 'string' ? { unit: dimension } : dimension;
    try {
      const { start, end, inside } = parseRange(value, unit, bare);
      if (!lower || inside || start !== 0 || end === Infinity) return [];
      const what = `"${value}" means at most ${value}, and less is worse here`;
      return [{ path: [name], what, hint: `write "${value}:" for at least ${value}` }];
    } catch (error) {
      if (!(error instanceof RangeSyntaxError)) throw error;
      return [{ path: [name], what: error.message, hint: 'docs/checks.md explains thresholds' }];
    }
  });
}

/** A metric with its thresholds, ready for reports. */
export function metricOf(
  name: string,
  value: number,
  unit: Unit,
  limits: {
    readonly warning?: Range | undefined;
    readonly critical?: Range | undefined;
    readonly min?: number;
    readonly max?: number;
  } = {},
): Metric {
  return {
    name,
    value,
    unit,
    ...(limits.warning && { warning: formatRange(limits.warning) }),
    ...(limits.critical && { critical: formatRange(limits.critical) }),
    ...(limits.min !== undefined && { min: limits.min }),
    ...(limits.max !== undefined && { max: limits.max }),
  };
}

/** Schema of a threshold parameter. */
export function rangeSchema<const D extends string>(description: D) {
  return { type: ['string', 'number'], description, examples: ['80%', '10:', '@10:20'] } as const satisfies JsonSchema;
}

function unitOf(text: string): string {
  return /[^\d.\s~-]+$/.exec(text)?.[0] ?? '';
}

function toBase(text: string, unit: Unit, shared: string, source: string): number {
  const match = /^\s*(-?(?:\d+\.?\d*|\.\d+))\s*([^\d\s.]*)\s*$/.exec(text);
  if (!match) throw new RangeSyntaxError(`"${source}" is not a range such as 80, 10: or @10:20`);
  const suffix = match[2] || shared;
  const factor = suffix === '' ? 1 : factors[unit][suffix];
  if (factor === undefined) {
    const known = Object.keys(factors[unit]);
    throw new RangeSyntaxError(
      known.length === 0
        ? `"${source}" takes a plain number, not "${suffix}"`
        : `"${source}": unknown unit "${suffix}", use ${known.join(', ')}`,
    );
  }
  const value = Number(match[1]) * factor;
  // 85 × 0.01 is 0.8500000000000001 in binary: round to what a person wrote.
  return Number.isInteger(value) ? value : Number(value.toPrecision(15));
}

function plain(value: number): string {
  if (Number.isInteger(value)) return BigInt(value).toString();
  const short = String(value);
  // Monitoring systems do not read exponents.
  return short.includes('e') ? value.toFixed(20).replace(/0+$/, '') : short;
}
