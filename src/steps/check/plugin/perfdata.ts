import type { Metric } from '../../../result/result.schema.js';
import { metricOf, parseRange, type Range, RangeSyntaxError, type Unit } from '../../range.js';

/** More numbers than anybody looks at. */
const metricLimit = 1_000;
const labelLimit = 200;

/** One number of a plugin: `'label'=value[UOM];[warn];[crit];[min];[max]`. */
export interface Perfdatum {
  /** In base units; its name is the label. */
  readonly metric: Metric;
  /** From the plugin's unit to the base unit. */
  readonly factor: number;
}

export interface Perfdata {
  readonly list: readonly Perfdatum[];
  /** Labels whose value the plugin could not tell (`U`). */
  readonly unknown: readonly string[];
  /** What is not performance data, cut. */
  readonly unreadable: readonly string[];
}

/** As the Monitoring Plugins guidelines write it; KB is 1000 bytes, as Icinga reads it. */
const units: Readonly<Record<string, { readonly unit: Unit; readonly factor: number }>> = {
  '%': { unit: 'ratio', factor: 0.01 },
  s: { unit: 'seconds', factor: 1 },
  ms: { unit: 'seconds', factor: 1e-3 },
  us: { unit: 'seconds', factor: 1e-6 },
  ns: { unit: 'seconds', factor: 1e-9 },
  m: { unit: 'seconds', factor: 60 },
  h: { unit: 'seconds', factor: 3600 },
  d: { unit: 'seconds', factor: 86_400 },
  B: { unit: 'bytes', factor: 1 },
  KB: { unit: 'bytes', factor: 1e3 },
  kB: { unit: 'bytes', factor: 1e3 },
  MB: { unit: 'bytes', factor: 1e6 },
  GB: { unit: 'bytes', factor: 1e9 },
  TB: { unit: 'bytes', factor: 1e12 },
  PB: { unit: 'bytes', factor: 1e15 },
  KiB: { unit: 'bytes', factor: 2 ** 10 },
  MiB: { unit: 'bytes', factor: 2 ** 20 },
  GiB: { unit: 'bytes', factor: 2 ** 30 },
  TiB: { unit: 'bytes', factor: 2 ** 40 },
  PiB: { unit: 'bytes', factor: 2 ** 50 },
  C: { unit: 'celsius', factor: 1 },
};

/** A label, quoted or not, and what follows it up to the next white space. A quote inside a label is written twice. */
const item = /\s*(?:'((?:[^']|'')*)'|([^\s='][^\s=]*))=(\S*)|\s*(\S+)/y;
const number = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/;

export function readPerfdata(text: string): Perfdata {
  const list = new Map<string, Perfdatum>();
  const unknown: string[] = [];
  const unreadable: string[] = [];
  item.lastIndex = 0;
  for (let match = item.exec(text); match && list.size < metricLimit; match = item.exec(text)) {
    const [whole, quoted, bare, fields = ''] = match;
    const label = quoted?.replaceAll("''", "'") ?? bare;
    const read = label === undefined || label === '' ? undefined : readFields(label.slice(0, labelLimit), fields);
    if (read === undefined) unreadable.push(whole.trim().slice(0, 80));
    else if (read === 'U') unknown.push(label as string);
    // A label twice is a mistake of the plugin; the first one counts.
    else if (!list.has(read.metric.name)) list.set(read.metric.name, read);
  }
  return { list: [...list.values()], unknown, unreadable: unreadable.slice(0, 10) };
}

function readFields(label: string, fields: string): Perfdatum | 'U' | undefined {
  const [said = '', warning, critical, min, max] = fields.split(';');
  if (said === 'U') return 'U';
  const digits = number.exec(said)?.[0];
  if (digits === undefined) return undefined;
  const name = said.slice(digits.length);
  // `1,5` is a number of another locale, not 1 with a unit.
  if (/[\d.,+-]/.test(name)) return undefined;
  const { unit, factor } = (Object.hasOwn(units, name) && units[name]) || { unit: 'count' as const, factor: 1 };
  const bounds = { min: boundOf(min, factor), max: boundOf(max, factor) };
  const metric = metricOf(label, scaled(Number(digits), factor), unit, {
    warning: rangeOf(warning, factor),
    critical: rangeOf(critical, factor),
    ...(bounds.min !== undefined && { min: bounds.min }),
    ...(bounds.max !== undefined && { max: bounds.max }),
  });
  return Number.isFinite(metric.value) ? { metric, factor } : undefined;
}

/** A limit of the plugin, or of the runbook when it names no unit: it is in the unit of the number. */
export function scaledRange(source: string | number, factor: number): Range {
  const { start, end, inside } = parseRange(source, 'count');
  return { start: scaled(start, factor), end: scaled(end, factor), inside };
}

function rangeOf(source: string | undefined, factor: number): Range | undefined {
  if (source === undefined || source === '') return undefined;
  try {
    return scaledRange(source, factor);
  } catch (error) {
    if (error instanceof RangeSyntaxError) return undefined;
    throw error;
  }
}

function boundOf(source: string | undefined, factor: number): number | undefined {
  const value = source === undefined || number.exec(source)?.[0] !== source ? Number.NaN : Number(source);
  return Number.isFinite(value) ? scaled(value, factor) : undefined;
}

/** 85 × 0.01 is 0.8500000000000001 in binary: round to what the plugin wrote. */
function scaled(value: number, factor: number): number {
  const product = value * factor;
  return Number.isInteger(product) || !Number.isFinite(product) ? product : Number(product.toPrecision(15));
}
